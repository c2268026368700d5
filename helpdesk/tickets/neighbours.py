"""What stands around a ticket: the list it was opened from, others about its article, others of its reader."""

from dataclasses import dataclass, field

from sqlalchemy import Select, literal, select, tuple_, union_all
from sqlalchemy.orm import joinedload

from helpdesk.agents.models import Agent
from helpdesk.database import db
from helpdesk.tickets.models import Ticket
from helpdesk.tickets.queries import Folder, in_folder, is_in_folder, visible_to

ROWS_BEFORE, ROWS_AFTER, MOST_RELATED = 8, 20, 10

Part = tuple[str, Select[int]]


@dataclass
class Neighbours:
    """Tickets in the order they are shown; the list before and after the ticket, then those related to it."""

    before: list[Ticket] = field(default_factory=list)
    after: list[Ticket] = field(default_factory=list)
    article: list[Ticket] = field(default_factory=list)
    reader: list[Ticket] = field(default_factory=list)


def neighbours_of(ticket: Ticket, agent: Agent, *, folder: Folder | None) -> Neighbours:
    """Its list around it, others about its article, others of its reader, all in one statement.

    A ticket that has left the list has nobody before it, and after it the list from its top.
    """
    parts = _related(ticket) + (_around(ticket, folder, agent) if folder else [])
    newest_first = folder is not None and folder.is_newest_first
    return _load(parts, agent, newest_first=newest_first) if parts else Neighbours()


def next_in_folder(ticket: Ticket, folder: Folder, agent: Agent) -> int | None:
    """The number of the ticket that comes next in a list, None at its end."""
    after = _load(_around(ticket, folder, agent), agent, newest_first=folder.is_newest_first).after
    return after[0].number if after else None


def _related(ticket: Ticket) -> list[Part]:
    latest = select(Ticket.id).where(Ticket.id != ticket.id).order_by(Ticket.sort_at.desc(), Ticket.id.desc())
    parts = []
    if ticket.article_id is not None:
        parts.append(("article", latest.where(Ticket.article_id == ticket.article_id).limit(MOST_RELATED)))
    if ticket.reader_id is not None:
        parts.append(("reader", latest.where(Ticket.reader_id == ticket.reader_id).limit(MOST_RELATED)))
    return parts


def _around(ticket: Ticket, folder: Folder, agent: Agent) -> list[Part]:
    place, key = tuple_(Ticket.sort_at, Ticket.id), (ticket.sort_at, ticket.id)
    rows = select(Ticket.id).where(in_folder(folder, agent), Ticket.id != ticket.id)
    oldest, latest = (Ticket.sort_at.asc(), Ticket.id.asc()), (Ticket.sort_at.desc(), Ticket.id.desc())
    up, down = (latest, oldest) if folder.is_newest_first else (oldest, latest)
    if not is_in_folder(ticket, folder, agent):
        return [("after", rows.order_by(*up).limit(ROWS_AFTER))]
    earlier, later = (place > key, place < key) if folder.is_newest_first else (place < key, place > key)
    return [
        ("before", rows.where(earlier).order_by(*down).limit(ROWS_BEFORE)),
        ("after", rows.where(later).order_by(*up).limit(ROWS_AFTER)),
    ]


def _load(parts: list[Part], agent: Agent, *, newest_first: bool) -> Neighbours:
    neighbours = Neighbours()
    named = [select(literal(name).label("part"), ids.where(visible_to(agent)).subquery().c.id) for name, ids in parts]
    places = union_all(*named).subquery("place")
    rows = (
        select(places.c.part, Ticket)
        .join(places, places.c.id == Ticket.id)
        .options(*(joinedload(noun) for noun in (Ticket.reader, Ticket.article, Ticket.topic, Ticket.assignee)))
        .order_by(Ticket.sort_at, Ticket.id)
    )
    for part, ticket in db.session.execute(rows):
        getattr(neighbours, part).append(ticket)
    neighbours.article.reverse()
    neighbours.reader.reverse()
    if newest_first:
        neighbours.before.reverse()
        neighbours.after.reverse()
    return neighbours
