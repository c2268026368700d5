"""From raw mail to tickets: raw first, then meaning, and one mail never stops the next."""

import errno
import re
import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from helpdesk import clock, files
from helpdesk.database import db
from helpdesk.errors import Conflict, Refused
from helpdesk.inbound import operations
from helpdesk.inbound.models import InboundEmail, InboundState, Source
from helpdesk.inbound.operations import process, process_received, receive, retry_inbound, sweep_files
from helpdesk.outbound.letters import letter_of
from helpdesk.outbound.models import DeliveryState
from helpdesk.outbound.rendering import html_of, text_of
from helpdesk.readers.models import Reader
from helpdesk.tickets.delivery import deliver_due
from helpdesk.tickets.links import new_message_id, reply_address, ticket_of_message_id
from helpdesk.tickets.messages import MessageKind
from helpdesk.tickets.models import Resolution, Status, Then, Ticket
from helpdesk.tickets.replying import reply
from tests.cast import RUTH, Cast
from tests.factories import event_kinds, make_ticket, outbox
from tests.letters import letter, states, use_server
from tests.servers.smtp import SmtpServer

ODD = re.compile(r"[\x00-\x1f\x85\u2028,;<>]")
LOOP = "X-Helpdesk-Loop: localhost"
FOREIGN_MAIL = ("no-reply@bank.example.com", "MAILER-DAEMON@example.com", "postmaster@example.com")


def test_a_mail_opens_a_ticket_with_its_words_and_its_reader(cast: Cast) -> None:
    came = took(letter(subject="Größe", body="It is 1932.\r\n-- \r\nRuth\r\n"), envelope_to=("support@example.org",))
    ticket = only_ticket()
    message = ticket.messages[0]
    assert (ticket.subject, ticket.origin.value, ticket.status) == ("Größe", "email", Status.NEW)
    assert (message.body_text, message.signature, message.from_name) == ("It is 1932.", "--\nRuth", "Ruth Reed")
    assert ticket.reader is not None
    assert (ticket.reader.address, message.verified) == (RUTH, True)
    assert (came.state, came.became_id, came.attempts) == (InboundState.ACCEPTED, message.id, 1)
    assert event_kinds(ticket) == ["opened"]


