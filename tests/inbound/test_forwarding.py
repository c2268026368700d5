"""An agent forwards a reader's mail to his private address: the ticket is the reader's, and nobody gets a receipt."""

import base64
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from helpdesk import files, tokens
from helpdesk.addresses import split_token
from helpdesk.agents.models import Agent
from helpdesk.agents.operations import change_role, deactivate, reactivate
from helpdesk.agents.roles import Role
from helpdesk.cli.mail import report_of
from helpdesk.database import db
from helpdesk.errors import Invalid, Refused
from helpdesk.inbound.forwarding import FORWARDED, WRITER_UNKNOWN
from helpdesk.inbound.models import InboundEmail, InboundState
from helpdesk.inbound.operations import process, receive
from helpdesk.sites.forward_addresses import agent_of_address, forward_address, forward_addresses
from helpdesk.sites.operations import change_queues
from helpdesk.tickets.forwarding import name_reader
from helpdesk.tickets.links import new_message_id, reply_address
from helpdesk.tickets.messages import MessageKind
from helpdesk.tickets.models import Status, Then, Ticket
from helpdesk.tickets.queries import public_messages_of
from helpdesk.tickets.replying import add_note, reply
from helpdesk.tickets.undo import undo_reply
from tests.cast import Cast
from tests.conftest import SECRET, token_in
from tests.desk.reading import text_of
from tests.factories import event_kinds, make_ticket, outbox
from tests.letters import letter

TOM = "tom@example.net"
ANN = "Ann Archer <ann@example.org>"
NEW_SECRET = "a newer secret of this desk, 32 characters or more"
FORWARD = (
    "Yours, I think.\r\n\r\n---------- Forwarded message ---------\r\nFrom: Tom Flag <tom@example.net>\r\n"
    "Date: Sun, Nov 22, 2026 at 6:00 PM\r\nSubject: A flag\r\nTo: <ann@example.org>\r\n\r\n"
    "It is upside down.\r\n\r\n-- \r\nTom\r\n"
)
QUOTED = (
    "See.\r\n\r\nBegin forwarded message:\r\n\r\n> From: Tom Flag <tom@example.net>\r\n> Subject: A flag\r\n>\r\n"
    "> Down.\r\n\r\nAnn's number is 4711.\r\n"
)
UNREADABLE = {
    "no forward": ("The flag", "Somebody rang: the flag is upside down.\r\n"),
    "a forward that names nobody": ("Fwd: A flag", "From: Tom Flag\r\nSent: Sunday\r\nTo: Ann\r\nSubject: A flag\r\n\r\nDown.\r\n"),
    "a forward from two addresses": (
        "Fwd: A flag", "-- Forwarded message --\r\nFrom: <tom@example.net> <ben@example.com>\r\nSubject: A flag\r\n\r\nDown.\r\n",
    ),
    "a forward of the desk's own mail": (
        "Fwd: A flag", "-- Forwarded message --\r\nFrom: The Post <SUPPORT@example.org>\r\nSubject: A flag\r\n\r\nDown.\r\n",
    ),
    "a forward of a mail from a reply address of ours": (
        "Fwd: A flag", "-- Forwarded message --\r\nFrom: <support+siaq@example.org>\r\nSubject: A flag\r\n\r\nDown.\r\n",
    ),
    "an empty mail": ("Fwd: A flag", ""),
}  # fmt: skip


def test_a_forwarded_mail_is_a_ticket_of_its_writers_without_a_receipt(cast: Cast) -> None:
    came = forward(cast.ann, cast)
    ticket = only_ticket()
    words, note = ticket.messages
    assert ticket.reader is not None
    assert (ticket.reader.address, ticket.reader.name, ticket.subject) == (TOM, "Tom Flag", "A flag")
    assert (words.kind, words.from_address, words.body_text, words.signature, words.body_html) == (
        MessageKind.READER, TOM, "It is upside down.", "--\nTom", None,
    )  # fmt: skip
    assert (note.kind, note.agent, note.body_text) == (MessageKind.NOTE, cast.ann, "Yours, I think.")
    assert [(event.kind.value, event.by_agent, event.data.get("forwarded")) for event in ticket.events] == [
        ("opened", cast.ann, TOM), ("noted", cast.ann, None),
    ]  # fmt: skip
    assert ticket.events[0].sentence == f"forwarded this mail of {TOM}"
    assert outbox() == []
    assert (came.state, came.became_id, came.reason) == (
        InboundState.ACCEPTED, words.id, "Ann Archer forwarded it to the own private address.",
    )  # fmt: skip


