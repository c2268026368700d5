"""What comes back of our mail: bounces to an address of their own, complaints, answers of machines; and suspects."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask

from helpdesk import clock
from helpdesk.database import db
from helpdesk.desk.mail_log import get_inbound, list_not_taken
from helpdesk.errors import NotFound
from helpdesk.inbound.bounce_words import why_it_came_back
from helpdesk.inbound.bounces import Bounce
from helpdesk.inbound.models import InboundState, Source
from helpdesk.inbound.screening import FORGED
from helpdesk.outbound.envelopes import delivery_of_envelope
from helpdesk.outbound.models import DeliveryState, OutboundRecipient
from helpdesk.readers.operations import find_reader
from helpdesk.tickets.delivery import deliver_due, ticket_of
from helpdesk.tickets.links import new_message_id, reply_address
from helpdesk.tickets.messages import MessageKind
from helpdesk.tickets.models import Resolution, Status, Then, Ticket
from helpdesk.tickets.participation import add_participant
from helpdesk.tickets.queries import public_messages_of
from helpdesk.tickets.replying import reply
from helpdesk.tickets.triage import close
from helpdesk.tickets.undo import undo_reply
from tests.cast import RUTH, Cast
from tests.factories import BODY, event_kinds, make_ticket, outbox
from tests.inbound.test_operations import bounce, only_ticket, tickets, took, vacation
from tests.letters import letter, put, states, use_server
from tests.servers.smtp import SmtpServer

TOM = "tom@example.com"
FAILED = "Authentication-Results", "mx.example.org; dmarc=fail header.from=example.com"
THROUGH_OURS = "Received", "from mail.example.com by mx.example.org with ESMTP"
Change = Callable[..., None]


@pytest.fixture
def change(app: Flask) -> Change:
    """Change settings as their owner would."""

    def change(**settings: object) -> None:
        app.extensions["settings"] = app.extensions["settings"].model_copy(update=settings)

    return change


@pytest.fixture
def sent(app: Flask, cast: Cast, smtp: SmtpServer, change: Change) -> list[str]:
    """The envelope senders of Ruth's receipt, and of a reply to her with a copy for Tom; the ticket is closed."""
    change(bounce_address="bounce@example.org")
    use_server(app, smtp)
    ticket = make_ticket(cast)
    add_participant(ticket, address=TOM, by=cast.ann)
    reply(ticket, body="You are right.", by=cast.ann, then=Then.CLOSE)
    deliver_due("one")
    return sorted((mail.envelope_from for mail in smtp.mails), key=lambda sender: delivery_of_envelope(sender) or 0)


def test_each_delivery_has_an_envelope_of_its_own(sent: list[str], smtp: SmtpServer) -> None:
    rows = db.session.query(OutboundRecipient).order_by(OutboundRecipient.id).all()
    assert [delivery_of_envelope(address.upper()) for address in sent] == [row.id for row in rows]
    assert {address.partition("+")[0] for address in sent} == {"bounce"}
    assert max(len(address.partition("@")[0]) for address in sent) <= 64
    assert [mail.parsed["Reply-To"] for mail in smtp.mails] == [reply_address(only_ticket())] * 3
    assert delivery_of_envelope(reply_address(only_ticket())) is None


def test_without_a_bounce_address_bounces_come_to_the_ticket(app: Flask, cast: Cast, smtp: SmtpServer) -> None:
    use_server(app, smtp)
    ticket = make_ticket(cast)
    deliver_due("one")
    assert smtp.mails[0].envelope_from == reply_address(ticket)


def test_mail_about_an_account_never_comes_back_to_where_editors_read_it(
    app: Flask, cast: Cast, smtp: SmtpServer, change: Change
) -> None:
    change(bounce_address="bounce@example.org")
    use_server(app, smtp)
    put(to="carla@example.org", envelope_from="desk@example.org")
    deliver_due("one")
    assert [mail.envelope_from for mail in smtp.mails] == ["desk@example.org"]


