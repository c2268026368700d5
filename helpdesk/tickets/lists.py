"""Reading lists of tickets, page by page: folders, about an article, of a reader, found by a filter."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import and_, func, select, tuple_

from helpdesk.agents.models import Agent
from helpdesk.database import db
from helpdesk.errors import NotFound
from helpdesk.tickets.excerpts import Piece, excerpt
from helpdesk.tickets.filtering import conditions, is_newest_first
from helpdesk.tickets.filters import Filter
from helpdesk.tickets.folders import Folder, in_folder
from helpdesk.tickets.messages import Message
from helpdesk.tickets.models import Ticket
from helpdesk.tickets.search import MOST_CHARACTERS, matching_tickets
from helpdesk.tickets.slips import Slip, Slips, slips
from helpdesk.tickets.visibility import visible_to
from helpdesk.tickets.words import Wanted, wanted_in

PAGE = 50


@dataclass(frozen=True)
class Page:
    """One page of a list, where the next one begins, and of tickets found by words the text around them."""

    tickets: Sequence[Slip]
    next_key: str | None
    newest_first: bool = True
    excerpts: Mapping[int, Sequence[Piece]] = field(default_factory=dict)


def list_folder(folder: Folder, agent: Agent, *, after: str | None = None) -> Page:
    """One page of a folder: whoever waits longest first; of what is done, the latest first."""
    return _page(_visible(agent).where(in_folder(folder, agent)), after, newest_first=folder.is_newest_first)


def list_article(article_id: int, agent: Agent, *, after: str | None = None) -> Page:
    """One page of all tickets about an article, latest first."""
    return _page(_visible(agent).where(Ticket.article_id == article_id), after, newest_first=True)


def list_reader(reader_id: int, agent: Agent, *, after: str | None = None) -> Page:
    """One page of all tickets of a reader, latest first."""
    return _page(_visible(agent).where(Ticket.reader_id == reader_id), after, newest_first=True)


def find_numbered(number: int, agent: Agent) -> bool:
    """True when there is a ticket with this number that the agent may see."""
    return db.session.scalar(select(Ticket.id).where(Ticket.number == number, visible_to(agent))) is not None


def list_found(asked: Filter, agent: Agent, *, after: str | None = None) -> Page:
    """One page of the visible tickets that a filter finds; found by words, those with the newest hit come first.

    Raises Invalid with a sentence for a filter that means nothing.
    """
    if asked.is_empty:
        return Page([], None)
    asks, wanted, newest_first = conditions(asked, agent), wanted_in(asked), is_newest_first(asked)
    if not wanted and asked.terms:
        return _page(_visible(agent).where(asks), after, newest_first=newest_first)
    within = and_(visible_to(agent), asks)
    hits = matching_tickets(wanted, most=PAGE + 1, within=within, before=_read_place(after))
    places = dict(hits[:PAGE])
    slips_found = {slip.id: slip for slip in _read(_visible(agent).where(Ticket.id.in_(places)))} if places else {}
    tickets = [slips_found[ticket_id] for ticket_id in places if ticket_id in slips_found]
    return Page(tickets, str(hits[PAGE - 1][1]) if len(hits) > PAGE else None, excerpts=_excerpts(places, wanted))


def _excerpts(places: Mapping[int, int], wanted: Sequence[Wanted]) -> Mapping[int, Sequence[Piece]]:
    """The text around the newest hit of each ticket, by ticket."""
    text = func.substr(Message.body_text, 1, MOST_CHARACTERS)
    texts = select(Message.ticket_id, text).where(Message.id.in_(places.values()))
    return {ticket_id: excerpt(text, wanted) for ticket_id, text in db.session.execute(texts)} if places else {}


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
    return Page(rows[:PAGE], _key_of(rows[PAGE - 1]) if more else None, newest_first)


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


def _read_place(key: str | None) -> int | None:
    if key is not None and not (key.isdecimal() and len(key) < 10):
        raise NotFound
    return None if key is None else int(key)
