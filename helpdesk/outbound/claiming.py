"""Claiming what is due, one delivery at a time: what is slow holds up nothing else, and a pause holds at once."""

from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select, update
from sqlalchemy.orm import aliased

from helpdesk import clock
from helpdesk.columns import word
from helpdesk.database import db, transactional
from helpdesk.outbound.deliveries import Claim
from helpdesk.outbound.models import DeliveryState, OutboundEmail, OutboundRecipient, Release
from helpdesk.outbound.pausing import is_paused
from helpdesk.outbound.schedule import DEADLINE, FRESH, LEASE
from helpdesk.outbound.waiting import is_held_back, take_from_limit

MOST_TO_ONE = 2  # deliveries to one destination at a time: fewer than a worker has threads that send
_TURN = "claiming"


def has_due() -> bool:
    """True when some delivery may be tried now; never while sending is paused."""
    return db.session.scalar(_next_due(clock.now())) is not None


@transactional
def claim_next(worker: str, /) -> Claim | None:
    """Take the delivery that is next, with a lease; the claim is committed before anything is sent.

    People's mail comes before automatic mail, then the oldest. None when nothing is due: while sending is paused, while
    the destination or the relay refuses, when two are on their way to the same place, and over the hourly limit, of
    which automatic mail has one half.
    """
    _take_turn()
    now = clock.now()
    _release_held(now)
    due = db.session.execute(_next_due(now).with_for_update(skip_locked=True)).first()
    if due is None or not take_from_limit(now, automatic=due.automatic):
        return None
    claim = (
        update(OutboundRecipient)
        .where(OutboundRecipient.id == due.id)
        .values(
            state=DeliveryState.SENDING,
            worker=worker,
            lease_until=now + LEASE,
            attempts=OutboundRecipient.attempts + 1,
            abandoned=OutboundRecipient.abandoned + case((_was_taken(), 1), else_=0),
        )
        .returning(OutboundRecipient.id, OutboundRecipient.attempts, OutboundRecipient.abandoned)
        .execution_options(synchronize_session=False)
    )
    return Claim(*db.session.execute(claim).one())


def hold(claim: Claim) -> bool:
    """Make sure of a claim right before its try; False when its lease ran out and somebody else has it."""
    return clock.now() - claim.claimed_at < FRESH or _renew(claim)


@transactional
def _renew(claim: Claim, /) -> bool:
    ours = (
        OutboundRecipient.id == claim.recipient_id,
        OutboundRecipient.attempts == claim.attempt,
        OutboundRecipient.state == DeliveryState.SENDING,
    )
    renewed = update(OutboundRecipient).where(*ours).values(lease_until=clock.now() + LEASE)
    renewed_id = renewed.returning(OutboundRecipient.id).execution_options(synchronize_session=False)
    return db.session.scalar(renewed_id) is not None


def _take_turn() -> None:
    """Workers claim one after the other, as SQLite makes them: else two would both take the last of a limit."""
    if db.engine.dialect.name != "sqlite":
        db.session.execute(select(func.pg_advisory_xact_lock(func.hashtext(_TURN))))


def _next_due(now: datetime) -> Select[int, bool]:
    to = OutboundRecipient
    order = (to.automatic, to.next_attempt_at, to.id)
    return select(to.id, to.automatic).where(_is_due(now)).order_by(*order).limit(1)


def _is_due(now: datetime) -> ColumnElement[bool]:
    to = OutboundRecipient
    waiting = and_(to.state.in_((DeliveryState.QUEUED, DeliveryState.UNKNOWN)), to.next_attempt_at <= now)
    abandoned = and_(_was_taken(), to.lease_until < now)
    released = to.email.has(or_(OutboundEmail.release == Release.RELEASED, _is_over(now)))
    return and_(or_(waiting, abandoned), released, _has_room(now), ~is_paused(), ~is_held_back(now))


def _has_room(now: datetime) -> ColumnElement[bool]:
    other = aliased(OutboundRecipient)
    on_its_way = (other.state == DeliveryState.SENDING, other.lease_until >= now + LEASE - DEADLINE)
    count = select(func.count()).where(*on_its_way, other.domain == OutboundRecipient.domain)
    return count.correlate(OutboundRecipient).scalar_subquery() < MOST_TO_ONE


def _was_taken() -> ColumnElement[bool]:
    return OutboundRecipient.state == DeliveryState.SENDING


def _release_held(now: datetime) -> None:
    """From here on nobody takes these back: who cancels just now changes the same row, and one of us is first."""
    over = update(OutboundEmail).where(_is_over(now)).values(release=Release.RELEASED)
    db.session.execute(over.execution_options(synchronize_session=False))


def _is_over(now: datetime) -> ColumnElement[bool]:
    return and_(OutboundEmail.release == word(Release.HELD), OutboundEmail.not_before <= now)
