"""Participants: who besides the reader gets our replies, because an agent said so, and what they never get."""

import re
import threading
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select

from helpdesk import clock
from helpdesk.agents.models import Agent
from helpdesk.database import db
from helpdesk.errors import HelpdeskError, Invalid, Refused
from helpdesk.outbound.letters import letter_of
from helpdesk.outbound.models import DeliveryState
from helpdesk.outbound.rendering import html_for, text_for
from helpdesk.readers.operations import recognise
from helpdesk.sites.operations import add_queue
from helpdesk.tickets.delivery import deliver_due, record_bounce, retry_delivery
from helpdesk.tickets.links import reply_address, status_path
from helpdesk.tickets.models import Resolution, Status, Then, Ticket
from helpdesk.tickets.operations import follow_up
from helpdesk.tickets.participants import Participant, copies_of
from helpdesk.tickets.participation import MOST_PARTICIPANTS, add_participant, remove_participant
from helpdesk.tickets.replying import reply
from helpdesk.tickets.triage import close
from helpdesk.tickets.undo import undo_reply
from tests.cast import RUTH, Cast
from tests.factories import event_kinds, follow_up_letter, make_ticket, outbox
from tests.letters import states, use_server
from tests.servers.smtp import SmtpServer

TOM, UMA = "tom@example.com", "uma@example.net"


def test_a_participant_gets_a_copy_of_each_reply_from_then_on(app: Flask, cast: Cast, smtp: SmtpServer) -> None:
    use_server(app, smtp)
    ticket = make_ticket(cast, wants_answer=False)
    reply(ticket, body="Only for Ruth.", by=cast.ann)
    add_participant(ticket, address="Tom@Example.COM", by=cast.ann)
    add_participant(ticket, address=UMA, by=cast.ann)
    message = reply(ticket, body="For the three of you.", by=cast.ann)
    assert message.recipients == [RUTH, TOM, UMA]
    assert (event_kinds(ticket)[-3:], ticket.events[-3].data) == (
        ["participant_added", "participant_added", "replied"],
        {"address": TOM},
    )
    deliver_due("one")
    assert [mail.recipients for mail in smtp.mails] == [(RUTH,), (RUTH,), (TOM,), (UMA,)]
    seen = {(mail.parsed["To"], mail.parsed["Cc"], mail.parsed["Message-ID"]) for mail in smtp.mails[1:]}
    assert seen == {(RUTH, f"{TOM}, {UMA}", f"<{message.message_id}>")}
    assert {mail.parsed["Reply-To"] for mail in smtp.mails} == {reply_address(ticket)}


def test_a_copy_to_an_address_beyond_ascii_costs_nobody_else_the_reply(
    app: Flask, cast: Cast, smtp: SmtpServer, start_smtp_server: Callable[..., SmtpServer]
) -> None:
    without_utf8 = start_smtp_server(has_utf8=False)
    use_server(app, without_utf8)
    ticket = joined(cast, wants_answer=False)
    add_participant(ticket, address="zoë@example.com", by=cast.ann)
    reply(ticket, body="You are right.", by=cast.ann, then=Then.CLOSE)
    deliver_due("one")
    assert [(mail.recipients, mail.parsed["Cc"]) for mail in without_utf8.mails] == [((RUTH,), TOM), ((TOM,), TOM)]
    assert [state for _, state in states()] == [DeliveryState.SENT, DeliveryState.SENT, DeliveryState.FAILED]
    assert ticket.status is Status.CLOSED
    use_server(app, smtp)
    retry_delivery(outbox()[-1].recipients[-1], by=cast.ann)
    deliver_due("one")
    assert smtp.mails[-1].parsed["Cc"] == f"{TOM}, zoë@example.com"


def test_a_copy_that_cannot_be_sent_is_named_to_nobody(cast: Cast) -> None:
    ticket = joined(cast)
    mail = reply(ticket, body="You are right.", by=cast.ann).outbound_email
    assert mail is not None
    mail.recipients[-1].address = "tom <tom@example.com>"
    assert letter_of(mail.recipients[0]).cc == []
    with pytest.raises(Invalid):
        letter_of(mail.recipients[-1])


