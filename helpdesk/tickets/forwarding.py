"""A ticket of a mail that an agent forwarded to the desk, and whose it is when that could not be read."""

from helpdesk import clock
from helpdesk.addresses import check
from helpdesk.agents.models import Agent
from helpdesk.database import db, transactional
from helpdesk.errors import Refused
from helpdesk.readers.operations import recognise
from helpdesk.sites.models import Queue
from helpdesk.tickets.events import Event, EventKind
from helpdesk.tickets.models import Origin, Ticket
from helpdesk.tickets.operations import Letter, open_ticket
from helpdesk.tickets.ours import refuse_own
from helpdesk.tickets.search import index_message
from helpdesk.tickets.writing import note_of


@transactional
def open_forwarded(
    queue: Queue, *, letter: Letter, beside: Letter | None, subject: str, by: Agent, maybe: int | None = None
) -> Ticket:
    """Make a ticket in the name of who wrote the forwarded `letter`; nobody gets a receipt.

    A letter that names no sender becomes a note of the agent's, in a ticket without a reader. `beside` is what the
    agent wrote to it, kept as a note. `maybe` is the number of a ticket that the letter could belong to.
    """
    ticket = open_ticket(
        queue.site, queue=queue, letter=letter, origin=Origin.EMAIL, subject=subject, may_be_answered=False,
        maybe=maybe, forwarded_by=by,
    )  # fmt: skip
    if beside is not None:
        note = note_of(beside, by)
        ticket.note(note, by=by, now=clock.now())
        db.session.flush()
        index_message(note, ticket.subject)
    return ticket


@transactional
def name_reader(ticket: Ticket, *, address: str, name: str = "", by: Agent) -> None:
    """Say whose concern a ticket without a reader is, so that somebody can be answered.

    Raises Refused when it has a reader, Invalid for an impossible address or one of the desk's and its staff.
    """
    if ticket.reader is not None:
        raise Refused(f"{ticket.reader.display_name} is the reader of this ticket already.")
    wanted = check(address)
    refuse_own(wanted)
    ticket.reader, ticket.wants_answer = recognise(wanted, name=name), True
    named = Event(ticket=ticket, kind=EventKind.READER_NAMED, at=clock.now(), by_agent=by)
    named.data = {"after": ticket.reader.address}
    db.session.add(named)
