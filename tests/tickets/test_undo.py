"""Taking back a reply: all is as before, unless it has left."""

from datetime import timedelta

import pytest

from helpdesk import clock, uploads
from helpdesk.database import db
from helpdesk.errors import Conflict
from helpdesk.outbound.models import Release
from helpdesk.tickets.drafts import DraftKind
from helpdesk.tickets.models import Resolution, Status, Then
from helpdesk.tickets.operations import follow_up
from helpdesk.tickets.queries import public_messages_of
from helpdesk.tickets.replying import reply
from helpdesk.tickets.search import matching_tickets
from helpdesk.tickets.triage import close
from helpdesk.tickets.undo import undo_reply
from helpdesk.tickets.uploads import save_draft
from helpdesk.tickets.words import Wanted
from tests.cast import Cast
from tests.factories import event_kinds, follow_up_letter, make_ticket, outbox

COLUMNS = (
    "status", "resolution", "assignee_id", "waiting_since", "closed_at", "sort_at", "preview", "message_count",
    "last_message_at", "last_message_kind", "first_replied_at",
)  # fmt: skip


@pytest.mark.parametrize("then", list(Then))
@pytest.mark.parametrize("was_closed", [False, True])
def test_undo_makes_the_ticket_what_it_was(cast: Cast, then: Then, was_closed: bool) -> None:
    with clock.at(clock.now() - timedelta(hours=1)):
        ticket = make_ticket(cast)
        if was_closed:
            close(ticket, resolution=Resolution.NO_ACTION, by=cast.eve)
    before = {name: getattr(ticket, name) for name in COLUMNS}
    message = reply(ticket, body="Too early", by=cast.ann, then=then, undo_seconds=10)
    undo_reply(ticket, message_id=message.id, by=cast.ann)
    db.session.expire_all()
    assert {name: getattr(ticket, name) for name in COLUMNS} == before
    assert len(ticket.messages) == 1
    assert event_kinds(ticket)[-1] == "reply_undone"
    assert outbox()[-1].release is Release.CANCELLED
    assert outbox()[-1].recipients == []


def test_undo_puts_text_and_files_back_into_the_draft(cast: Cast) -> None:
    ticket = make_ticket(cast)
    message = reply(
        ticket, body="Too early", by=cast.ann, undo_seconds=10, files=(uploads.store("plaque.txt", b"1932"),)
    )
    save_draft(ticket, kind=DraftKind.REPLY, body="And another thing", by=cast.ann)
    draft = undo_reply(ticket, message_id=message.id, by=cast.ann)
    assert draft.body == "Too early\n\nAnd another thing"
    assert [file.name for file in draft.attachments] == ["plaque.txt"]


def test_what_was_taken_back_is_found_no_more(cast: Cast) -> None:
    ticket = make_ticket(cast)
    message = reply(ticket, body="Xylophone", by=cast.ann, undo_seconds=10)
    wanted = [Wanted(("xylophone",))]
    assert matching_tickets(wanted, most=5, within=type(ticket).id > 0) == [(ticket.id, message.id)]
    undo_reply(ticket, message_id=message.id, by=cast.ann)
    assert matching_tickets(wanted, most=5, within=type(ticket).id > 0) == []


def test_the_reader_sees_a_reply_only_when_it_cannot_be_taken_back(cast: Cast) -> None:
    ticket = make_ticket(cast)
    reply(ticket, body="You are right", by=cast.ann, undo_seconds=10)
    assert len(public_messages_of(ticket)) == 1
    reply(ticket, body="You are right", by=cast.ann)
    assert len(public_messages_of(ticket)) == 2


def test_what_the_reader_wrote_meanwhile_still_waits(cast: Cast) -> None:
    ticket = make_ticket(cast)
    message = reply(ticket, body="Too early", by=cast.ann, then=Then.CLOSE, undo_seconds=10)
    follow_up(ticket, letter=follow_up_letter())
    undo_reply(ticket, message_id=message.id, by=cast.ann)
    assert ticket.status is Status.OPEN
    assert ticket.waiting_since is not None
    assert (ticket.message_count, ticket.preview) == (2, follow_up_letter().body_text)


def test_nobody_takes_back_what_somebody_else_wrote(cast: Cast) -> None:
    ticket = make_ticket(cast)
    message = reply(ticket, body="You are right", by=cast.ann, undo_seconds=10)
    with pytest.raises(Conflict):
        undo_reply(ticket, message_id=message.id, by=cast.eve)
    assert outbox()[-1].release is Release.HELD


def test_a_reply_is_taken_back_once(cast: Cast) -> None:
    ticket = make_ticket(cast)
    message_id = reply(ticket, body="Too early", by=cast.ann, undo_seconds=10).id
    undo_reply(ticket, message_id=message_id, by=cast.ann)
    with pytest.raises(Conflict):
        undo_reply(ticket, message_id=message_id, by=cast.ann)