def test_l29_a_bounce_is_bound_to_the_very_delivery_whatever_it_quotes(sent: list[str]) -> None:
    came = took(bounce("rewritten@example.com", to="x@example.net"), envelope_from="", envelope_to=(sent[1],))
    ticket = only_ticket()
    assert (ticket.status, event_kinds(ticket)[-1], ticket.events[-1].data) == (
        Status.OPEN, "bounced", {
            "address": RUTH, "reason": "there is no such address (550 5.1.1 no such user)", "before": ticket.events[-1].data["before"],
        },
    )  # fmt: skip
    assert [state for _, state in states()] == [DeliveryState.SENT, DeliveryState.BOUNCED, DeliveryState.SENT]
    assert (came.state, came.queue) == (InboundState.ACCEPTED, ticket.queue)


def test_a_copy_that_comes_back_is_told_and_the_reader_is_not_blamed(sent: list[str]) -> None:
    took(bounce(outbox()[-1].message_id, to="x@example.net"), envelope_from="", envelope_to=(sent[2],))
    assert [state for _, state in states()] == [DeliveryState.SENT, DeliveryState.SENT, DeliveryState.BOUNCED]
    assert (only_ticket().status, only_ticket().events[-1].data["address"]) == (Status.CLOSED, TOM)


def test_a_bounce_in_no_known_form_counts_at_the_bounce_address_alone(cast: Cast, sent: list[str]) -> None:
    strange = letter(from_="rejets@example.com", to=sent[1], subject="Votre message", body="Inconnu ici.\r\n")
    took(strange, envelope_from="")
    assert (only_ticket().status, only_ticket().events[-1].data["reason"]) == (
        Status.OPEN, "their mail server says: Inconnu ici.",
    )  # fmt: skip


@pytest.mark.parametrize("how", ["bounced", "delayed", "complained", "unknown id"])
def test_class_50_what_comes_back_is_for_those_who_see_the_ticket_whatever_mailbox_it_came_to(
    cast: Cast, sent: list[str], how: str
) -> None:
    reply(make_ticket(cast, queue=cast.legal, may_be_answered=False), body="In confidence.", by=cast.carla)
    [recipient] = outbox()[-1].recipients
    quoted, to = outbox()[-1].message_id, "support@example.org"
    recipient.state = DeliveryState.SENT
    inbox = Source(name="inbox", queue=cast.queue, settings={})
    db.session.add(inbox)
    db.session.commit()
    raw = {
        "bounced": lambda: bounce(quoted, to=to),
        "delayed": lambda: bounce(quoted, to=to, action="delayed", status="4.4.1"),
        "complained": lambda: complaint(to=to, message_id=quoted),
        "unknown id": lambda: bounce(new_message_id(recipient_ticket(recipient)), to=to),
    }[how]()
    came = took(raw, source=inbox, envelope_from="")
    assert (came.queue, came.became) == (cast.legal, None)
    seen = []
    for agent in (cast.eve, cast.carla):
        try:
            seen.append(get_inbound(came.id, agent).id)
        except NotFound:
            seen.append(None)
    assert seen == [None, came.id]
    assert came not in list_not_taken(cast.eve)
    again = took(raw, source=inbox, envelope_from="")
    assert (again.state, again.reason) == (InboundState.IGNORED, "The same mail came before.")


def test_a_warning_to_the_bounce_address_changes_nothing(sent: list[str]) -> None:
    late = bounce("rewritten@example.com", to=sent[1], action="delayed", status="4.4.1")
    assert (took(late, envelope_from="").state, only_ticket().status) == (InboundState.IGNORED, Status.CLOSED)


def test_a_vacation_notice_to_the_bounce_address_is_a_grey_line_and_nothing_else(sent: list[str]) -> None:
    before = len(outbox())
    took(vacation(to=sent[1], in_reply_to="unknown@example.com"), envelope_from="")
    ticket = only_ticket()
    assert (ticket.status, ticket.messages[-1].kind, event_kinds(ticket)[-1]) == (
        Status.CLOSED, MessageKind.AUTO, "auto_replied",
    )  # fmt: skip
    assert ({state for _, state in states()}, len(outbox())) == ({DeliveryState.SENT}, before)


def test_a_person_who_answers_the_bounce_address_is_heard_in_his_ticket(sent: list[str]) -> None:
    took(letter(to=sent[1], body="Is this the right address?\r\n"))
    assert (only_ticket().status, only_ticket().messages[-1].body_text) == (Status.OPEN, "Is this the right address?")


