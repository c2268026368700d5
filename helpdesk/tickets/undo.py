"""Taking back a reply that has not left yet: the ticket is what it was, text and files are a draft again."""

from sqlalchemy import select

from helpdesk import clock
from helpdesk.agents.models import Agent
from helpdesk.database import db, transactional
from helpdesk.errors import Refused
from helpdesk.outbound.operations import cancel
from helpdesk.tickets.drafts import Draft, DraftKind
from helpdesk.tickets.messages import PUBLIC_KINDS, Message
from helpdesk.tickets.models import Ticket
from helpdesk.tickets.search import forget_message
from helpdesk.tickets.uploads import find_draft

TOO_LATE = "This reply has left already, so it cannot be taken back."


@transactional
def undo_reply(ticket: Ticket, *, message_id: int, by: Agent) -> Draft:
    """Take back a reply of one's own that still waits; returns the draft that it is again.

    Raises Refused when it has left, was taken back before or is somebody else's.
    """
    mine = (Message.id == message_id, Message.ticket_id == ticket.id, Message.agent_id == by.id)
    message = db.session.scalar(select(Message).where(*mine))
    if message is None or message.outbound_email is None or not cancel(message.outbound_email):
        raise Refused(TOO_LATE)
    ticket.undo_reply(message, latest=_before(message), by=by, now=clock.now())
    draft = _draft_again(ticket, message, by)
    forget_message(message)
    db.session.flush()
    db.session.delete(message)
    return draft


def _before(message: Message) -> Message:
    """The public message that stood last, the reply set aside: a reply is never the first."""
    others = (Message.ticket_id == message.ticket_id, Message.kind.in_(PUBLIC_KINDS), Message.id != message.id)
    return db.session.scalars(select(Message).where(*others).order_by(Message.id.desc()).limit(1)).one()


def _draft_again(ticket: Ticket, message: Message, by: Agent) -> Draft:
    """What was begun meanwhile stays below it."""
    draft = find_draft(ticket, kind=DraftKind.REPLY, by=by)
    if draft is None:
        draft = Draft(ticket=ticket, agent=by, kind=DraftKind.REPLY, body="")
        db.session.add(draft)
    draft.body = "\n\n".join(part for part in (message.body_text, draft.body) if part)
    draft.updated_at = clock.now()
    for file in list(message.attachments):
        file.message, file.draft = None, draft
    return draft
