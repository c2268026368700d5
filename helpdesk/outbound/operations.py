"""The outbox: put a mail in, take it back, note how a delivery went, try once more."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update

from helpdesk import clock
from helpdesk.addresses import CONTROL, domain_of
from helpdesk.database import db, wake
from helpdesk.errors import Invalid, Refused
from helpdesk.outbound.deliveries import Delivery, Outcome
from helpdesk.outbound.models import DELIVER, DeliveryState, OutboundEmail, OutboundRecipient, Release
from helpdesk.outbound.schedule import LATE_RETRY, next_attempt
from helpdesk.outbound.waiting import RELAY, end_wait, note_answer


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
    automatic: bool = False,
) -> OutboundEmail:
    """Put a mail into the outbox, inside the caller's transaction; it leaves after the commit.

    With `held_until` it waits until then, and `cancel` can take it back. `copies` are addresses in Cc. `message_id` is
    without angle brackets; `template` is the path of its templates without .txt and .html, and `context` what they are
    filled with, as JSON; `files` are dicts of name, media_type and storage key, and content_id for a picture that the
    text shows. What nobody waits for is `automatic` and leaves after all else.
    Raises Invalid when a header, an address or a file's name holds CR, LF or NUL (RFC 5322 §2.2).
    """
    names = [name for file in files or [] for name in file.values()]
    refuse_control(message_id, sender, subject, reply_to or "", envelope_from, *to, *copies, *names)
    refuse_control(*(headers or {}), *(headers or {}).values())
    now = clock.now()
    email = OutboundEmail(
        message_id=message_id, sender=sender, reply_to=reply_to, envelope_from=envelope_from, subject=subject,
        template=template, context=context, headers=headers or {}, files=files or [],
        thread_token=thread_token, not_before=held_until, created_at=now,
        release=Release.HELD if held_until else Release.RELEASED,
    )  # fmt: skip
    email.recipients = [
        _recipient(address, is_copy=is_copy, automatic=automatic, now=now, due_at=held_until or now)
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


def cancel(email: OutboundEmail) -> bool:
    """Take a held mail back, inside the caller's transaction; False when it was released meanwhile."""
    cancelled = update(OutboundEmail).where(OutboundEmail.id == email.id, OutboundEmail.release == Release.HELD)
    answer = cancelled.values(release=Release.CANCELLED).returning(OutboundEmail.id)
    if db.session.scalar(answer.execution_options(synchronize_session=False)) is None:
        return False
    db.session.refresh(email)
    email.recipients = []
    return True


def withdraw(thread_token: str, *, before: datetime | None = None) -> None:
    """Take back what has not left of a thread, or of its mails from `before` then, inside the caller's transaction."""
    of_thread = [OutboundEmail.thread_token == thread_token]
    of_thread += [OutboundEmail.created_at < before] if before else []
    mails = select(OutboundEmail.id).where(*of_thread)
    waiting = OutboundRecipient.state == DeliveryState.QUEUED
    unsynchronized = {"synchronize_session": False}
    db.session.execute(
        delete(OutboundRecipient).where(OutboundRecipient.email_id.in_(mails), waiting),
        execution_options=unsynchronized,
    )
    cancelled = update(OutboundEmail).where(*of_thread, ~OutboundEmail.recipients.any())
    db.session.execute(cancelled.values(release=Release.CANCELLED), execution_options=unsynchronized)


def withdraw_copies(thread_token: str, *, address: str) -> None:
    """Take back the copies that have not left of a thread's mails to this address, inside the caller's transaction."""
    mails = select(OutboundEmail.id).where(OutboundEmail.thread_token == thread_token)
    to = OutboundRecipient
    copies = to.email_id.in_(mails), to.address == address, to.is_copy, to.state == DeliveryState.QUEUED
    db.session.execute(delete(to).where(*copies), execution_options={"synchronize_session": False})


def settle(recipient: OutboundRecipient, delivery: Delivery) -> bool:
    """Note how a try ended, inside the caller's transaction; False when the claim is no longer ours."""
    if recipient.state is not DeliveryState.SENDING or recipient.attempts != delivery.claim.attempt:
        return False
    now = clock.now()
    note_answer(recipient, delivery, now)
    recipient.lease_until, recipient.abandoned, recipient.error = None, 0, delivery.error[:500] or None
    recipient.state, recipient.next_attempt_at = _next_state(recipient, delivery.outcome, now)
    if recipient.state is DeliveryState.UNKNOWN:
        recipient.answer_lost_at = now
    if recipient.next_attempt_at is None:
        recipient.settled_at = now
    return True


def retry(recipient: OutboundRecipient) -> None:
    """Let a failed delivery be tried once more, with the same Message-ID, inside the caller's transaction; it waits for
    nobody who refused before.
    """
    if not recipient.can_be_retried:
        raise Refused("This mail is not waiting for another try.")
    recipient.state, recipient.settled_at, recipient.answer_lost_at = DeliveryState.QUEUED, None, None
    recipient.queued_at = recipient.next_attempt_at = clock.now()
    recipient.handled_at = recipient.handled_by = None
    end_wait(RELAY, recipient.domain)
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


def _recipient(address: str, *, is_copy: bool, automatic: bool, now: datetime, due_at: datetime) -> OutboundRecipient:
    return OutboundRecipient(
        address=address, domain=domain_of(address), is_copy=is_copy, automatic=automatic, queued_at=now,
        next_attempt_at=due_at,
    )  # fmt: skip


def _next_state(recipient: OutboundRecipient, outcome: Outcome, now: datetime) -> tuple[DeliveryState, datetime | None]:
    if outcome is Outcome.SENT:
        return DeliveryState.SENT, None
    if outcome is Outcome.UNKNOWN:
        return DeliveryState.UNKNOWN, None if recipient.answer_lost_at else now + LATE_RETRY
    again = next_attempt(attempts=recipient.attempts, queued_at=recipient.queued_at, now=now)
    if outcome is Outcome.PERMANENT or again is None:
        return DeliveryState.FAILED, None
    return DeliveryState.QUEUED, again