def test_the_answer_goes_to_the_writer_and_holds_nothing_of_the_agents_mail(cast: Cast) -> None:
    forward(cast.ann, cast)
    ticket = only_ticket()
    reply(ticket, body="You are right.", by=cast.ann)
    [mail] = outbox()
    assert [row.address for row in mail.recipients] == [TOM]
    assert (mail.subject, mail.context["earlier"]["body"]) == ("Re: A flag", "It is upside down.")
    assert "In-Reply-To" not in mail.headers
    assert [message.body_text for message in public_messages_of(ticket)] == ["It is upside down.", "You are right."]


def test_what_stands_below_a_forwarded_mail_is_kept_for_staff(cast: Cast) -> None:
    forward(cast.ann, cast, body=QUOTED)
    words, note = only_ticket().messages
    assert (words.body_text, note.body_text) == ("Down.", "See.")
    assert "Ann's number is 4711." in (note.quoted_text or "")


def test_a_forward_without_a_word_of_the_agents_says_so(cast: Cast) -> None:
    forward(cast.ann, cast, body=FORWARD.removeprefix("Yours, I think.\r\n\r\n"))
    assert only_ticket().messages[1].body_text == FORWARDED


def test_a_mail_forwarded_as_attachment_is_read_and_its_files_are_for_staff(cast: Cast) -> None:
    inner = f"From: Tom Flag <{TOM}>\r\nTo: ann@example.org\r\nSubject: A flag\r\n\r\nDown.\r\n"
    body = f"--b\r\n\r\nPlease.\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n{inner}\r\n--b--\r\n"
    forward(cast.ann, cast, body=body, headers={"Content-Type": 'multipart/mixed; boundary="b"'})
    words, note = only_ticket().messages
    assert (words.from_address, words.body_text, note.body_text) == (TOM, "Down.", "Please.")
    assert (words.attachments, [files.get(file.storage_key).split() for file in note.attachments]) == (
        [], [inner.encode().split()],
    )  # fmt: skip


@pytest.mark.parametrize("what", UNREADABLE)
def test_what_nobody_can_be_read_as_the_writer_of_is_a_note_in_nobodys_name(cast: Cast, what: str) -> None:
    subject, body = UNREADABLE[what]
    forward(cast.ann, cast, subject=subject, body=body)
    ticket = only_ticket()
    [note] = ticket.messages
    assert (ticket.reader, ticket.subject, ticket.wants_answer, ticket.status) == (None, subject, False, Status.NEW)
    assert (note.kind, note.agent) == (MessageKind.NOTE, cast.ann)
    said = f"{WRITER_UNKNOWN} The mail came from Ann Archer <ann@example.org>.\n\n{body}"
    assert note.body_text.strip() == said.replace("\r\n", "\n").strip()
    assert [(event.kind.value, event.by_agent) for event in ticket.events] == [("opened", cast.ann)]
    assert ticket.events[0].sentence == "forwarded this mail, whose writer could not be read"
    assert (public_messages_of(ticket), outbox()) == ([], [])
    with pytest.raises(Refused):
        reply(ticket, body="You are right.", by=cast.ann)


def test_the_reader_can_be_named_later_and_is_answered_then(cast: Cast) -> None:
    forward(cast.ann, cast, subject="The flag", body="Somebody rang.\r\n")
    ticket = only_ticket()
    name_reader(ticket, address=" Tom@Example.NET ", name="Tom Flag", by=cast.eve)
    assert ticket.reader is not None
    assert (ticket.reader.address, ticket.events[-1].sentence) == (
        "Tom@example.net",
        "named Tom@example.net as the reader",
    )
    assert (event_kinds(ticket), ticket.events[-1].by_agent) == (["opened", "reader_named"], cast.eve)
    reply(ticket, body="You are right.", by=cast.ann)
    assert [row.address for row in outbox()[-1].recipients] == ["Tom@example.net"]
    assert outbox()[-1].context["earlier"] is None
    with pytest.raises(Refused):
        name_reader(ticket, address=TOM, by=cast.eve)