def test_class_13_a_made_up_bounce_address_marks_nothing(sent: list[str]) -> None:
    forged = sent[1].replace("+", "+a", 1)
    took(bounce("made-up@example.org", to=forged), envelope_from="", envelope_to=(forged,))
    assert (only_ticket().status, {state for _, state in states()}) == (Status.CLOSED, {DeliveryState.SENT})


@pytest.mark.parametrize("names_it", [False, True])
def test_class_13_a_forged_bounce_stops_no_reply_that_has_not_left(cast: Cast, sent: list[str], names_it: bool) -> None:
    ticket = only_ticket()
    reply(ticket, body="One thing more.", by=cast.ann, undo_seconds=30)
    quoted = outbox()[-1].message_id if names_it else "made-up@example.org"
    took(bounce(quoted, to=reply_address(ticket)), envelope_from="")
    assert [state for _, state in states()[-2:]] == [DeliveryState.QUEUED] * 2
    before = DeliveryState.SENT if names_it else DeliveryState.BOUNCED
    assert states()[1][1] is before


@pytest.mark.parametrize("quotes_it", [False, True])
def test_a_bounce_or_a_complaint_after_an_undone_reply_is_read(cast: Cast, sent: list[str], quotes_it: bool) -> None:
    ticket = only_ticket()
    message = reply(ticket, body="Too soon.", by=cast.ann, undo_seconds=30)
    undo_reply(ticket, message_id=message.id, by=cast.ann)
    quoted, to = outbox()[-1].message_id if quotes_it else "made-up@example.org", reply_address(only_ticket())
    came = [took(bounce(quoted, to=to), envelope_from=""), took(complaint(to=to, message_id=quoted))]
    assert {one.state for one in came} == {InboundState.ACCEPTED}
    assert states()[1][1] is (DeliveryState.SENT if quotes_it else DeliveryState.BOUNCED)


@pytest.mark.parametrize(
    ("status", "diagnostic", "words"),
    [
        ("5.1.1", "550 5.1.1 no such user", "there is no such address (550 5.1.1 no such user)"),
        ("5.2.2", "", "the mailbox is full (5.2.2)"),
        ("4.2.2", "452 over quota", "the mailbox is full (452 over quota)"),
        ("5.7.26", "unauthenticated", "their mail server could not verify that it is ours (unauthenticated)"),
        ("5.7.999", "no\r\n  way", "their mail server refused it by its rules (no way)"),
        ("5.0.0", "554 no", "their mail server says: 554 no"),
        (None, "", "their mail server did not say why"),
    ],
)
def test_why_a_mail_came_back_is_said_in_plain_words(status: str | None, diagnostic: str, words: str) -> None:
    assert why_it_came_back(Bounce((RUTH,), status, diagnostic, True, None, False)) == words
    assert why_it_came_back(None) == "their mail server did not say why"


@pytest.mark.parametrize("found_by", ["reply address", "envelope", "return path", "notice of Amazon", "bounce address"])
def test_a_complaint_marks_the_mail_and_ends_automatic_mail_to_its_reader(
    cast: Cast, sent: list[str], change: Change, found_by: str
) -> None:
    change(receipts_per_address_per_day=10)
    receipt_id, here = outbox()[0].message_id, "support@example.org"
    raw = {
        "reply address": lambda: complaint(to=reply_address(only_ticket()), message_id=receipt_id),
        "envelope": lambda: complaint(to=here, mail_from=sent[0]),
        "return path": lambda: complaint(to=here, return_path=sent[0]),
        "notice of Amazon": lambda: notice(source=sent[0]),
        "bounce address": lambda: complaint(to=sent[0]),
    }[found_by]()
    came = took(raw)
    ticket = only_ticket()
    assert [row.complained_at is not None for mail in outbox() for row in mail.recipients] == [True, False, False]
    assert (event_kinds(ticket)[-1], ticket.events[-1].data, ticket.status) == (
        "complained", {"address": RUTH}, Status.CLOSED,
    )  # fmt: skip
    assert (came.state, len(ticket.messages)) == (InboundState.ACCEPTED, 2)
    mails = len(outbox())
    make_ticket(cast, body="Another matter")
    took(letter(subject="And another"))
    took(letter(subject="Somebody else's", from_=TOM))
    assert (len(tickets()), [row.address for mail in outbox()[mails:] for row in mail.recipients]) == (4, [TOM])
    assert reply(tickets()[-2], body="A person answers.", by=cast.ann).recipients == [RUTH]


