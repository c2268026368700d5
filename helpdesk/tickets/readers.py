"""What staff decide about a reader: blocked or not, the addresses, two that are one; each leaves an entry."""

from typing import Any

from sqlalchemy import func, insert, literal, select, update

from helpdesk import clock
from helpdesk.addresses import check, normalise
from helpdesk.agents.models import Agent
from helpdesk.database import db, lock, transactional
from helpdesk.errors import Conflict, Invalid, NotFound
from helpdesk.readers.models import Reader, ReaderAddress
from helpdesk.readers.operations import find_reader
from helpdesk.tickets.events import Event, EventKind
from helpdesk.tickets.messages import Message
from helpdesk.tickets.models import Ticket
from helpdesk.tickets.ours import refuse_own


@transactional
def block_reader(reader: Reader, *, by: Agent) -> None:
    """Whatever he writes from now on is filed as spam and wakes nobody."""
    if reader.blocked_at is None:
        reader.blocked_at = clock.now()
        _note(reader, EventKind.READER_BLOCKED, by, name=reader.display_name)


@transactional
def unblock_reader(reader: Reader, *, by: Agent) -> None:
    """Listen to him again; what was filed as spam meanwhile stays there."""
    if reader.blocked_at is not None:
        reader.blocked_at = None
        _note(reader, EventKind.READER_UNBLOCKED, by, name=reader.display_name)


@transactional
def change_reader(reader: Reader, *, name: str, note: str) -> None:
    """Keep a name, and what staff should know about him."""
    reader.name, reader.note = name, note


@transactional
def add_address(reader: Reader, *, address: str, by: Agent) -> None:
    """Know him by one more address.

    Raises Invalid for an impossible one or one of ours, Conflict when it is another reader's.
    """
    spelling = normalise(check(address))
    refuse_own(spelling)
    known = find_reader(spelling)
    if known is reader:
        return
    if known is not None:
        raise Conflict(f"{spelling} belongs to {known.display_name}. If they are one person, merge the two.")
    reader.addresses.append(ReaderAddress(address=spelling))
    _note(reader, EventKind.ADDRESS_ADDED, by, address=spelling)


@transactional
def remove_address(reader: Reader, *, address_id: int, by: Agent) -> None:
    """Know him by one address less; what came from it stays. Our mail goes to one that is left.

    Raises NotFound for another reader's, Conflict for the only one.
    """
    gone = next((one for one in reader.addresses if one.id == address_id), None)
    if gone is None:
        raise NotFound
    if len(reader.addresses) == 1:
        raise Conflict("It is the only address we know. Add another one first.")
    reader.addresses.remove(gone)
    if normalise(reader.address) == gone.address:
        reader.address = reader.addresses[0].address
    _note(reader, EventKind.ADDRESS_REMOVED, by, address=gone.address)


@transactional
def merge_reader(reader: Reader, *, into: Reader, by: Agent) -> None:
    """The two are one person: tickets, messages and addresses move `into` the other, and this one is forgotten.

    Raises Invalid for a reader and himself.
    """
    if reader.id == into.id:
        raise Invalid("Choose another reader to merge this one into.")
    lock(into)
    name = reader.display_name
    db.session.execute(
        insert(Event).from_select(["ticket_id", "kind", "by_agent_id", "at", "data"], _named(reader, into, by))
    )
    for moved in (Ticket.reader_id, Message.reader_id, ReaderAddress.reader_id, Event.reader_id, Event.by_reader_id):
        db.session.execute(update(moved.class_).where(moved == reader.id).values({moved.key: into.id}))
    into.name = into.name or reader.name
    into.note = "\n\n".join(note for note in (into.note, reader.note) if note)
    into.complained_at = into.complained_at or reader.complained_at
    into.blocked_at = into.blocked_at or reader.blocked_at
    into.created_at = min(into.created_at, reader.created_at)
    _note(into, EventKind.READERS_MERGED, by, name=name)
    db.session.flush()
    db.session.expire(reader)
    db.session.delete(reader)


def count_tickets(reader: Reader) -> int:
    """How many tickets are his, wherever they wait."""
    return db.session.scalar(select(func.count()).where(Ticket.reader_id == reader.id)) or 0


def _named(reader: Reader, into: Reader, by: Agent) -> Any:
    """One event for each of his tickets, written by the database."""
    columns = (
        Ticket.id,
        literal(EventKind.READER_NAMED, Event.kind.type),
        literal(by.id),
        literal(clock.now(), Event.at.type),
        literal({"before": reader.display_name, "after": into.display_name}, Event.data.type),
    )
    return select(*columns).where(Ticket.reader_id == reader.id)


def _note(reader: Reader, kind: EventKind, by: Agent, **data: Any) -> None:
    db.session.add(Event(reader_id=reader.id, kind=kind, by_agent=by, at=clock.now(), data=data))
