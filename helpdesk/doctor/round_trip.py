"""`helpdesk mail selftest`: one mail out through the outbox and in again, told leg by leg."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlalchemy import Select, select

from helpdesk.config import settings
from helpdesk.database import db, transactional
from helpdesk.inbound.models import InboundEmail, InboundState, Source
from helpdesk.inbound.selftest import begins, new_run, send_selftest, thread_of
from helpdesk.outbound.models import DeliveryState, OutboundRecipient
from helpdesk.outbound.operations import mark_handled, withdraw
from helpdesk.outbound.pausing import is_paused
from helpdesk.sites.models import Queue

LOOK_EVERY_SECONDS = 0.25
SEEN_TO_BY = "helpdesk mail selftest"
NO_WORKER = "No worker took the mail out of the outbox; is “helpdesk up” running?"
PLUS_LOST = (
    "So only addresses with a plus are lost: switch plus addressing on where the mailbox is, or set "
    "HELPDESK_PLUS_ADDRESSING=false."
)
UNHEARD = "So no mail to {address} comes in at all: look where it is delivered, and whether a mailbox of ours is that."


@dataclass
class Leg:
    """One mail on its way, until it is known how that ended."""

    queue: Queue
    plus: bool
    wait: float
    run: str = field(default_factory=new_run)
    seconds: float = 0.0
    came_in: bool = False
    state: DeliveryState = DeliveryState.QUEUED
    tries: int = 0
    error: str = ""
    address: str = ""

    @property
    def was_refused(self) -> bool:
        """True when a mail server said that it never will take it, or sent it back."""
        return self.state in (DeliveryState.FAILED, DeliveryState.BOUNCED)

    @property
    def was_taken(self) -> bool:
        """True when the mail server that sends has it."""
        return self.state in (DeliveryState.SENT, DeliveryState.UNKNOWN)

    def travel(self) -> None:
        """Send the mail and look after it until it is in, refused, or `wait` seconds are over."""
        began = time.monotonic()
        send_selftest(self.queue, run=self.run, plus=self.plus)
        while not (self._look() or self.seconds >= self.wait):
            time.sleep(LOOK_EVERY_SECONDS)
            self.seconds = time.monotonic() - began
        _see_to("rest", run=self.run)

    def _look(self) -> bool:
        db.session.rollback()
        arrived = select(InboundEmail.id).where(
            InboundEmail.state == InboundState.SELFTEST, InboundEmail.reason.startswith(begins(self.run))
        )
        self.came_in = db.session.scalar(arrived.limit(1)) is not None
        to = db.session.scalars(_recipients(self.run)).one()
        self.state, self.tries, self.error, self.address = to.state, to.attempts, to.error or "", to.address
        return self.came_in or self.was_refused

    def tell(self) -> str:
        """How far it came, for people."""
        if self.came_in:
            return f"A mail to {self.address} came back in after {self.seconds:.1f} seconds."
        if self.state is DeliveryState.BOUNCED:
            return f"The mail to {self.address} was taken and came back: {self.error}"
        if self.was_refused:
            return f"The mail to {self.address} was refused by the mail server that sends: {self.error}"
        if self.was_taken:
            sent = f"The mail to {self.address} was taken by the mail server that sends"
            return f"{sent}, and did not come in within {self.wait:g} seconds."
        if self.tries and self.error:
            return f"The mail server that sends did not take the mail: {self.error}; “helpdesk doctor” says more."
        return NO_WORKER


def travel_round(queue: Queue, *, wait: float) -> Iterator[tuple[bool, str]]:
    """Send a mail to the queue's own address and say how far it came, sentence by sentence; the last tells whether all
    is well. Waits `wait` seconds for each mail at most.

    Where the address with a plus is lost, a second mail finds out whether the plain one is.
    """
    if db.session.scalar(select(is_paused())):
        yield False, "Sending is paused; resume it on the page “Mail” first."
        return
    leg = Leg(queue, settings().plus_addressing, wait)
    leg.travel()
    yield leg.came_in, leg.tell()
    if leg.came_in:
        return
    yield from ((False, sentence) for sentence in _mailbox_errors())
    if leg.plus and (leg.was_taken or leg.was_refused):
        plain = Leg(queue, plus=False, wait=wait)
        plain.travel()
        yield False, plain.tell()
        yield False, PLUS_LOST if plain.came_in else UNHEARD.format(address=queue.intake_address)


@transactional
def _see_to(_what: str, /, *, run: str) -> None:
    """Nothing of a selftest leaves later, or stays on the list of what did not arrive."""
    withdraw(thread_of(run))
    for to in db.session.scalars(_recipients(run)):
        if to.can_be_handled:
            mark_handled(to, by=SEEN_TO_BY)


def _recipients(run: str) -> Select[OutboundRecipient]:
    return select(OutboundRecipient).where(OutboundRecipient.email.has(thread_token=thread_of(run)))


def _mailbox_errors() -> list[str]:
    broken = select(Source.name, Source.last_error).where(Source.active, Source.last_error.is_not(None))
    rows = db.session.execute(broken.order_by(Source.name))
    return [f"The mailbox “{name}” cannot be read: {error}" for name, error in rows]
