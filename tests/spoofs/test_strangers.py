"""Whoever has a thread's address without being its reader: what he writes is kept and flagged, and goes no further."""

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from helpdesk import clock, tokens
from helpdesk.database import db
from helpdesk.desk.people import people_on
from helpdesk.errors import Invalid
from helpdesk.sites.operations import add_queue
from helpdesk.tickets.links import new_message_id, reply_address, status_path, ticket_of_address, ticket_of_message_id
from helpdesk.tickets.messages import Message, MessageKind
from helpdesk.tickets.models import Status, Then, Ticket
from helpdesk.tickets.queries import public_messages_of
from helpdesk.tickets.replying import reply
from helpdesk.tokens import Kind
from tests.cast import RUTH, Cast
from tests.conftest import SECRET
from tests.factories import make_ticket, outbox
from tests.letters import letter
from tests.spoofs.conftest import Door, take_in
from tests.spoofs.spoof import MALLORY

NEW_SECRET = "a newer secret of this desk, 32 characters or more"
SECRET_OF_A_THIRD = "Your code for example.com is 4711."


def test_class_14_what_a_third_party_sends_to_a_threads_address_is_for_staff_alone(
    door: Door, cast: Cast, client: FlaskClient
) -> None:
    ticket = make_ticket(cast, address=MALLORY, name="Mallory")
    came(door, body=SECRET_OF_A_THIRD, from_="no-reply@bank.example.com", to=reply_address(ticket))
    message = reply(again(ticket), body="What is this?", by=cast.ann)
    assert stranger_in(ticket).body_text == SECRET_OF_A_THIRD
    assert SECRET_OF_A_THIRD not in client.get(status_path(ticket)).text
    mail = outbox()[-1]
    assert (message.recipients, mail.context["earlier"]["body"]) == ([MALLORY], ticket.messages[0].body_text)
    assert (mail.headers.get("References", ""), mail.headers.get("In-Reply-To")) == ("", None)


def test_class_14_a_file_of_a_stranger_is_for_staff_alone(door: Door, cast: Cast, client: FlaskClient) -> None:
    ticket = make_ticket(cast)
    part = 'Content-Disposition: attachment; filename="plan.txt"\r\nContent-Type: text/plain\r\n\r\nA plan\r\n'
    mixed = {"Content-Type": 'multipart/mixed; boundary="b"'}
    came(door, body=f"--b\r\n\r\nHere.\r\n--b\r\n{part}--b--\r\n", headers=mixed, to=reply_address(ticket))
    [file] = stranger_in(ticket).attachments
    assert client.get(f"{status_path(ticket)}/files/{file.id}/plan.txt").status_code == 404


def test_class_19_a_stranger_is_flagged_and_the_reader_keeps_being_answered(door: Door, cast: Cast) -> None:
    ticket = make_ticket(cast)
    reply(ticket, body="Which bridge?", by=cast.ann, then=Then.WAIT)
    came(door, body="I am Ruth, really.", to=reply_address(ticket), headers={"Reply-To": MALLORY, "Cc": MALLORY})
    ticket = again(ticket)
    assert ticket.status is Status.OPEN
    assert people_on(ticket.messages, ticket, own=()).unproven == {stranger_in(ticket).id}
    reply(ticket, body="The new one?", by=cast.ann)
    assert {row.address for mail in outbox() for row in mail.recipients} == {RUTH}
    assert outbox()[-1].context["earlier"]["body"] == "Which bridge?"


@pytest.mark.parametrize("sender", ["", "<a@example.com> <b@example.com>", "undisclosed:;"])
def test_class_22_a_mail_with_the_token_and_without_a_sender_is_not_the_readers(
    door: Door, cast: Cast, sender: str
) -> None:
    ticket = make_ticket(cast)
    came(door, body="I am Ruth.", from_=sender, to=reply_address(ticket))
    ticket, message = again(ticket), stranger_in(ticket)
    assert (message.reader, message.from_name, message.from_address, message.verified) == (None, "", "", False)
    assert (message.author, people_on(ticket.messages, ticket, own=()).unproven) == ("Anonymous", {message.id})
    assert message not in public_messages_of(ticket)


