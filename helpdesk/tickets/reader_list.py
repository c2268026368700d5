"""Reading readers: all whom an agent may know of, found by name or address, and what was decided about one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import ColumnElement, exists, func, or_, select
from sqlalchemy.orm import joinedload

from helpdesk.agents.models import Agent
from helpdesk.database import db
from helpdesk.errors import NotFound
from helpdesk.readers.models import Reader, ReaderAddress
from helpdesk.tickets.events import Event
from helpdesk.tickets.models import Ticket
from helpdesk.tickets.visibility import visible_to

PAGE = 50
LATEST = 20
LAST = 2**31 - 1


class Listed(NamedTuple):
    """A reader with the number of his tickets that the agent may see."""

    reader: Reader
    tickets: int


@dataclass(frozen=True)
class ReaderPage:
    """One page of readers, and where the next one begins."""

    readers: Sequence[Listed]
    next_key: int | None


def list_readers(agent: Agent, *, words: str = "", after: int | None = None) -> ReaderPage:
    """One page of the readers whose tickets an agent may see, the newest first; `words` are of a name or address."""
    tickets = select(func.count()).where(Ticket.reader_id == Reader.id, visible_to(agent)).scalar_subquery()
    query = select(Reader, tickets).where(_known_to(agent)).order_by(Reader.id.desc()).limit(PAGE + 1)
    query = query.where(*(_is_like(word) for word in words.split()[:5]), Reader.id < (after or LAST))
    rows = [Listed(*row) for row in db.session.execute(query)]
    more = len(rows) > PAGE
    return ReaderPage(rows[:PAGE], rows[PAGE - 1].reader.id if more else None)


def get_reader(reader_id: int, agent: Agent) -> Reader:
    """A reader with a ticket that the agent may see. Raises NotFound for any other."""
    whole = select(Reader).where(Reader.id == reader_id, _known_to(agent)).options(joinedload(Reader.addresses))
    reader = db.session.scalars(whole).unique().one_or_none()
    if reader is None:
        raise NotFound
    return reader


def find_known(address: str, agent: Agent) -> Reader | None:
    """The reader with this address, if the agent may know of him."""
    whole = select(Reader).join(ReaderAddress).where(ReaderAddress.address == address, _known_to(agent))
    return db.session.scalar(whole)


def reader_history(reader: Reader) -> Sequence[Event]:
    """What was decided about a reader lately, the latest first."""
    whole = (
        select(Event)
        .where(Event.reader_id == reader.id)
        .options(joinedload(Event.by_agent), joinedload(Event.by_reader))
    )
    return db.session.scalars(whole.order_by(Event.id.desc()).limit(LATEST)).all()


def _known_to(agent: Agent) -> ColumnElement[bool]:
    return exists().where(Ticket.reader_id == Reader.id, visible_to(agent))


def _is_like(word: str) -> ColumnElement[bool]:
    address = ReaderAddress.address.contains(word.casefold(), autoescape=True)
    return or_(
        Reader.name.icontains(word, autoescape=True), exists().where(ReaderAddress.reader_id == Reader.id, address)
    )
