"""Looking after the tags: which there are and how often, another name, one for two, and no more."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import delete, func, insert, literal, select, update

from helpdesk import clock
from helpdesk.agents.models import Agent
from helpdesk.database import db, transactional
from helpdesk.errors import Conflict, Invalid, NotFound
from helpdesk.tickets.events import Event, EventKind
from helpdesk.tickets.tags import Tag, TicketTag
from helpdesk.tickets.triage import tag_word


class Counted(NamedTuple):
    """A tag with the number of tickets that have it."""

    id: int
    name: str
    tickets: int


def list_tags() -> Sequence[Counted]:
    """Every tag by name, with its tickets."""
    used = select(TicketTag.tag_id, func.count().label("tickets")).group_by(TicketTag.tag_id).subquery()
    counted = select(Tag.id, Tag.name, func.coalesce(used.c.tickets, 0)).outerjoin(used, used.c.tag_id == Tag.id)
    return [Counted(*row) for row in db.session.execute(counted.order_by(Tag.name))]


def get_tag(tag_id: int) -> Tag:
    """One tag. Raises NotFound."""
    tag = db.session.get(Tag, tag_id)
    if tag is None:
        raise NotFound
    return tag


def tickets_tagged(tag: Tag) -> int:
    """How many tickets have it."""
    return db.session.scalar(select(func.count()).where(TicketTag.tag_id == tag.id)) or 0


@transactional
def rename_tag(tag: Tag, *, name: str, by: Agent) -> None:
    """Another word for the same, on every ticket that has it. Raises Conflict when there is a tag of that name."""
    word = tag_word(name)
    if db.session.scalar(select(Tag.id).where(Tag.name == word, Tag.id != tag.id)) is not None:
        raise Conflict(f"There is a tag “{word}” already. Merge this one into it instead.")
    if word != tag.name:
        _tell(tag, EventKind.UNTAGGED, tag.name, by)
        _tell(tag, EventKind.TAGGED, word, by)
        tag.name = word


@transactional
def merge_tag(tag: Tag, *, into: Tag, by: Agent) -> None:
    """Put `into` on every ticket that has the tag, and forget the tag. Raises Invalid for a tag and itself."""
    if tag is into:
        raise Invalid("Choose another tag to merge this one into.")
    both = select(TicketTag.ticket_id).where(TicketTag.tag_id == into.id)
    alone = (TicketTag.tag_id == tag.id, TicketTag.ticket_id.not_in(both))
    _tell(tag, EventKind.UNTAGGED, tag.name, by)
    _tell(tag, EventKind.TAGGED, into.name, by, *alone[1:])
    db.session.execute(update(TicketTag).where(*alone).values(tag_id=into.id))
    _forget(tag)


@transactional
def remove_tag_everywhere(tag: Tag, *, by: Agent) -> None:
    """Take it off every ticket, and forget it."""
    _tell(tag, EventKind.UNTAGGED, tag.name, by)
    _forget(tag)


def _forget(tag: Tag) -> None:
    db.session.execute(delete(TicketTag).where(TicketTag.tag_id == tag.id))
    db.session.execute(delete(Tag).where(Tag.id == tag.id))


def _tell(tag: Tag, kind: EventKind, word: str, by: Agent, *which: Any) -> None:
    """One event for each ticket that has the tag, written by the database."""
    columns = (
        TicketTag.ticket_id,
        literal(kind, Event.kind.type),
        literal(by.id),
        literal(clock.now(), Event.at.type),
        literal({"tag": word}, Event.data.type),
    )
    of_each = select(*columns).where(TicketTag.tag_id == tag.id, *which)
    db.session.execute(insert(Event).from_select(["ticket_id", "kind", "by_agent_id", "at", "data"], of_each))
