"""The outbox: put a mail in, claim what is due, note how a delivery went."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, and_, case, or_, select, update

from helpdesk import clock
from helpdesk.addresses import CONTROL
from helpdesk.columns import word
from helpdesk.database import db, transactional, wake
from helpdesk.errors import Invalid, Refused
from helpdesk.outbound.models import DELIVER, DeliveryState, OutboundEmail, OutboundRecipient, Release
from helpdesk.outbound.pausing import is_paused
from helpdesk.outbound.schedule import FRESH, LATE_RETRY, LEASE, next_attempt

BATCH = 20
MOST_ABANDONED = 3


class Outcome(StrEnum):
    """How one try ended; unknown when the server took the mail's last byte and never answered."""

    SENT = "sent"
    TEMPORARY = "temporary"
    PERMANENT = "permanent"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Claim:
    """One delivery that this worker may try; `attempt` fences off a worker whose lease ran out.

    `abandoned` is how many workers took it before and never said how it went.
    """

    recipient_id: int
    attempt: int
    abandoned: int = 0
    claimed_at: datetime = field(default_factory=clock.now)

    @property
    def is_hopeless(self) -> bool:
        """True when it ended too many workers to be tried by another."""
        return self.abandoned >= MOST_ABANDONED


@dataclass(frozen=True)
class Delivery:
    """What became of a claim, for the record."""

    claim: Claim
    outcome: Outcome
    error: str = ""


def enqueue(
    *,
    message_id: str,
    sender: str,
    to: list[str],
    copies: Sequence[str] = (),
    envelope_from: str,
    subject: str,
    template: str,
    context: dict[str, Any],
    reply_to: str | None = None,
    headers: dict[str, str] | None = None,
    files: list[dict[str, str]] | None = None,
    thread_token: str | None = None,
    held_until: datetime | None = None,
) -> OutboundEmail:
    """Put a mail into the outbox, inside the caller's transaction; it leaves after the commit.

    With `held_until` it waits until then, and `cancel` can take it back. `copies` are addresses in Cc.

    `message_id` is without angle brackets; `template` is the path of its templates without .txt and .html, and
    `context` what they are filled with, as JSON; `files` are dicts of name, media_type and storage key.
    Raises Invalid when a header, an address or a file's name holds CR, LF or NUL (RFC 5322 §2.2).
    """
    refuse_control(message_id, sender, subject, reply_to or "", envelope_from, *to, *copies)
    refuse_control(
        *(headers or {}), *(headers or {}).values(), *(name for file in files or [] for name in file.values())
    )
    now = clock.now()
    email = OutboundEmail(
        message_id=message_id, sender=sender, reply_to=reply_to, envelope_from=envelope_from, subject=subject,
        template=template, context=context, headers=headers or {}, files=files or [],
        thread_token=thread_token, not_before=held_until, created_at=now,
        release=Release.HELD if held_until else Release.RELEASED,
    )  # fmt: skip
    email.recipients = [
        OutboundRecipient(address=address, is_copy=is_copy, queued_at=now, next_attempt_at=held_until or now)
        for is_copy, addresses in ((False, to), (True, copies))
        for address in addresses
    ]
    db.session.add(email)
    if held_until is None:  # a worker looks at the rows each second, and sees when the time has come
        wake(DELIVER)
    return email


def refuse_control(*values: str) -> None:
    """Raise Invalid when a header value would break out of its header."""
    if any(CONTROL.search(value) for value in values):
        raise Invalid("A line break or control character cannot stand in a mail header.")


def has_due() -> bool:
    """True when some delivery may be tried now; never while sending is paused."""
    return db.session.scalar(select(OutboundRecipient.id).where(_is_due(clock.now())).limit(1)) is not None


