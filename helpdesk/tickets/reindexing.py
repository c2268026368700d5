"""Rebuilding the search index from the messages it was made of."""

from sqlalchemy import select

from helpdesk.database import db, transactional
from helpdesk.tickets.messages import Message
from helpdesk.tickets.models import Ticket
from helpdesk.tickets.search import clear_index, index_message

BATCH = 500


@transactional
def reindex(_what: str) -> int:
    """Forget the index and write it anew, all in one transaction; returns how many messages were read."""
    clear_index()
    done, last = 0, 0
    while batch := _after(last):
        for message, subject in batch:
            index_message(message, subject)
        done, last = done + len(batch), batch[-1][0].id
        db.session.expunge_all()
    return done


def _after(last: int) -> list[tuple[Message, str]]:
    rows = select(Message, Ticket.subject).join(Ticket, Message.ticket_id == Ticket.id).where(Message.id > last)
    return [(message, subject) for message, subject in db.session.execute(rows.order_by(Message.id).limit(BATCH))]