def test_a_participant_who_is_removed_gets_no_more(cast: Cast) -> None:
    ticket = joined(cast)
    remove_participant(ticket, address=TOM.upper(), by=cast.eve)
    remove_participant(ticket, address=TOM, by=cast.eve)
    assert reply(ticket, body="Only for Ruth.", by=cast.ann).recipients == [RUTH]
    assert event_kinds(ticket)[1:3] == ["participant_added", "participant_removed"]
    assert ticket.events[2].sentence == f"removed {TOM}, who gets no more replies"


def test_a_participant_who_is_removed_gets_no_copy_that_has_not_left(app: Flask, cast: Cast, smtp: SmtpServer) -> None:
    use_server(app, smtp)
    ticket = joined(cast)
    add_participant(ticket, address=UMA, by=cast.ann)
    reply(ticket, body="For the three of you.", by=cast.ann)
    remove_participant(ticket, address=TOM, by=cast.ann)
    db.session.expire_all()
    deliver_due("one")
    assert {mail.recipients for mail in smtp.mails} == {(RUTH,), (UMA,)}
    assert {mail.parsed["Cc"] for mail in smtp.mails} == {None, UMA}


def test_nobody_is_added_twice(cast: Cast) -> None:
    ticket = joined(cast)
    assert add_participant(ticket, address="TOM@example.com", by=cast.eve) == TOM
    assert ([one.address for one in ticket.participants], event_kinds(ticket)) == (
        [TOM],
        ["opened", "participant_added"],
    )


def test_two_who_add_the_same_address_at_once_add_it_once(app: Flask, cast: Cast) -> None:
    ticket_id, ann_id = make_ticket(cast).id, cast.ann.id
    db.session.rollback()
    begin = threading.Barrier(4)

    def add() -> None:
        with app.app_context():
            ticket, ann = db.session.get_one(Ticket, ticket_id), db.session.get_one(Agent, ann_id)
            begin.wait()
            add_participant(ticket, address=TOM, by=ann)

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ticket = db.session.get_one(Ticket, ticket_id)
    assert ([one.address for one in ticket.participants], event_kinds(ticket)) == (
        [TOM],
        ["opened", "participant_added"],
    )


def test_what_becomes_of_each_copy_is_told_apart_and_only_the_readers_brings_the_ticket_back(
    app: Flask, cast: Cast, smtp: SmtpServer
) -> None:
    use_server(app, smtp)
    ticket = joined(cast)
    reply(ticket, body="You are right.", by=cast.ann, then=Then.CLOSE)
    deliver_due("one")
    record_bounce(outbox()[-1], address=TOM.upper(), reason="the mailbox is full")
    assert [state for _, state in states()][-2:] == [DeliveryState.SENT, DeliveryState.BOUNCED]
    assert (ticket.status, event_kinds(ticket)[-1], ticket.events[-1].data["address"]) == (
        Status.CLOSED, "bounced", TOM,
    )  # fmt: skip
    record_bounce(outbox()[-1], address=RUTH, reason="the mailbox is full")
    assert (ticket.status, ticket.events[-1].data["address"]) == (Status.OPEN, RUTH)


def test_a_participants_answer_is_theirs_and_verified(cast: Cast) -> None:
    ticket = joined(cast)
    reply(ticket, body="Which bridge?", by=cast.ann, then=Then.WAIT)
    message = follow_up(
        ticket, letter=follow_up_letter("The new one.", from_address="TOM@example.com", from_name="Tom")
    )
    assert (message.verified, message.author, ticket.status) == (True, "Tom", Status.OPEN)
    assert ticket.reader is not None
    assert (ticket.reader.address, message.reader is ticket.reader) == (RUTH, False)
    remove_participant(ticket, address=TOM, by=cast.ann)
    again = follow_up(ticket, letter=follow_up_letter("And another thing.", from_address=TOM))
    assert again.verified is False


