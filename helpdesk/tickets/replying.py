"""What staff write: a reply to the reader, a note among themselves."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import func, select

from helpdesk import clock
from helpdesk.agents.models import Agent
from helpdesk.canned_replies.filling import left_over
from helpdesk.database import db, transactional
from helpdesk.errors import Conflict, Invalid, Refused
from helpdesk.tickets.drafts import DraftKind
from helpdesk.tickets.emails import queue_reply, said_in
from helpdesk.tickets.links import new_message_id
from helpdesk.tickets.messages import Message, MessageKind
from helpdesk.tickets.models import Then, Ticket
from helpdesk.tickets.participants import copies_of
from helpdesk.tickets.queries import find_draft
from helpdesk.tickets.search import index_message
from helpdesk.tickets.writing import staff_message
from helpdesk.uploads import StoredFile


@transactional
def reply(
    ticket: Ticket,
    *,
    body: str,
    by: Agent,
    then: Then = Then.SEND,
    seen: int | None = None,
    copies: Sequence[str] | None = None,
    files: tuple[StoredFile, ...] = (),
    undo_seconds: int = 0,
) -> Message:
    """Answer the reader by mail, with a copy for each participant, and let the ticket become what `then` says.

    For `undo_seconds` the mail stays here, and `undo_reply` can take it back.

    `seen` is the id of the last message the agent had on the page: Conflict when a newer one arrived since. `copies`
    are the participants that stood there: Invalid when they are others now, or for a text that is empty or has an
    unfilled placeholder. Raises Refused when there is nobody to answer.
    """
    if ticket.reader is None:
        raise Refused("This reader left no address, so there is nobody to send a reply to.")
    _refuse_text(body)
    thread = said_in(ticket)
    if seen is not None and thread and thread[-1].id > seen:
        raise Conflict("A new message arrived while you were writing. Your reply was kept and not sent.")
    now, others = clock.now(), copies_of(ticket)
    if copies is not None and sorted(copies) != sorted(others):
        raise Invalid("Who gets a copy changed while you were writing. Look at the addresses, then send again.")
    message = staff_message(ticket, MessageKind.REPLY, body, by, files)
    message.message_id, message.recipients = new_message_id(ticket), [ticket.reader.address, *others]
    held_until = now + timedelta(seconds=undo_seconds) if undo_seconds else None
    with db.session.no_autoflush:
        _use_draft(ticket, message, DraftKind.REPLY, by)
        message.outbound_email = queue_reply(
            ticket, message, thread=thread, to=ticket.reader.address, copies=others, held_until=held_until
        )
        ticket.reply(message, then=then, by=by, now=now)
    db.session.flush()
    index_message(message, ticket.subject)
    return message


@transactional
def add_note(ticket: Ticket, *, body: str, by: Agent, files: tuple[StoredFile, ...] = ()) -> Message:
    """Keep a note that only staff ever see."""
    _refuse_text(body)
    message = staff_message(ticket, MessageKind.NOTE, body, by, files)
    with db.session.no_autoflush:
        _use_draft(ticket, message, DraftKind.NOTE, by)
        ticket.note(message, by=by, now=clock.now())
    db.session.flush()
    index_message(message, ticket.subject)
    return message


def newest_public_id(ticket: Ticket) -> int:
    """The id of the newest message between us and the reader, 0 when there is none."""
    public = Message.kind.in_((MessageKind.READER, MessageKind.REPLY))
    return db.session.scalar(select(func.max(Message.id)).where(Message.ticket_id == ticket.id, public)) or 0


def _use_draft(ticket: Ticket, message: Message, kind: DraftKind, by: Agent) -> None:
    """The draft becomes the message: its files are the message's now."""
    draft = find_draft(ticket, kind=kind, by=by)
    if draft is not None:
        for file in list(draft.attachments):
            file.draft, file.message = None, message
        db.session.delete(draft)


def _refuse_text(body: str) -> None:
    if not body.strip():
        raise Invalid("Write something first.")
    if left_over(body):
        raise Invalid(f"Fill in or remove {{{left_over(body)[0]}}} before this is sent.")
