"""A queue goes: its tickets, topics, mailboxes and raw mails move to another queue of the site first."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, insert, literal, select, update

from helpdesk import clock
from helpdesk.agents.models import Agent
from helpdesk.database import db, transactional
from helpdesk.errors import Conflict, Invalid
from helpdesk.inbound.models import InboundEmail, Source
from helpdesk.sites.models import Queue, Topic
from helpdesk.tickets.events import Event, EventKind
from helpdesk.tickets.models import Ticket
from helpdesk.tickets.setting_up import note_set_up

ONLY = "A publication needs at least one queue. Add another one first."


@dataclass(frozen=True)
class Leaving:
    """How much moves when a queue goes."""

    tickets: int
    topics: int
    mailboxes: int


def what_leaves(queue: Queue) -> Leaving:
    """Count what would move."""
    tickets, topics, mailboxes = (_count(noun, queue) for noun in (Ticket, Topic, Source))
    return Leaving(tickets=tickets, topics=topics, mailboxes=mailboxes)


def other_queues(queue: Queue) -> list[Queue]:
    """Where its tickets can move, by name."""
    others = select(Queue).where(Queue.site_id == queue.site_id, Queue.id != queue.id)
    return list(db.session.scalars(others.order_by(Queue.name, Queue.id)))


@transactional
def remove_queue(queue: Queue, *, into: Queue | None, by: Agent) -> None:
    """Move all that waits in a queue `into` another one, each ticket with its event, and forget the queue.

    Raises Conflict for the only queue of a site, Invalid for a place that is no other queue of it.
    """
    others = other_queues(queue)
    if not others:
        raise Conflict(ONLY)
    if into is None or into not in others:
        raise Invalid("Choose the queue that its tickets move to.")
    db.session.execute(
        insert(Event).from_select(["ticket_id", "kind", "by_agent_id", "at", "data"], _moves(queue, into, by))
    )
    for noun in (Ticket, Topic, Source, InboundEmail):
        db.session.execute(update(noun).where(noun.queue_id == queue.id).values(queue_id=into.id))
    note_set_up(queue.site, what=f"the queues: “{queue.name}” is gone, its tickets are in “{into.name}”", by=by)
    db.session.flush()
    db.session.expire(queue)
    db.session.delete(queue)


def _moves(queue: Queue, into: Queue, by: Agent) -> Any:
    """One event for each ticket, written by the database, since there may be a hundred thousand."""
    data = literal({"before": queue.name, "after": into.name}, Event.data.type)
    kind = literal(EventKind.MOVED, Event.kind.type)
    return select(Ticket.id, kind, literal(by.id), literal(clock.now(), Event.at.type), data).where(
        Ticket.queue_id == queue.id
    )


def _count(noun: Any, queue: Queue) -> int:
    return db.session.scalar(select(func.count()).where(noun.queue_id == queue.id)) or 0