@pytest.mark.parametrize(
    "address", ["", "tom", "tom@example.net, ben@example.com", "tom@example.net\r\nBcc: b@example.com"]
)
def test_class_32_nobody_but_one_address_can_be_named(cast: Cast, address: str) -> None:
    forward(cast.ann, cast, subject="The flag", body="Somebody rang.\r\n")
    with pytest.raises(Invalid):
        name_reader(only_ticket(), address=address, by=cast.eve)
    assert only_ticket().reader is None


@pytest.mark.parametrize(
    "address", ["Support@example.org", "support+x@example.org", "bounce@example.org", "ann@example.org"]
)
def test_class_29_no_address_of_ours_can_be_named(app: Flask, cast: Cast, address: str) -> None:
    app.extensions["settings"] = app.extensions["settings"].model_copy(update={"bounce_address": "bounce@example.org"})
    forward(cast.ann, cast, subject="The flag", body="Somebody rang.\r\n")
    with pytest.raises(Invalid, match="round in circles"):
        name_reader(only_ticket(), address=address, by=cast.eve)
    assert only_ticket().reader is None


def test_a_reply_can_be_taken_back_where_nothing_but_a_note_stands(cast: Cast) -> None:
    forward(cast.ann, cast, subject="The flag", body="Somebody rang.\r\n")
    ticket = only_ticket()
    preview = ticket.preview
    name_reader(ticket, address=TOM, by=cast.ann)
    sent = reply(ticket, body="You are right.", by=cast.ann, undo_seconds=10)
    undo_reply(ticket, message_id=sent.id, by=cast.ann)
    assert (ticket.preview, ticket.message_count, ticket.last_message_kind) == (preview, 1, MessageKind.NOTE)


def test_the_token_decides_and_never_from(cast: Cast) -> None:
    for sender in (ANN, "Ann at home <ann@home.example.com>", "support@example.org", ""):
        forward(cast.ann, cast, from_=sender)
    assert [ticket.events[0].by_agent for ticket in tickets()] == [cast.ann] * 4
    assert {ticket.reader.address for ticket in tickets() if ticket.reader} == {TOM}


def test_a_mail_that_was_passed_on_as_it_is_says_where_it_came_from(cast: Cast) -> None:
    forward(cast.ann, cast, from_=f"Tom Flag <{TOM}>", subject="A flag", body="Down.\r\n")
    forward(cast.ann, cast, from_="", subject="A flag", body="Down.\r\n")
    first, second = tickets()
    assert (first.reader, second.reader) == (None, None)
    assert f"The mail came from Tom Flag <{TOM}>." in first.messages[0].body_text
    assert "The mail came from an address that cannot be read." in second.messages[0].body_text


def test_what_an_agent_forwards_is_never_taken_for_a_machines(cast: Cast) -> None:
    for headers in ({"Auto-Submitted": "auto-generated"}, {"Precedence": "bulk"}, {"X-Autoreply": "yes"}):
        forward(cast.ann, cast, headers=headers)
    forward(cast.ann, cast, subject="Undelivered Mail", from_="MAILER-DAEMON@example.com", envelope_from="")
    assert len(tickets()) == 4


def test_class_29_our_own_mail_that_comes_to_a_private_address_is_ignored(cast: Cast) -> None:
    assert forward(cast.ann, cast, headers={"X-Helpdesk-Loop": "localhost"}).state is InboundState.IGNORED
    assert tickets() == []


def test_a_forwarded_mail_of_a_thread_of_ours_is_a_new_ticket_that_points_to_it(cast: Cast) -> None:
    thread = make_ticket(cast)
    forward(cast.ann, cast, headers={"References": f"<{new_message_id(thread)}>"})
    first, second = tickets()
    assert (len(first.messages), second.events[0].data["maybe"]) == (1, first.number)


def test_a_readers_token_before_a_private_address_decides(cast: Cast) -> None:
    ticket = make_ticket(cast)
    forward(cast.ann, cast, to=f"{reply_address(ticket)}, {forward_address(cast.ann, cast.queue)}", envelope_to=())
    assert (len(tickets()), only_ticket().messages[-1].kind) == (1, MessageKind.READER)