def test_a_complaint_that_came_twice_is_told_once(cast: Cast, sent: list[str]) -> None:
    for number in range(2):
        took(complaint(to="support@example.org", mail_from=sent[1], number=number))
    assert event_kinds(only_ticket()).count("complained") == 1


@pytest.mark.parametrize("how", ["quoted", "answered", "of another ticket", "noticed"])
def test_class_30_a_complaint_that_only_knows_a_message_id_is_shown_to_staff_and_ends_nothing(
    cast: Cast, sent: list[str], how: str
) -> None:
    known, here = outbox()[1].message_id, "support@example.org"
    other = make_ticket(cast, body="Another matter", address=TOM, may_be_answered=False)
    raw = {
        "quoted": lambda: complaint(to=here, message_id=known, recipient=RUTH),
        "answered": lambda: complaint(to=here, message_id=known, answers=known),
        "of another ticket": lambda: complaint(to=reply_address(other), message_id=known, recipient=RUTH),
        "noticed": lambda: notice(source="x@example.org", message_id=known),
    }[how]()
    came = took(raw)
    reader = find_reader(RUTH)
    assert reader is not None
    assert (reader.complained_at, [row.complained_at for mail in outbox() for row in mail.recipients]) == (
        None,
        [None] * 3,
    )
    assert [kind for one in tickets() for kind in event_kinds(one) if kind == "complained"] == []
    assert (came.state, came.became, "so nothing changes" in came.reason) == (InboundState.IGNORED, None, True)


def test_a_complaint_about_a_copy_is_held_against_whose_delivery_it_was(cast: Cast, sent: list[str]) -> None:
    took(complaint(to="support@example.org", mail_from=sent[2], recipient=RUTH))
    assert only_ticket().events[-1].data == {"address": TOM}
    reader = find_reader(RUTH)
    assert reader is not None
    assert reader.complained_at is None


def test_a_complaint_about_nothing_of_ours_is_kept_and_ignored(cast: Cast, sent: list[str]) -> None:
    came = took(complaint(to="support@example.org", message_id="strange@example.com", mail_from="x@example.com"))
    assert (came.state, "complained" in event_kinds(only_ticket())) == (InboundState.IGNORED, False)


def test_class_21_a_forged_sender_is_filed_as_spam_and_gets_no_mail(cast: Cast, change: Change) -> None:
    change(trusted_mail_hosts=["mx.example.org"])
    came = took(letter(headers=dict([FAILED])))
    ticket = only_ticket()
    assert (ticket.resolution, event_kinds(ticket), ticket.events[-1].data["reason"]) == (
        Resolution.SPAM, ["opened", "marked_spam"], FORGED,
    )  # fmt: skip
    assert (came.state, outbox()) == (InboundState.ACCEPTED, [])


def test_class_21_a_forged_sender_with_the_token_is_heard_and_not_believed(cast: Cast, change: Change) -> None:
    change(trusted_mail_hosts=["mx.example.org"])
    ticket = make_ticket(cast)
    took(letter(to=reply_address(ticket), headers=dict([FAILED])))
    assert (only_ticket().status, only_ticket().messages[-1].verified) == (Status.NEW, False)


def test_class_21_a_forged_readers_words_are_neither_shown_nor_quoted_to_the_reader(cast: Cast, change: Change) -> None:
    change(trusted_mail_hosts=["mx.example.org"])
    ticket = make_ticket(cast)
    took(letter(to=reply_address(ticket), body="Pay here instead.\r\n", headers=dict([FAILED])))
    ticket = only_ticket()
    reply(ticket, body="You are right.", by=cast.ann)
    assert [message.body_text for message in public_messages_of(ticket)] == [BODY, "You are right."]
    assert outbox()[-1].context["earlier"]["body"] == BODY