def test_class_13_a_copy_never_holds_the_readers_private_link(app: Flask, cast: Cast, smtp: SmtpServer) -> None:
    use_server(app, smtp)
    ticket = joined(cast, wants_answer=False)
    link = f"http://localhost{status_path(ticket)}"
    follow_up(ticket, letter=follow_up_letter(f"You told me to look at {link}, or\n{link.upper()}/thanks"))
    reply(ticket, body=f"Yes: {link}", by=cast.ann)
    deliver_due("one")
    to_ruth, to_tom = [mail.raw.replace(b"=\r\n", b"").decode().lower() for mail in smtp.mails[:2]]
    token = link.rpartition("/")[2]
    assert (to_ruth.count(token), to_tom.count(token)) == (8, 0)
    ours = outbox()[-1].recipients
    assert [token in text_for(one).lower() + html_for(one).lower() for one in ours] == [True, False]
    assert "http://localhost/ticket/…" in text_for(ours[1])


@pytest.mark.parametrize(
    "wrapped",
    [
        "https://links.example.com/?url=http%3A%2F%2Flocalhost%2Fticket%2F{head}{tail}&data=05",
        "https://links.example.com/v3/_http_2Flocalhost_2Fticket_2F{head}{tail}2", "{head}{tail}{head}{tail}",
        "http://localhost/ticket/{head}\n{tail}", "http://localhost/ticket/{head}=\r\n> > {tail}",
        "{head}{head}{tail}", "a{head}\u200b{tail}b",
    ],
)  # fmt: skip
def test_class_13_a_copy_never_holds_the_private_link_however_a_program_wrapped_it(cast: Cast, wrapped: str) -> None:
    ticket = joined(cast)
    token = status_path(ticket).rpartition("/")[2]
    follow_up(ticket, letter=follow_up_letter(wrapped.format(head=token[:19], tail=token[19:])))
    reply(ticket, body="Thank you.", by=cast.ann)
    for form in (text_for, html_for):
        to_ruth, to_tom = (re.sub(r"<[^>]*>|&gt;|[^a-z2-7]", "", form(one)) for one in outbox()[-1].recipients)
        assert (token in to_ruth, token in to_tom) == (True, False)


def test_class_13_only_the_reader_gets_the_receipt_and_its_link(cast: Cast) -> None:
    joined(cast)
    [receipt] = outbox()
    assert [one.address for one in receipt.recipients] == [RUTH]


def test_a_nameless_message_is_not_quoted_as_everybodys_own(cast: Cast) -> None:
    ticket = joined(cast, name="")
    reply(ticket, body="Thank you.", by=cast.ann)
    assert "somebody wrote:" in text_for(outbox()[-1].recipients[0])


@pytest.mark.parametrize(
    ("address", "error", "words"),
    [
        ("no address", Invalid, "Enter an email address like name@example.org"),
        ("", Invalid, "Enter an email address like name@example.org"),
        ("a@example.com, b@example.com", Invalid, "Enter an email address like name@example.org"),
        ("a@example.com\r\nBcc: b@example.com", Invalid, "Enter an email address like name@example.org"),
        (RUTH.upper(), Invalid, "the reader's own address"),
        ("ann@example.org", Invalid, "belongs to this desk or its staff"),
        ("Ann+desk@example.org", Invalid, "belongs to this desk or its staff"),
        ("SUPPORT@example.org", Invalid, "belongs to this desk or its staff"),
        ("legal@example.org", Invalid, "belongs to this desk or its staff"),
        ("support+token@example.org", Invalid, "belongs to this desk or its staff"),
        ("me+desk@example.org", Invalid, "belongs to this desk or its staff"),
        ("Me+desk+token@example.org", Invalid, "belongs to this desk or its staff"),
        ("desk@example.org", Invalid, "belongs to this desk or its staff"),
        ("blocked@example.com", Refused, "belongs to a reader who is blocked"),
    ],
)
def test_an_address_that_cannot_get_copies_is_refused_with_a_sentence(
    cast: Cast, address: str, error: type[HelpdeskError], words: str
) -> None:
    add_queue(cast.site, name="Plus", intake_address="me+desk@example.org", sender_name="Me")
    recognise("blocked@example.com").blocked_at = clock.now()
    db.session.commit()
    ticket = make_ticket(cast)
    with pytest.raises(error, match=re.escape(words)):
        add_participant(ticket, address=address, by=cast.ann)
    assert (copies_of(ticket), event_kinds(ticket)) == ([], ["opened"])