def test_class_15_a_closed_accounts_address_is_as_any(cast: Cast) -> None:
    deactivate(cast.ann)
    forward(cast.ann, cast)
    ticket = only_ticket()
    assert ticket.reader is not None
    assert (ticket.reader.address, ticket.events[0].by_agent) == ("ann@example.org", None)
    assert [message.kind for message in ticket.messages] == [MessageKind.READER]
    reactivate(cast.ann)
    forward(cast.ann, cast, subject="Fwd: Once more")
    assert tickets()[1].events[0].by_agent == cast.ann


def test_class_15_who_no_longer_works_in_a_queue_forwards_nothing_to_it(cast: Cast) -> None:
    address = forward_address(cast.ann, cast.queue)
    change_queues(cast.ann, queues=[])
    forward(cast.ann, cast, to=address)
    forward(cast.sam, cast)
    forward(cast.eve, cast, to=forward_address(cast.eve, cast.legal))
    assert [ticket.events[0].by_agent for ticket in tickets()] == [None] * 3
    change_role(cast.ann, role=Role.EDITOR)
    forward(cast.ann, cast, to=address, subject="Fwd: As an editor")
    assert tickets()[-1].events[0].by_agent == cast.ann


def test_class_17_a_new_key_keeps_private_addresses_until_the_old_key_is_dropped(app: Flask, cast: Cast) -> None:
    address = forward_address(cast.ann, cast.queue)
    tokens.init_app(app, [NEW_SECRET, SECRET])
    assert agent_of_address(address) == agent_of_address(address.upper()) == cast.ann.id
    assert forward_address(cast.ann, cast.queue) != address
    tokens.init_app(app, [NEW_SECRET])
    assert agent_of_address(address) is None
    forward(cast.ann, cast, to=address)
    assert only_ticket().events[0].by_agent is None