def test_class_21_a_forged_answer_long_after_the_end_is_filed_as_spam(cast: Cast, change: Change) -> None:
    change(trusted_mail_hosts=["mx.example.org"])
    ticket = make_ticket(cast)
    with clock.at(clock.now() - timedelta(days=31)):
        close(ticket, by=cast.ann, resolution=Resolution.ANSWERED)
    took(letter(to=reply_address(ticket), headers=dict([FAILED])))
    old, new = tickets()
    assert (old.resolution, new.resolution, new.continues) == (Resolution.ANSWERED, Resolution.SPAM, old)
    assert new.events[-1].data["reason"] == FORGED


def test_what_the_mail_server_calls_spam_is_filed_with_its_words_and_never_refused(cast: Cast, change: Change) -> None:
    change(trusted_mail_hosts=["mx.example.org"])
    came = took(letter(headers=dict([THROUGH_OURS]) | {"X-Spam-Status": "Yes, score=15.2 required=5.0"}))
    ticket = only_ticket()
    assert (ticket.resolution, ticket.events[-1].sentence) == (
        Resolution.SPAM,
        "filed this as spam: the mail server says so (X-Spam-Status: Yes, score=15.2 required=5.0)",
    )
    assert (came.state, outbox()) == (InboundState.ACCEPTED, [])


def test_an_answer_in_a_running_conversation_is_no_spam_whatever_its_score(cast: Cast, change: Change) -> None:
    change(trusted_mail_hosts=["mx.example.org"])
    ticket = make_ticket(cast)
    reply(ticket, body="Which bridge?", by=cast.ann, then=Then.WAIT)
    took(letter(to=reply_address(ticket), headers=dict([THROUGH_OURS]) | {"X-Spam-Flag": "YES"}))
    assert (only_ticket().status, only_ticket().messages[-1].verified) == (Status.OPEN, True)


def test_nobody_is_believed_about_spam_unless_he_is_trusted(cast: Cast) -> None:
    took(letter(headers=dict([THROUGH_OURS]) | {"X-Spam-Flag": "YES"}))
    assert (only_ticket().status, len(outbox())) == (Status.NEW, 1)


def complaint(
    *,
    to: str,
    message_id: str = "redacted@example.net",
    mail_from: str = "",
    recipient: str = "",
    number: int = 0,
    return_path: str = "",
    answers: str = "",
) -> bytes:
    """A complaint of a mail provider (RFC 5965) about a mail of ours."""
    fields = [f"Original-Mail-From: <{mail_from}>"] if mail_from else []
    fields += [f"Original-Rcpt-To: <{recipient}>"] if recipient else []
    answered = [f"In-Reply-To: <{answers}>"] if answers else []
    returned = [f"Return-Path: <{return_path}>"] if return_path else []
    return "\r\n".join([
        "From: feedback@isp.example.net", f"To: {to}", "Subject: Abuse report",
        f"Message-ID: <arf-{number}-{abs(hash((to, message_id, mail_from)))}@isp.example.net>", "MIME-Version: 1.0", *answered,
        'Content-Type: multipart/report; report-type=feedback-report; boundary="a"', "",
        "--a", "Content-Type: text/plain", "", "Somebody does not want this.", "",
        "--a", "Content-Type: message/feedback-report", "", "Feedback-Type: abuse", "Version: 1", *fields, "",
        "--a", "Content-Type: message/rfc822", "", *returned, "From: support@example.org", "Subject: Re: The bridge",
        f"Message-ID: <{message_id}>", "", "Dear Ruth", "", "--a--", "",
    ]).encode()  # fmt: skip


def notice(*, source: str, message_id: str = "redacted@example.net") -> bytes:
    """A complaint as Amazon SES tells it in a mail."""
    said = {
        "notificationType": "Complaint", "complaint": {"complainedRecipients": [{"emailAddress": RUTH}]},
        "mail": {"source": source, "headers": [{"name": "Message-ID", "value": f"<{message_id}>"}]},
    }  # fmt: skip
    return letter(from_="no-reply@sns.amazonaws.com", subject="AWS Notification Message", body=json.dumps(said))


def recipient_ticket(recipient: OutboundRecipient) -> Ticket:
    """The ticket that a delivery is about."""
    ticket = ticket_of(recipient.email)
    assert ticket is not None
    return ticket