def test_the_readers_own_words_are_shown_and_quoted_to_the_reader(door: Door, cast: Cast) -> None:
    ticket = make_ticket(cast)
    came(door, body="And the plaque.", from_=f"Ruth <{RUTH.upper()}>", to=reply_address(ticket))
    ticket = again(ticket)
    assert [message.body_text for message in public_messages_of(ticket)][-1] == "And the plaque."
    reply(ticket, body="You are right.", by=cast.ann)
    assert outbox()[-1].context["earlier"]["body"] == "And the plaque."


def test_a_reply_that_would_cross_with_a_strangers_mail_is_still_held(door: Door, cast: Cast) -> None:
    from helpdesk.errors import Conflict

    ticket = make_ticket(cast)
    seen = ticket.messages[-1].id
    came(door, body="Wait!", to=reply_address(ticket))
    with pytest.raises(Conflict):
        reply(again(ticket), body="You are right.", by=cast.ann, seen=seen)


def test_the_solo_owner_tests_with_his_own_address(door: Door, cast: Cast) -> None:
    ticket = make_ticket(cast, address="ann@example.org", name="Ann")
    came(door, body="It works.", from_="Ann Archer <ann@example.org>", to=reply_address(ticket))
    message = again(ticket).messages[-1]
    assert (message.kind, message.verified, message.agent) == (MessageKind.READER, True, None)


