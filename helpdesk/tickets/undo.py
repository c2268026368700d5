"""Taking back a reply that has not left yet: the ticket is what it was, text and files are a draft again."""

from sqlalchemy import select, update

from helpdesk import clock
from helpdesk.agents.models import Agent
from helpdesk.database import db, transactional
from helpdesk.errors import Conflict
from helpdesk.outbound.operations import cancel
from helpdesk.tickets.drafts import Draft, DraftKind
from helpdesk.tickets.events import Event, EventKind
from helpdesk.tickets.messages import PUBLIC_KINDS, Attachment, Message
from helpdesk.tickets.models import Ticket
from helpdesk.tickets.queries import find_draft
from helpdesk.tickets.search import forget_message
from helpdesk.tickets.standing import restore

TOO_LATE = "This reply has left already, so it cannot be taken back."


@transactional
def undo_reply(ticket: Ticket, *, message_id: int, by: Agent) -> Draft:
    """Take back a reply of one's own that still waits; returns the draft that it is again.

    Raises Conflict when it has left, was taken back before or is somebody else's.
    """
    mine = (Message.id == message_id, Message.ticket_id == ticket.id, Message.agent_id == by.id)
    message = db.session.scalar(select(Message).where(*mine))
    if message is None or message.outbound_email is None or not cancel(message.outbound_email):
        raise Conflict(TOO_LATE)
    _restore(ticket, message, by)
    draft = _draft_again(ticket, message, by)
    forget_message(message)
    db.session.delete(message)
    return draft


def _restore(ticket: Ticket, message: Message, by: Agent) -> None:
    """Take back what the reply changed; the status only if nothing happened since."""
    done = [event for event in ticket.events if event.at == message.created_at and event.by_agent_id == by.id]
    said, is_last = next(event for event in done if event.kind is EventKind.REPLIED), ticket.events[-1] is done[-1]
    ticket.events.append(Event(kind=EventKind.REPLY_UNDONE, at=clock.now(), by_agent=by))
    ticket.show_last(_before(message))
    ticket.message_count -= 1
    if ticket.first_replied_at == message.created_at:
        ticket.first_replied_at = None
    if is_last:
        restore(ticket, said.data["before"])


def _before(message: Message) -> Message:
    """The public message that stood last, the reply set aside; where there is none, the note the ticket began with."""
    others = select(Message).where(Message.ticket_id == message.ticket_id, Message.id != message.id)
    public = others.where(Message.kind.in_(PUBLIC_KINDS)).order_by(Message.id.desc()).limit(1)
    return db.session.scalar(public) or db.session.scalars(others.order_by(Message.id).limit(1)).one()


def _draft_again(ticket: Ticket, message: Message, by: Agent) -> Draft:
    """What was begun meanwhile stays below it."""
    draft = find_draft(ticket, kind=DraftKind.REPLY, by=by)
    if draft is None:
        draft = Draft(ticket=ticket, agent=by, kind=DraftKind.REPLY, body="")
        db.session.add(draft)
    draft.body = "\n\n".join(part for part in (message.body_text, draft.body) if part)
    draft.updated_at = clock.now()
    db.session.flush()
    files = update(Attachment).where(Attachment.message_id == message.id)
    db.session.execute(files.values(message_id=None, draft_id=draft.id))
    db.session.expire(message, ["attachments"])
    db.session.expire(draft, ["attachments"])
    return draft
