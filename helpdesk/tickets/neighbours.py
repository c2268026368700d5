"""What stands around a ticket: the list it was opened from, others about its article, others of its reader."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

from sqlalchemy import Integer, Select, bindparam, literal, select, tuple_, union_all

from helpdesk.agents.models import Agent
from helpdesk.agents.queries import per_agent
from helpdesk.columns import UtcDateTime
from helpdesk.database import db
from helpdesk.tickets.folders import Folder, in_folder, is_in_folder
from helpdesk.tickets.models import Ticket
from helpdesk.tickets.slips import Slip, Slips, slips
from helpdesk.tickets.visibility import visible_to

ROWS_BEFORE, ROWS_AFTER, MOST_RELATED = 8, 20, 10

Part = tuple[str, Select[int]]
Around = tuple[Folder, bool]  # a list, and whether the ticket is in it
_ID = bindparam("id", type_=Integer)


@dataclass
class Neighbours:
    """Tickets in the order they are shown; the list before and after the ticket, then those related to it."""

    before: list[Slip] = field(default_factory=list)
    after: list[Slip] = field(default_factory=list)
    article: list[Slip] = field(default_factory=list)
    reader: list[Slip] = field(default_factory=list)


def neighbours_of(ticket: Ticket, agent: Agent, *, folder: Folder | None) -> Neighbours:
    """Its list around it, others about its article, others of its reader, all in one statement.

    A ticket that has left the list has nobody before it, and after it the list from its top.
    """
    around = (folder, is_in_folder(ticket, folder, agent)) if folder else None
    return _load(ticket, agent, around=around, related=True)


def next_in_folder(ticket: Ticket, folder: Folder, agent: Agent) -> int | None:
    """The number of the ticket that comes next in a list, None at its end."""
    after = _load(ticket, agent, around=(folder, is_in_folder(ticket, folder, agent)), related=False).after
    return after[0].number if after else None


def _load(ticket: Ticket, agent: Agent, *, around: Around | None, related: bool) -> Neighbours:
    neighbours = Neighbours()
    here = {"id": ticket.id, "sort_at": ticket.sort_at, "article_id": ticket.article_id, "reader_id": ticket.reader_id}
    for *row, part in db.session.execute(_statement((around, related))(agent), here):
        getattr(neighbours, part).append(Slip._make(row))
    neighbours.article.reverse()
    neighbours.reader.reverse()
    if around and around[0].is_newest_first:
        neighbours.before.reverse()
        neighbours.after.reverse()
    return neighbours


@cache
def _statement(wanted: tuple[Around | None, bool]) -> Callable[[Agent], Slips]:
    """Written once for each agent and each kind of place, as a statement of this size costs more than its answer."""

    @per_agent
    def build(agent: Agent) -> Slips:
        around, related = wanted
        parts = [*(_related() if related else ()), *(_around(*around, agent) if around else ())]
        named = [
            select(literal(name).label("part"), ids.where(visible_to(agent)).subquery().c.id) for name, ids in parts
        ]
        places = union_all(*named).subquery("place")
        rows = slips().add_columns(places.c.part).join(places, places.c.id == Ticket.id)
        return rows.order_by(Ticket.sort_at, Ticket.id)

    return build


def _related() -> list[Part]:
    latest = select(Ticket.id).where(Ticket.id != _ID).order_by(Ticket.sort_at.desc(), Ticket.id.desc())
    article, reader = bindparam("article_id", type_=Integer), bindparam("reader_id", type_=Integer)
    return [
        ("article", latest.where(Ticket.article_id == article).limit(MOST_RELATED)),
        ("reader", latest.where(Ticket.reader_id == reader).limit(MOST_RELATED)),
    ]


def _around(folder: Folder, is_inside: bool, agent: Agent) -> list[Part]:
    place, key = tuple_(Ticket.sort_at, Ticket.id), tuple_(bindparam("sort_at", type_=UtcDateTime), _ID)
    rows = select(Ticket.id).where(in_folder(folder, agent), Ticket.id != _ID)
    oldest, latest = (Ticket.sort_at.asc(), Ticket.id.asc()), (Ticket.sort_at.desc(), Ticket.id.desc())
    up, down = (latest, oldest) if folder.is_newest_first else (oldest, latest)
    if not is_inside:
        return [("after", rows.order_by(*up).limit(ROWS_AFTER))]
    earlier, later = (place > key, place < key) if folder.is_newest_first else (place < key, place > key)
    return [
        ("before", rows.where(earlier).order_by(*down).limit(ROWS_BEFORE)),
        ("after", rows.where(later).order_by(*up).limit(ROWS_AFTER)),
    ]