def test_class_19_a_stranger_who_continues_an_old_ticket_learns_nothing_of_it(
    door: Door, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = closed_long_ago(cast, monkeypatch)
    came(door, body="Once more, please.", to=reply_address(ticket))
    opened = tickets()[1]
    assert (opened.continues, opened.subject, opened.article) == (ticket, "Once more, please.", None)
    reply(opened, body="What do you mean?", by=cast.ann)
    mail = outbox()[-1]
    assert [row.address for row in mail.recipients] == [MALLORY]
    assert (mail.subject, mail.context["article"]) == ("Re: Once more, please.", None)


def test_class_13_the_readers_words_never_land_in_the_ticket_a_stranger_began(
    door: Door, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = closed_long_ago(cast, monkeypatch)
    came(door, body="Once more, please.", to=reply_address(ticket))
    came(door, body="It is me, in confidence.", from_=f"Ruth Reed <{RUTH}>", to=reply_address(ticket))
    came(door, body="And this.", from_=f"Ruth Reed <{RUTH}>", to=reply_address(ticket))
    said = [[message.body_text for message in one.messages] for one in tickets()[1:]]
    assert said == [["Once more, please."], ["It is me, in confidence.", "And this."]]
    assert [one.reader.address for one in tickets()[1:] if one.reader] == [MALLORY, RUTH]


def test_a_token_of_a_ticket_that_is_gone_opens_a_new_one(door: Door, cast: Cast) -> None:
    ticket = make_ticket(cast)
    address, other = reply_address(ticket), make_ticket(cast, body="Another matter")
    db.session.delete(again(ticket))
    db.session.commit()
    came(door, to=address)
    came(door, from_="support@example.org", to=address)
    assert [one.reader.address for one in tickets() if one.reader] == [other.reader.address, MALLORY]  # type: ignore[union-attr]


def test_class_52_a_link_that_was_revoked_is_no_way_in_by_mail_either(door: Door, cast: Cast) -> None:
    ticket = make_ticket(cast)
    stale = status_path(ticket).rpartition("/")[2]
    ticket.link_version += 1
    db.session.commit()
    for token in (stale, status_path(ticket).rpartition("/")[2]):
        came(door, to=f"support+{token}@example.org", headers={"In-Reply-To": f"<{token}@example.org>"})
    assert [len(one.messages) for one in tickets()] == [1, 1, 1]


def test_a_number_in_the_subject_is_a_hint_for_staff_and_no_more(door: Door, cast: Cast) -> None:
    ticket = make_ticket(cast)
    came(door, subject=f"Re: [#{ticket.number}] The bridge", from_=RUTH)
    first, second = tickets()
    assert (len(first.messages), second.events[0].data["maybe"]) == (1, ticket.number)
    assert f"#{ticket.number}" not in "".join(mail.subject for mail in outbox()[1:])


def test_class_17_keys_rotate_and_old_links_addresses_and_ids_last_as_long_as_their_key(
    app: Flask, cast: Cast, client: FlaskClient
) -> None:
    ticket = make_ticket(cast)
    address, issued, link = reply_address(ticket), new_message_id(ticket), status_path(ticket)
    for keys, works in (
        ([SECRET], True),
        ([NEW_SECRET, SECRET], True),
        ([SECRET, NEW_SECRET], True),
        ([NEW_SECRET], False),
    ):
        tokens.init_app(app, keys)
        found = (ticket_of_address(address), ticket_of_message_id(issued), client.get(link).status_code)
        assert found == ((ticket.id, ticket.id, 200) if works else (None, None, 404)), keys
    assert ticket_of_address(reply_address(ticket)) == ticket_of_message_id(new_message_id(ticket)) == ticket.id


def test_class_17_every_token_carries_a_key_id_its_kind_and_128_bits_of_mac(cast: Cast) -> None:
    ring = tokens.keyring()
    for kind in Kind:
        raw = tokens._decode(ring.issue(kind, b"12345"))
        assert raw is not None
        assert (raw[0], raw[1], len(raw) - len(b"12345") - 2) == (tokens._key_id(ring.keys[0]), kind, 128 // 8)
        assert [other for other in Kind if ring.read(other, ring.issue(kind, b"12345")) is not None] == [kind]


def test_an_intake_address_with_a_plus_of_its_own_takes_answers(door: Door, cast: Cast) -> None:
    queue = add_queue(cast.site, name="Plus", intake_address="me+desk@example.org", sender_name="Me")
    came(door, to="me+desk@example.org")
    ticket = tickets()[0]
    assert ticket.queue is queue
    came(door, body="More.", to=reply_address(ticket).upper())
    assert [message.body_text for message in tickets()[0].messages] == ["Hello", "More."]


def test_an_intake_address_leaves_room_for_the_token(cast: Cast) -> None:
    queue = add_queue(cast.site, name="Long", intake_address=f"{'x' * 26}@example.org", sender_name="Long")
    ticket = Ticket(id=2**40 - 1, queue=queue)
    assert len(reply_address(ticket).partition("@")[0]) == 64
    with pytest.raises(Invalid, match="at most 26 letters"):
        add_queue(cast.site, name="Longer", intake_address=f"{'x' * 27}@example.org", sender_name="Longer")


# The rest prepares.


def came(
    door: Door,
    *,
    body: str = "Hello",
    from_: str = f"Mallory <{MALLORY}>",
    to: str = "support@example.org",
    **fields: object,
) -> None:
    """A mail of a stranger's, through the door."""
    door.hand_over(letter(body=body, from_=from_, to=to, **fields), sender=MALLORY, to=(to,))  # type: ignore[arg-type]
    take_in()


def closed_long_ago(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Ticket:
    ticket = make_ticket(cast, subject="The harbour file")
    reply(ticket, body="You are right.", by=cast.ann, then=Then.CLOSE)
    later = clock.now() + timedelta(days=31)
    monkeypatch.setattr(clock, "now", lambda: later)
    return ticket


def again(ticket: Ticket) -> Ticket:
    db.session.rollback()
    return db.session.get_one(Ticket, ticket.id)


def stranger_in(ticket: Ticket) -> Message:
    """The last message that no reader of the ticket is known to have written."""
    return [message for message in again(ticket).messages if not message.verified][-1]


def tickets() -> list[Ticket]:
    db.session.rollback()
    return list(db.session.query(Ticket).order_by(Ticket.id))