def test_class_29_the_bounce_address_cannot_get_copies(app: Flask, cast: Cast) -> None:
    settings = app.extensions["settings"].model_copy(update={"bounce_address": "bounce@example.org"})
    app.extensions["settings"] = settings
    with pytest.raises(Invalid, match="round in circles"):
        add_participant(make_ticket(cast), address="bounce+x@example.org", by=cast.ann)


def test_whoever_is_blocked_later_gets_no_more_copies_and_is_heard_again_when_unblocked(cast: Cast) -> None:
    ticket = joined(cast)
    tom = recognise(TOM)
    tom.blocked_at = clock.now()
    db.session.commit()
    assert reply(ticket, body="Only for Ruth.", by=cast.ann).recipients == [RUTH]
    tom.blocked_at = None
    db.session.commit()
    assert reply(ticket, body="For both.", by=cast.ann).recipients == [RUTH, TOM]


def test_whoever_becomes_the_reader_himself_gets_one_mail(cast: Cast) -> None:
    ticket = joined(cast)
    ticket.reader = recognise(TOM)
    db.session.commit()
    assert reply(ticket, body="For Tom.", by=cast.ann).recipients == [TOM]


def test_a_ticket_without_a_reader_has_no_replies_to_copy(cast: Cast) -> None:
    with pytest.raises(Refused, match="left no address"):
        add_participant(make_ticket(cast, address=""), address=TOM, by=cast.ann)


def test_there_is_a_most(cast: Cast) -> None:
    ticket = make_ticket(cast)
    for number in range(MOST_PARTICIPANTS):
        add_participant(ticket, address=f"friend{number}@example.com", by=cast.ann)
    with pytest.raises(Refused, match="Remove somebody first"):
        add_participant(ticket, address=TOM, by=cast.ann)


def test_a_reply_is_not_sent_to_others_than_its_writer_saw(cast: Cast) -> None:
    ticket, sent = joined(cast), len(outbox())
    for seen in ([], [UMA], [TOM, UMA]):
        with pytest.raises(Invalid, match="Who gets a copy changed"):
            reply(ticket, body="For whom?", by=cast.ann, copies=seen)
    assert len(outbox()) == sent
    assert reply(ticket, body="For Tom too.", by=cast.ann, copies=[TOM]).recipients == [RUTH, TOM]


def test_an_undone_reply_takes_its_copies_back(cast: Cast) -> None:
    ticket = joined(cast)
    message = reply(ticket, body="Too soon.", by=cast.ann, undo_seconds=30)
    undo_reply(ticket, message_id=message.id, by=cast.ann)
    assert (outbox()[-1].recipients, [one.address for one in ticket.participants]) == ([], [TOM])


def test_a_participant_wakes_a_closed_ticket(cast: Cast) -> None:
    ticket = joined(cast)
    close(ticket, resolution=Resolution.ANSWERED, by=cast.ann)
    follow_up(ticket, letter=follow_up_letter("No, it is not.", from_address=TOM))
    assert (ticket.status, event_kinds(ticket)[-1]) == (Status.OPEN, "reopened")


def test_a_blocked_participant_wakes_nobody(cast: Cast) -> None:
    ticket = joined(cast)
    close(ticket, resolution=Resolution.ANSWERED, by=cast.ann)
    recognise(TOM).blocked_at = clock.now()
    db.session.commit()
    follow_up(ticket, letter=follow_up_letter("No, it is not.", from_address=TOM))
    assert (ticket.status, ticket.resolution) == (Status.CLOSED, Resolution.ANSWERED)


def test_participants_go_with_their_ticket(cast: Cast) -> None:
    db.session.delete(joined(cast))
    db.session.commit()
    assert db.session.scalars(select(Participant)).all() == []


def joined(cast: Cast, **fields: object) -> Ticket:
    """Ruth's ticket, of which Tom gets copies."""
    ticket = make_ticket(cast, **fields)  # type: ignore[arg-type]
    add_participant(ticket, address=TOM, by=cast.ann)
    return ticket