def test_class_17_any_flipped_bit_of_a_private_address_is_refused(cast: Cast) -> None:
    token = (split_token(forward_address(cast.ann, cast.queue)) or ("", ""))[1]
    raw = base64.b32decode(token.upper() + "=" * (-len(token) % 8))
    for bit in range(len(raw) * 8):
        forged = bytearray(raw)
        forged[bit // 8] ^= 1 << bit % 8
        text = base64.b32encode(bytes(forged)).decode().rstrip("=").lower()
        assert agent_of_address(f"support+{text}@example.org") is None, bit


def test_a_private_address_is_no_reply_address_and_the_other_way_round(cast: Cast) -> None:
    ticket = make_ticket(cast)
    assert agent_of_address(reply_address(ticket)) is None
    took(letter(to=f"support+{tokens.keyring().issue(tokens.Kind.FORWARD, (999).to_bytes(5))}@example.org"))
    assert [len(one.messages) for one in tickets()] == [1, 1]


def test_each_agent_has_an_address_for_each_queue_he_works_in(cast: Cast) -> None:
    shown = {
        agent.first_name: [queue.name for queue, _ in forward_addresses(agent)]
        for agent in (cast.ann, cast.eve, cast.carla, cast.sam)
    }
    assert shown == {"Ann": ["Readers"], "Eve": ["Readers"], "Carla": ["Legal", "Readers"], "Sam": []}
    addresses = [forward_address(agent, cast.queue) for agent in (cast.ann, cast.eve, cast.carla)]
    assert len(set(addresses)) == 3
    assert {len(address.partition("@")[0]) <= 64 for address in addresses} == {True}


def test_the_account_shows_the_own_address_and_nobody_elses(
    cast: Cast, sign_in: Callable[[Agent], FlaskClient]
) -> None:
    page = sign_in(cast.ann).get("/desk/account").text
    assert forward_address(cast.ann, cast.queue) in page
    assert forward_address(cast.eve, cast.queue) not in page
    assert "Where you forward mail to" not in sign_in(cast.sam).get("/desk/account").text


def test_the_signature_of_what_became_a_note_is_folded_below_it(
    cast: Cast, sign_in: Callable[[Agent], FlaskClient]
) -> None:
    cast.queue.signature = "The Tidewater Post"
    db.session.commit()
    forward(cast.ann, cast, subject="The flag", body="Somebody rang.\r\n\r\n-- \r\nAnn Archer, extension 12\r\n")
    add_note(only_ticket(), body="Who was it?", by=cast.ann)
    page = sign_in(cast.ann).get(f"/desk/tickets/{only_ticket().number}").text
    assert text_of(page, "article details.fold") == ["Signature -- Ann Archer, extension 12"]


def test_without_plus_addressing_no_private_address_is_offered(
    app: Flask, cast: Cast, sign_in: Callable[[Agent], FlaskClient]
) -> None:
    app.extensions["settings"] = app.extensions["settings"].model_copy(update={"plus_addressing": False})
    assert "Where you forward mail to" not in sign_in(cast.ann).get("/desk/account").text


def test_the_reader_is_named_on_the_tickets_page(cast: Cast, sign_in: Callable[[Agent], FlaskClient]) -> None:
    forward(cast.ann, cast, subject="The flag", body="Somebody rang.\r\n")
    number = only_ticket().number
    browser = sign_in(cast.ann)
    page = browser.get(f"/desk/tickets/{number}").text
    assert f"/desk/tickets/{number}/name" in page
    form = {"csrf_token": token_in(page), "address": "nobody"}
    refused = browser.post(f"/desk/tickets/{number}/name", data=form)
    assert (refused.status_code, "Enter an email address like name@example.org" in refused.text) == (422, True)
    named = browser.post(f"/desk/tickets/{number}/name", data=form | {"address": TOM, "name": "Tom Flag"})
    assert named.status_code == 303
    page = browser.get(f"/desk/tickets/{number}").text
    assert ("Tom Flag" in page, f"named {TOM} as the reader" in page, "/name" in page) == (True, True, False)


def test_a_forwarded_ticket_is_shown_with_who_forwarded_it(cast: Cast, sign_in: Callable[[Agent], FlaskClient]) -> None:
    forward(cast.ann, cast)
    ticket = only_ticket()
    reply(ticket, body="You are right.", by=cast.ann, then=Then.CLOSE)
    page = sign_in(cast.eve).get(f"/desk/tickets/{ticket.number}").text
    assert f"<b>Ann Archer</b> forwarded this mail of {TOM}" in page


def test_inspect_says_whose_private_address_it_was(app: Flask, cast: Cast) -> None:
    report = report_of(letter(to=forward_address(cast.ann, cast.queue), body=FORWARD), app)
    assert (report["thread_key"], report["thread_why"]) == (
        None, "it was sent to the private address of Ann Archer: a ticket of whoever wrote what it forwards",
    )  # fmt: skip


def test_inspect_takes_our_own_address_for_a_loop_only_without_a_token(app: Flask, cast: Cast) -> None:
    reader = make_ticket(cast)
    for to, from_, kind in (
        ("support@example.org", "support@example.org", "loop"),
        (reply_address(reader), "support@example.org", "welcome"),
        (forward_address(cast.ann, cast.queue), "support@example.org", "welcome"),
        ("support@example.org", reply_address(reader), "loop"),
    ):
        assert report_of(letter(to=to, from_=from_), app)["verdict"] == kind, (to, from_)


# The rest prepares.


def forward(agent: Agent, cast: Cast, *, envelope_from: str | None = None, **fields: object) -> InboundEmail:
    """The agent forwards Tom's mail to the private address for readers' mail, unless told otherwise."""
    to = str(fields.pop("to", forward_address(agent, cast.queue)))
    envelope_to = fields.pop("envelope_to", (to,))
    said = {"from_": ANN, "subject": "Fwd: A flag", "body": FORWARD} | fields
    return took(letter(to=to, **said), envelope_from=envelope_from, envelope_to=envelope_to)  # type: ignore[arg-type]


def took(raw: bytes, *, envelope_from: str | None = None, envelope_to: tuple[str, ...] = ()) -> InboundEmail:
    """Receive and process one mail."""
    email_id = receive(raw, envelope_from=envelope_from, envelope_to=envelope_to).id
    process(email_id)
    return db.session.get_one(InboundEmail, email_id)


def tickets() -> list[Ticket]:
    db.session.rollback()
    return list(db.session.scalars(select(Ticket).order_by(Ticket.id)))


def only_ticket() -> Ticket:
    [ticket] = tickets()
    return ticket