def test_raw_comes_first_and_stays_whatever_happens_later(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = letter()
    email = receive(raw)
    monkeypatch.setattr(operations, "letter_of", fail)
    process_received()
    email = again(email)
    assert (email.state, email.attempts) == (InboundState.RECEIVED, 1)
    assert files.get(email.storage_key) == raw


def test_three_failures_put_a_mail_aside_and_staff_can_retry_it(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    email = receive(letter(subject="Poison"))
    with monkeypatch.context() as broken:
        broken.setattr(operations, "letter_of", fail)
        for _ in range(5):
            process_received()
    email = again(email)
    assert (email.state, email.attempts, email.reason) == (InboundState.FAILED, 3, "RuntimeError while reading it")
    retry_inbound(email, by=cast.carla)
    process_received()
    assert only_ticket().subject == "Poison"
    with pytest.raises(Refused):
        retry_inbound(again(email), by=cast.carla)


@pytest.mark.parametrize("position", [0, 2, 4])
def test_l8_a_poisonous_mail_stops_no_other(cast: Cast, monkeypatch: pytest.MonkeyPatch, position: int) -> None:
    poison = [receive(letter(subject=str(number))).id for number in range(5)][position]
    real = operations.act
    monkeypatch.setattr(operations, "act", lambda email, **rest: fail() if email.id == poison else real(email, **rest))
    process_received()
    assert subjects() == [str(number) for number in range(5) if number != position]


def test_l22_and_l23_a_shortage_is_not_the_mails_fault(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    email = receive(letter(subject="Patient"))
    other = receive(letter(subject="Other"))
    real = operations.letter_of
    with monkeypatch.context() as full:
        full.setattr(
            operations,
            "letter_of",
            lambda reading, raw: no_space() if reading.mail.subject == "Patient" else real(reading, raw),
        )
        for _ in range(5):
            with pytest.raises(OSError, match="No space"):
                process_received()
    assert (again(email).state, again(email).attempts, again(other).state) == (
        InboundState.RECEIVED, 0, InboundState.ACCEPTED,
    )  # fmt: skip
    process_received()
    assert subjects() == ["Other", "Patient"]


def test_raw_bytes_that_are_gone_are_a_failure_that_is_told(cast: Cast) -> None:
    email = receive(letter())
    files.delete(email.storage_key)
    for _ in range(3):
        process_received()
    assert (again(email).state, again(email).reason) == (InboundState.FAILED, "FileNotFoundError while reading it")


def test_l1_the_same_mail_twice_is_one_ticket(cast: Cast) -> None:
    raw = letter()
    for _ in range(3):
        receive(raw)
    process_received()
    only_ticket()
    assert [(email.state, email.reason) for email in emails()[1:]] == [
        (InboundState.IGNORED, "The same mail came before.")
    ] * 2


def test_l14_another_mail_under_the_same_message_id_is_kept(cast: Cast) -> None:
    took(letter(message_id="reused@example.com", subject="One"))
    took(letter(message_id="reused@example.com", subject="Two"))
    assert subjects() == ["One", "Two"]


def test_l12_mails_without_a_message_id_are_told_apart_by_their_bytes(cast: Cast) -> None:
    one = letter(message_id=None, headers={"Received": "from a; Mon, 23 Nov 2026 10:15:00 +0100"})
    two = letter(message_id=None, headers={"Received": "from a; Mon, 23 Nov 2026 10:15:00 +0200"})
    for raw in (one, two, one):
        took(raw)
    assert [email.state.value for email in emails()] == ["accepted", "accepted", "ignored"]


def test_l13_one_mail_to_two_queues_is_a_ticket_in_each(cast: Cast) -> None:
    raw = letter(to="support@example.org, legal@example.org")
    took(raw, envelope_to=("support@example.org",))
    took(raw, envelope_to=("legal@example.org",))
    assert [ticket.queue.name for ticket in tickets()] == ["Readers", "Legal"]


def test_an_answer_that_comes_by_two_mailboxes_stands_once_in_its_ticket(cast: Cast) -> None:
    ticket = make_ticket(cast)
    raw = letter(to=f"{reply_address(ticket)}, legal@example.org")
    took(raw, envelope_to=(reply_address(ticket),))
    second = took(raw, envelope_to=("legal@example.org",))
    assert (len(only_ticket().messages), second.state) == (2, InboundState.IGNORED)


def test_two_workers_make_one_ticket_of_one_mail(app: Flask, cast: Cast) -> None:
    raws = [letter(subject=str(number)) for number in range(10)]
    for raw in raws + raws:
        receive(raw)
    db.session.rollback()
    threads = [threading.Thread(target=process_in, args=(app,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(subjects()) == [str(number) for number in range(10)]
    assert [email.state for email in emails()].count(InboundState.IGNORED) == 10


def test_a_uid_is_kept_once(app: Flask, cast: Cast) -> None:
    source = Source(name="Readers", queue=cast.queue, settings={})
    db.session.add(source)
    db.session.commit()
    receive(letter(), source=source, uid=(7, 1))
    receive(letter(), source=source, uid=(8, 1))
    with pytest.raises(Conflict):
        receive(letter(), source=source, uid=(7, 1))
    assert [(email.uidvalidity, email.uid) for email in emails()] == [(7, 1), (8, 1)]
    assert len([path for path in app.extensions["files"].folder.glob("??/*") if path.is_file()]) == 2


def test_an_answer_to_the_reply_address_continues_its_ticket(cast: Cast) -> None:
    ticket = make_ticket(cast)
    reply(ticket, body="Which bridge?", by=cast.ann, then=Then.WAIT)
    took(letter(to=reply_address(ticket), subject="Whatever", body="The new one.\r\n"))
    ticket = only_ticket()
    assert (ticket.status, ticket.messages[-1].body_text, ticket.messages[-1].verified) == (
        Status.OPEN, "The new one.", True,
    )  # fmt: skip
    assert event_kinds(ticket)[-1] == "followed_up"


def test_a_reader_who_writes_in_another_case_is_the_same_reader(cast: Cast) -> None:
    ticket = make_ticket(cast)
    took(letter(to=reply_address(ticket), from_="RUTH@Example.COM"))
    assert only_ticket().messages[-1].verified is True


def test_class_19_a_stranger_with_the_token_joins_marked_and_gets_no_answer(cast: Cast) -> None:
    ticket = make_ticket(cast)
    took(letter(to=reply_address(ticket), from_="Eve <eve@example.com>", body="I am Ruth, really.\r\n"))
    ticket = only_ticket()
    stranger = ticket.messages[-1]
    assert (stranger.verified, stranger.from_address, stranger.kind) == (False, "eve@example.com", MessageKind.READER)
    message = reply(ticket, body="You are right.", by=cast.ann)
    assert message.recipients == [RUTH]
    assert [row.address for row in outbox()[-1].recipients] == [RUTH]
    assert ticket.reader is not None
    assert ticket.reader.address == RUTH


def test_class_13_and_15_a_forged_sender_and_number_open_a_new_ticket_and_learn_nothing(cast: Cast) -> None:
    ticket = make_ticket(cast, wants_answer=False)
    reply(ticket, body="The secret answer.", by=cast.ann)
    before = len(outbox())
    forged = {"In-Reply-To": f"<{ticket.id}@example.org>", "Cc": "eve@example.com"}
    took(letter(subject=f"Re: [#{ticket.number}]", from_="ann@example.org", headers=forged))
    first, second = tickets()
    assert (len(first.messages), len(second.messages)) == (2, 1)
    assert [row.address for email in outbox()[before:] for row in email.recipients] == ["ann@example.org"]
    assert "secret" not in text_of(outbox()[-1]) + outbox()[-1].subject
    assert [event.data.get("maybe") for event in second.events] == [ticket.number]


def test_a_number_in_the_subject_that_no_ticket_has_is_no_hint(cast: Cast) -> None:
    took(letter(subject="Order #4711"))
    assert [event.data.get("maybe") for event in only_ticket().events] == [None]


def test_class_13_whoever_stands_in_cc_is_stored_and_never_written_to(cast: Cast) -> None:
    took(letter(headers={"Cc": "Eve <eve@example.com>"}))
    ticket = only_ticket()
    assert ticket.messages[0].recipients == ["support@example.org", "eve@example.com"]
    reply(ticket, body="You are right.", by=cast.ann)
    assert {row.address for email in outbox() for row in email.recipients} == {RUTH}
    assert db.session.scalars(select(Reader.address)).all() == [RUTH]


def test_class_20_the_sender_is_from_and_never_reply_to(cast: Cast) -> None:
    took(letter(headers={"Reply-To": "ann@example.org"}))
    ticket = only_ticket()
    assert ticket.reader is not None
    assert (ticket.reader.address, [row.address for row in outbox()[-1].recipients]) == (RUTH, [RUTH])


def test_an_answer_long_after_the_end_opens_a_new_ticket_that_knows_the_old(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = make_ticket(cast)
    reply(ticket, body="You are right.", by=cast.ann, then=Then.CLOSE)
    later = clock.now() + timedelta(days=31)
    monkeypatch.setattr(clock, "now", lambda: later)
    took(letter(to=reply_address(ticket), from_="Eve <eve@example.com>"))
    old, new = tickets()
    assert (old.status, new.status, new.continues) == (Status.CLOSED, Status.NEW, old)
    assert new.messages[0].verified is False


def test_spam_stays_spam_when_the_spammer_writes_again(cast: Cast) -> None:
    ticket = make_ticket(cast, spam_reason="a pill")
    took(letter(to=reply_address(ticket)))
    ticket = only_ticket()
    assert (ticket.resolution, len(ticket.messages)) == (Resolution.SPAM, 2)


def test_a_vacation_notice_is_filed_in_grey_and_changes_nothing(cast: Cast) -> None:
    ticket = make_ticket(cast)
    sent = reply(ticket, body="You are right.", by=cast.ann, then=Then.WAIT)
    count, mails = ticket.message_count, len(outbox())
    took(vacation(to=reply_address(ticket), in_reply_to=sent.message_id or ""))
    ticket = only_ticket()
    assert (ticket.status, ticket.waiting_since, ticket.message_count) == (Status.PENDING, None, count)
    assert ticket.messages[-1].kind is MessageKind.AUTO
    assert (event_kinds(ticket)[-1], len(outbox())) == ("auto_replied", mails)


def test_a_vacation_notice_reopens_no_closed_ticket(cast: Cast) -> None:
    ticket = make_ticket(cast)
    sent = reply(ticket, body="You are right.", by=cast.ann, then=Then.CLOSE)
    took(vacation(to="support@example.org", in_reply_to=sent.message_id or ""))
    assert only_ticket().status is Status.CLOSED


def test_l29_a_bounce_marks_the_mail_and_reopens_the_ticket(app: Flask, cast: Cast, smtp: SmtpServer) -> None:
    use_server(app, smtp)
    ticket = make_ticket(cast)
    sent = reply(ticket, body="You are right.", by=cast.ann, then=Then.CLOSE)
    deliver_due("one")
    came = took(bounce(sent.message_id or "", to=reply_address(ticket)), envelope_from="")
    ticket = only_ticket()
    assert (ticket.status, ticket.resolution, len(ticket.messages)) == (Status.OPEN, None, 2)
    assert (event_kinds(ticket)[-1], ticket.events[-1].data["address"]) == ("bounced", RUTH)
    assert [state for _, state in states()] == [DeliveryState.SENT, DeliveryState.BOUNCED]
    assert came.state is InboundState.ACCEPTED
    assert outbox()[-1].message_id == sent.message_id


def test_a_bounce_without_our_message_id_finds_its_way_by_the_envelope(
    app: Flask, cast: Cast, smtp: SmtpServer
) -> None:
    use_server(app, smtp)
    ticket = make_ticket(cast)
    reply(ticket, body="You are right.", by=cast.ann, then=Then.CLOSE)
    deliver_due("one")
    took(bounce("rewritten-by-a-gateway@example.com", to="x@example.org"), envelope_to=(reply_address(ticket),))
    assert event_kinds(only_ticket())[-1] == "bounced"


def test_a_bounce_of_a_receipt_reopens_nothing(app: Flask, cast: Cast, smtp: SmtpServer) -> None:
    use_server(app, smtp)
    ticket = make_ticket(cast)
    deliver_due("one")
    took(bounce(outbox()[0].message_id, to=reply_address(ticket)))
    ticket = only_ticket()
    assert (ticket.status, event_kinds(ticket)[-1]) == (Status.NEW, "bounced")


def test_a_made_up_bounce_marks_nothing(app: Flask, cast: Cast, smtp: SmtpServer) -> None:
    use_server(app, smtp)
    ticket = make_ticket(cast)
    reply(ticket, body="You are right.", by=cast.ann, then=Then.CLOSE)
    deliver_due("one")
    took(bounce(f"{ticket.id}@example.org", to="support@example.org"))
    assert (only_ticket().status, {state for _, state in states()}) == (Status.CLOSED, {DeliveryState.SENT})


def test_a_warning_that_the_mail_is_late_changes_nothing(app: Flask, cast: Cast, smtp: SmtpServer) -> None:
    use_server(app, smtp)
    ticket = make_ticket(cast)
    sent = reply(ticket, body="You are right.", by=cast.ann, then=Then.CLOSE)
    deliver_due("one")
    came = took(bounce(sent.message_id or "", to=reply_address(ticket), action="delayed", status="4.4.1"))
    assert (came.state, only_ticket().status) == (InboundState.IGNORED, Status.CLOSED)


def test_our_own_mail_that_comes_back_is_ignored(cast: Cast) -> None:
    ticket = make_ticket(cast)
    ours = letter_of(outbox()[0].recipients[0]).raw
    name, _, value = LOOP.partition(": ")
    for raw in (ours, letter(from_="support@example.org"), letter(headers={name: value}, to=reply_address(ticket))):
        assert took(raw).state is InboundState.IGNORED
    assert len(only_ticket().messages) == 1


SILENT: dict[str, Callable[[], tuple[bytes, str | None]]] = {
    "null sender in the envelope": lambda: (letter(), ""),
    "null sender in the header": lambda: (letter(headers={"Return-Path": "<>"}), None),
    "mailing list": lambda: (letter(headers={"List-Id": "<talk.example.com>"}), None),
    "Precedence: list": lambda: (letter(headers={"Precedence": "list"}), None),
    "Precedence: bulk": lambda: (letter(headers={"Precedence": "bulk"}), None),
    "Precedence: junk": lambda: (letter(headers={"Precedence": "junk"}), None),
    "automatic": lambda: (letter(headers={"Auto-Submitted": "auto-generated"}), None),
    "automatic answer": lambda: (letter(headers={"Auto-Submitted": "auto-replied"}), None),
    "automatic by subject": lambda: (letter(subject="Out of office: The bridge"), None),
    "no sender": lambda: (letter(from_=""), None),
    "ourselves": lambda: (letter(from_="support@example.org"), None),
    "ourselves in another queue": lambda: (letter(from_="LEGAL@example.org"), None),
    "no-reply": lambda: (letter(from_=FOREIGN_MAIL[0]), None),
    "mailer-daemon": lambda: (letter(from_=FOREIGN_MAIL[1]), None),
    "postmaster": lambda: (letter(from_=FOREIGN_MAIL[2]), None),
}


@pytest.mark.parametrize("what", SILENT)
def test_class_30_machines_get_no_automatic_mail(cast: Cast, what: str) -> None:
    raw, envelope_from = SILENT[what]()
    took(raw, envelope_from=envelope_from)
    assert outbox() == []


def test_class_29_an_address_gets_one_receipt_a_day(cast: Cast) -> None:
    for number in range(5):
        took(letter(subject=f"Mail {number}", from_="RUTH@example.com" if number % 2 else RUTH))
    assert (len(tickets()), len(outbox())) == (5, 1)


def test_class_29_two_desks_that_write_to_each_other_fall_silent(cast: Cast) -> None:
    took(letter(from_="desk@other.example.com", subject="Hello"))
    [receipt] = outbox()
    for number in range(5):
        answer = letter(
            from_="desk@other.example.com", to=receipt.reply_to or "", subject=f"We have your message (#{number})"
        )
        took(answer)
    assert (len(outbox()), len(only_ticket().messages)) == (1, 6)


def test_class_29_a_receipt_holds_none_of_the_readers_words(cast: Cast) -> None:
    took(letter(subject="BUY PILLS https://pills.example.com", from_='"PILLS" <victim@example.com>', body="PILLS\r\n"))
    [receipt] = outbox()
    assert "PILLS" not in receipt.subject + text_of(receipt) + html_of(receipt) + receipt.sender
    assert receipt.headers["Auto-Submitted"] == "auto-replied"


@pytest.mark.parametrize(
    "sender",
    [
        "a@example.com,b@example.com", "group: a@example.com, b@example.com;", '"a@example.com" <b@example.com>',
        "a@example.com b@example.com", "a@b@example.com", "<a@example.com", "a@", "@example.com", "a\x85b@example.com",
        "=?utf-8?q?a=0D=0ABcc:_eve?= <a@example.com>", "a@example.com\u2028", "ü@exämple.com",
        "a" * 400 + "@example.com",
        "undisclosed-recipients:;", "(comment) a (more) @ (x) example.com", '"a b"@example.com', "a@[127.0.0.1]",
    ],
)  # fmt: skip
def test_class_22_and_32_an_odd_sender_is_one_reader_or_none_and_never_lost(cast: Cast, sender: str) -> None:
    came = took(letter(from_=sender))
    assert came.state in (InboundState.ACCEPTED, InboundState.IGNORED), came.reason
    ticket = only_ticket()
    assert all(len(email.recipients) == 1 for email in outbox())
    assert ticket.reader is None or ODD.search(ticket.reader.address) is None


@pytest.mark.parametrize(
    "bad", ["a\x85b@x", "ü@x", "a\rb@x", "=?utf-8?q?a=0Ab?=@x", "x" * 2000 + "@x", "a b@x", "\x00@x"]
)
def test_class_31_a_hostile_message_id_keeps_nobody_from_answering(
    app: Flask, cast: Cast, smtp: SmtpServer, bad: str
) -> None:
    use_server(app, smtp)
    took(letter(message_id=bad, headers={"References": f"<{bad}> <fine@example.com>"}))
    reply(only_ticket(), body="You are right.", by=cast.ann)
    deliver_due("one")
    assert [state for _, state in states()] == [DeliveryState.SENT] * 2
    assert all(name.isascii() for name in smtp.mails[0].parsed)
    assert len(smtp.mails[0].parsed.get_all("References", [])) <= 1


def test_a_mail_that_cannot_be_read_is_a_ticket_with_the_raw_mail(cast: Cast) -> None:
    raw = b"Content-Type: multipart/mixed; boundary=x\r\nSubject: Deep\r\nFrom: ruth@example.com\r\n\r\n" + deep(400)
    took(raw)
    ticket = only_ticket()
    assert ticket.messages[0].body_text.startswith("This mail could not be read: ")
    assert [(file.name, files.get(file.storage_key)) for file in ticket.messages[0].attachments] == [
        ("original.eml", raw)
    ]
    assert outbox() == []


@pytest.mark.parametrize(
    "raw", [b"\x00" * 5000, b"\xff\xfe" * 900, b"hello", b"\r\n\r\n", b"From: x\r\n" * 4000, b":" * 9000]
)
def test_any_bytes_at_all_become_a_ticket(cast: Cast, raw: bytes) -> None:
    assert took(raw).state is InboundState.ACCEPTED
    only_ticket()


def test_the_queue_is_the_one_that_was_written_to(cast: Cast) -> None:
    for to, envelope in (
        ("legal@example.org", ()),
        ("LEGAL+anything@Example.org", ()),
        ("x@example.org", ("legal@example.org",)),
    ):
        took(letter(to=to), envelope_to=envelope)
    took(letter(to="unknown@example.org"))
    assert [ticket.queue.name for ticket in tickets()] == ["Legal", "Legal", "Legal", "Readers"]


def test_orphaned_files_are_swept_and_named_ones_are_kept(
    app: Flask, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    took(letter())
    orphan = files.put(b"nobody's")
    sweep_files()
    assert files.get(orphan) == b"nobody's"
    later = clock.now() + timedelta(days=3)
    monkeypatch.setattr(clock, "now", lambda: later)
    sweep_files()
    with pytest.raises(FileNotFoundError):
        files.get(orphan)
    assert files.get(emails()[0].storage_key).startswith(b"From: Ruth")


def test_every_message_id_we_send_leads_back(cast: Cast) -> None:
    ticket = make_ticket(cast)
    reply(ticket, body="You are right.", by=cast.ann)
    assert {ticket_of_message_id(email.message_id) for email in outbox()} == {ticket.id}
    assert len({new_message_id(ticket) for _ in range(50)}) == 50


# The rest prepares.


def took(
    raw: bytes,
    *,
    envelope_from: str | None = None,
    envelope_to: tuple[str, ...] = (),
    source: Source | None = None,
) -> InboundEmail:
    """Receive and process one mail."""
    email_id = receive(raw, source=source, envelope_from=envelope_from, envelope_to=envelope_to).id
    process(email_id)
    return db.session.get_one(InboundEmail, email_id)


def vacation(*, to: str, in_reply_to: str) -> bytes:
    headers = {"Auto-Submitted": "auto-replied (vacation)", "In-Reply-To": f"<{in_reply_to}>", "Return-Path": "<>"}
    return letter(to=to, subject="Away until Monday", body="I am away.\r\n", headers=headers)


def bounce(message_id: str, *, to: str, action: str = "failed", status: str = "5.1.1") -> bytes:
    """A delivery report (RFC 3464) about our mail to Ruth."""
    return f"""\
Return-Path: <>
From: MAILER-DAEMON@mx.example.com (Mail Delivery System)
To: {to}
Subject: Undelivered Mail Returned to Sender
Message-ID: <{abs(hash((message_id, to, action)))}@mx.example.com>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="xx"

--xx
Content-Type: text/plain

It did not work.

--xx
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.com

Final-Recipient: rfc822; {RUTH}
Action: {action}
Status: {status}
Diagnostic-Code: smtp; 550 5.1.1 no such user

--xx
Content-Type: text/rfc822-headers

Message-ID: <{message_id}>
To: {RUTH}

--xx--
""".replace("\n", "\r\n").encode()


def deep(levels: int) -> bytes:
    """Parts within parts."""
    return b"".join(
        b"--%s\r\nContent-Type: multipart/mixed; boundary=%s\r\n\r\n" % (b"x" * number, b"x" * (number + 1))
        for number in range(1, levels)
    )


def fail(*_: object, **__: object) -> None:
    raise RuntimeError("cannot read this")


def no_space() -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def process_in(app: Flask) -> None:
    with app.app_context():
        process_received()


def again(email: InboundEmail) -> InboundEmail:
    db.session.rollback()
    return db.session.get_one(InboundEmail, email.id)


def emails() -> list[InboundEmail]:
    db.session.rollback()
    return list(db.session.scalars(select(InboundEmail).order_by(InboundEmail.id)))


def tickets() -> list[Ticket]:
    db.session.rollback()
    return list(db.session.scalars(select(Ticket).order_by(Ticket.id)))


def only_ticket() -> Ticket:
    [ticket] = tickets()
    return ticket


def subjects() -> list[str]:
    return [ticket.subject for ticket in tickets()]
