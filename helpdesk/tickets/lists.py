"""Reading lists of tickets, page by page, each page in one statement: folders, about an article, of a reader, found."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import tuple_

from helpdesk.agents.models import Agent
from helpdesk.database import db
from helpdesk.errors import NotFound
from helpdesk.tickets.folders import Folder, in_folder
from helpdesk.tickets.models import Ticket
from helpdesk.tickets.search import matching_tickets
from helpdesk.tickets.slips import Slip, Slips, slips
from helpdesk.tickets.visibility import visible_to

PAGE = 50


@dataclass(frozen=True)
class Page:
    """One page of a list, and where the next one begins."""

    tickets: Sequence[Slip]
    next_key: str | None


def list_folder(folder: Folder, agent: Agent, *, after: str | None = None) -> Page:
    """One page of a folder: whoever waits longest first; of what is done, the latest first."""
    return _page(_visible(agent).where(in_folder(folder, agent)), after, newest_first=folder.is_newest_first)


def list_article(article_id: int, agent: Agent, *, after: str | None = None) -> Page:
    """One page of all tickets about an article, latest first."""
    return _page(_visible(agent).where(Ticket.article_id == article_id), after, newest_first=True)


def list_reader(reader_id: int, agent: Agent, *, after: str | None = None) -> Page:
    """One page of all tickets of a reader, latest first."""
    return _page(_visible(agent).where(Ticket.reader_id == reader_id), after, newest_first=True)


def search(query: str, agent: Agent) -> Sequence[Slip]:
    """The visible tickets with all these words, or with this number, newest match first; at most one page."""
    wanted = query.strip().removeprefix("#")
    if wanted.isdecimal() and len(wanted) < 10:
        numbered = _read(_visible(agent).where(Ticket.number == int(wanted)))
        if numbered:
            return numbered
    ids = matching_tickets(query, most=PAGE, within=visible_to(agent))
    found = {slip.id: slip for slip in _read(_visible(agent).where(Ticket.id.in_(ids)))} if ids else {}
    return [found[ticket_id] for ticket_id in ids if ticket_id in found]


def _visible(agent: Agent) -> Slips:
    return slips().where(visible_to(agent))


def _read(query: Slips) -> list[Slip]:
    return [Slip._make(row) for row in db.session.execute(query)]


def _page(query: Slips, after: str | None, *, newest_first: bool) -> Page:
    place = tuple_(Ticket.sort_at, Ticket.id)
    if after is not None:
        key = _read_key(after)
        query = query.where(place < key if newest_first else place > key)
    order = (Ticket.sort_at.desc(), Ticket.id.desc()) if newest_first else (Ticket.sort_at, Ticket.id)
    rows = _read(query.order_by(*order).limit(PAGE + 1))
    more = len(rows) > PAGE
    return Page(rows[:PAGE], _key_of(rows[PAGE - 1]) if more else None)


def _key_of(ticket: Slip) -> str:
    return f"{ticket.sort_at.timestamp():.6f}-{ticket.id}"


def _read_key(key: str) -> tuple[datetime, int]:
    moment, _, ticket_id = key.rpartition("-")
    try:
        place = datetime.fromtimestamp(float(moment), tz=UTC), int(ticket_id)
    except (ValueError, OverflowError, OSError) as error:
        raise NotFound from error
    if not 0 < place[1] < 2**31:
        raise NotFound
    return place