@transactional
def claim_due(worker: str, *, most: int = BATCH) -> list[Claim]:
    """Take up to `most` due deliveries for `worker`, with a lease; the claim is committed before anything is sent.

    While sending is paused there are none.
    """
    now = clock.now()
    _release_held(now)
    due = (
        select(OutboundRecipient.id)
        .where(_is_due(now))
        .order_by(OutboundRecipient.next_attempt_at, OutboundRecipient.id)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    claim = (
        update(OutboundRecipient)
        .where(OutboundRecipient.id.in_(due))
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
    return [Claim(*row) for row in sorted(db.session.execute(claim))]


def cancel(email: OutboundEmail) -> bool:
    """Take a held mail back, inside the caller's transaction; False when it was released meanwhile."""
    cancelled = update(OutboundEmail).where(OutboundEmail.id == email.id, OutboundEmail.release == Release.HELD)
    answer = cancelled.values(release=Release.CANCELLED).returning(OutboundEmail.id)
    if db.session.scalar(answer.execution_options(synchronize_session=False)) is None:
        return False
    db.session.refresh(email)
    email.recipients = []
    return True


def hold(claim: Claim) -> bool:
    """Make sure of a claim right before its try; False when its lease ran out and somebody else has it."""
    return clock.now() - claim.claimed_at < FRESH or _renew(claim)


def settle(recipient: OutboundRecipient, delivery: Delivery) -> bool:
    """Note how a try ended, inside the caller's transaction; False when the claim is no longer ours."""
    if recipient.state is not DeliveryState.SENDING or recipient.attempts != delivery.claim.attempt:
        return False
    now = clock.now()
    recipient.lease_until, recipient.abandoned, recipient.error = None, 0, delivery.error[:500] or None
    recipient.state, recipient.next_attempt_at = _next_state(recipient, delivery.outcome, now)
    if recipient.state is DeliveryState.UNKNOWN:
        recipient.answer_lost_at = now
    if recipient.next_attempt_at is None:
        recipient.settled_at = now
    return True


def retry(recipient: OutboundRecipient) -> None:
    """Let a failed delivery be tried once more, with the same Message-ID, inside the caller's transaction."""
    if not recipient.can_be_retried:
        raise Refused("This mail is not waiting for another try.")
    recipient.state, recipient.settled_at, recipient.answer_lost_at = DeliveryState.QUEUED, None, None
    recipient.queued_at = recipient.next_attempt_at = clock.now()
    recipient.handled_at = recipient.handled_by = None
    wake(DELIVER)


def mark_handled(recipient: OutboundRecipient, *, by: str) -> None:
    """Somebody saw to a mail that did not arrive: it is not tried again, inside the caller's transaction."""
    if not recipient.can_be_handled:
        raise Refused("Only a mail that did not arrive can be marked as handled.")
    now = clock.now()
    recipient.handled_at, recipient.handled_by = now, by
    recipient.next_attempt_at, recipient.settled_at = None, recipient.settled_at or now


def mark_bounced(recipient: OutboundRecipient, reason: str) -> None:
    """Note that the mail came back, inside the caller's transaction."""
    recipient.state, recipient.error = DeliveryState.BOUNCED, reason[:500]
    recipient.next_attempt_at, recipient.settled_at = None, clock.now()
    recipient.handled_at = recipient.handled_by = None


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


def _next_state(recipient: OutboundRecipient, outcome: Outcome, now: datetime) -> tuple[DeliveryState, datetime | None]:
    if outcome is Outcome.SENT:
        return DeliveryState.SENT, None
    if outcome is Outcome.UNKNOWN:
        return DeliveryState.UNKNOWN, None if recipient.answer_lost_at else now + LATE_RETRY
    again = next_attempt(attempts=recipient.attempts, queued_at=recipient.queued_at, now=now)
    if outcome is Outcome.PERMANENT or again is None:
        return DeliveryState.FAILED, None
    return DeliveryState.QUEUED, again


def _is_due(now: datetime) -> ColumnElement[bool]:
    waiting = and_(
        OutboundRecipient.state.in_((DeliveryState.QUEUED, DeliveryState.UNKNOWN)),
        OutboundRecipient.next_attempt_at <= now,
    )
    abandoned = and_(_was_taken(), OutboundRecipient.lease_until < now)
    released = OutboundRecipient.email.has(or_(OutboundEmail.release == Release.RELEASED, _is_over(now)))
    return and_(or_(waiting, abandoned), released, ~is_paused())


def _was_taken() -> ColumnElement[bool]:
    return OutboundRecipient.state == DeliveryState.SENDING


def _release_held(now: datetime) -> None:
    """From here on nobody takes these back: who cancels just now changes the same row, and one of us is first."""
    over = update(OutboundEmail).where(_is_over(now)).values(release=Release.RELEASED)
    db.session.execute(over.execution_options(synchronize_session=False))


def _is_over(now: datetime) -> ColumnElement[bool]:
    return and_(OutboundEmail.release == word(Release.HELD), OutboundEmail.not_before <= now)
