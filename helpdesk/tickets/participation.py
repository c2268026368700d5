"""Who besides the reader gets our replies to a ticket: added and removed by an agent, never by a mail."""

from helpdesk import clock
from helpdesk.addresses import check, normalise
from helpdesk.agents.models import Agent
from helpdesk.database import transactional
from helpdesk.errors import Invalid, Refused
from helpdesk.outbound.operations import withdraw_copies
from helpdesk.readers.operations import find_reader
from helpdesk.tickets.emails import thread_of
from helpdesk.tickets.events import EventKind
from helpdesk.tickets.models import Ticket
from helpdesk.tickets.ours import refuse_own
from helpdesk.tickets.participants import Participant

MOST_PARTICIPANTS = 20


@transactional
def add_participant(ticket: Ticket, *, address: str, by: Agent) -> str:
    """Let whoever has this address get a copy of each reply from now on; returns the address as it is kept.

    Raises Invalid when there can be no such address, or when it is the reader's or one of the desk's and its staff;
    Refused when its owner is blocked, the ticket has no reader, or too many get copies already.
    """
    wanted = normalise(check(address))
    if wanted in [one.address for one in ticket.participants]:
        return wanted
    _refuse_address(ticket, wanted)
    ticket.participants.append(Participant(address=wanted, added_at=clock.now()))
    ticket.note_mail(EventKind.PARTICIPANT_ADDED, address=wanted, by=by, now=clock.now())
    return wanted


@transactional
def remove_participant(ticket: Ticket, *, address: str, by: Agent) -> None:
    """Let somebody get no more replies, nor a copy that has not left; nothing happens when he gets none."""
    found = next((one for one in ticket.participants if one.address == normalise(address)), None)
    if found is not None:
        ticket.participants.remove(found)
        withdraw_copies(thread_of(ticket), address=found.address)
        ticket.note_mail(EventKind.PARTICIPANT_REMOVED, address=found.address, by=by, now=clock.now())


def _refuse_address(ticket: Ticket, address: str) -> None:
    if ticket.reader is None:
        raise Refused("This reader left no address, so there are no replies that anybody could get a copy of.")
    if address in [one.address for one in ticket.reader.addresses]:
        raise Invalid(f"{address} is the reader's own address, which gets every reply anyway.")
    refuse_own(address)
    owner = find_reader(address)
    if owner is not None and owner.blocked_at is not None:
        raise Refused(f"{address} belongs to a reader who is blocked, so it gets no copies.")
    if len(ticket.participants) >= MOST_PARTICIPANTS:
        raise Refused(f"At most {MOST_PARTICIPANTS} people get copies. Remove somebody first.")
