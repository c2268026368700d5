"""How a mail's delivery shows on its ticket: record, retry, mark handled, bounce."""

import logging
import time
from collections.abc import Callable
from functools import partial

from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from helpdesk import clock
from helpdesk.addresses import normalise
from helpdesk.agents.models import Agent
from helpdesk.database import after_commit, db, lock, transactional
from helpdesk.metrics import MAILS_OUT
from helpdesk.outbound import operations as outbox
from helpdesk.outbound.claiming import claim_next
from helpdesk.outbound.deliveries import Claim, Delivery, Outcome
from helpdesk.outbound.models import CAN_COME_BACK, DeliveryState, OutboundEmail, OutboundRecipient
from helpdesk.outbound.transport import Line, send
from helpdesk.outbound.turns import Turns
from helpdesk.readers.operations import find_reader
from helpdesk.tickets.emails import THREAD
from helpdesk.tickets.events import EventKind
from helpdesk.tickets.messages import Message
from helpdesk.tickets.models import Ticket

log = logging.getLogger(__name__)

HOPELESS = "the worker ended {} times while it sent this mail, which may have arrived"
PAUSES = (1.0, 2.0, 5.0, 10.0, 20.0, 40.0)  # in seconds; together less than the lease of a claim


def deliver_due(worker: str, *, turns: Turns | None = None, is_over: Callable[[], bool] = lambda: False) -> int:
    """Send everything that is due over one connection, one mail after the other, until nothing is left, another thread
    has its turn or it `is_over`; returns how many were tried. Threads of one process share their `turns`.
    """
    turns, tried = turns or Turns(), 0
    with Line() as line:
        while not is_over() and _deliver_next(line, worker, turns):
            tried += 1
    return tried


def _deliver_next(line: Line, worker: str, turns: Turns) -> bool:
    """Claim, commit, send, record; False when there was nothing to do."""
    if not turns.take():
        return False
    try:
        claim = claim_next(worker)
        if claim is not None and (delivery := _try(line, claim)) is not None:
            _record_surely(delivery)
        return claim is not None
    finally:
        turns.leave()


def _try(line: Line, claim: Claim) -> Delivery | None:
    if claim.is_hopeless:
        return Delivery(claim, Outcome.PERMANENT, HOPELESS.format(claim.abandoned))
    return send(line, claim, _recipient(claim))


def _record_surely(delivery: Delivery) -> None:
    """Keep at it while the database is away, as long as the lease lasts: what is not recorded would be sent twice."""
    for pause in PAUSES:
        try:
            return record_delivery(delivery)
        except OperationalError:
            db.session.rollback()
            log.warning("a delivery could not be recorded yet", exc_info=True)
            time.sleep(pause)
    return record_delivery(delivery)


@transactional
def record_delivery(delivery: Delivery) -> None:
    """Write how a try ended: row, event and ticket together. A claim that ran out changes nothing."""
    recipient = _recipient(delivery.claim)
    lock(recipient)
    after_commit(partial(_tell, delivery, recipient.email_id, recipient.email.thread_token))
    if outbox.settle(recipient, delivery) and recipient.state is DeliveryState.FAILED:
        _return_to_queue(recipient, EventKind.SEND_FAILED)


def _tell(delivery: Delivery, outbox_id: int, about: str | None) -> None:
    MAILS_OUT.labels(delivery.outcome.value).inc()
    facts = {"outbox_id": outbox_id, "about": about, "outcome": delivery.outcome.value, "reason": delivery.error}
    log.info("a mail was tried", extra=facts)


@transactional
def record_bounce(email: OutboundEmail, *, address: str | None, reason: str) -> None:
    """A mail came back: the row says bounced and why, a reply's ticket is open again; a receipt's stays as it is.

    `address` is whose mail it was; where it is none that we wrote to, it was forwarded by whom the mail is to. What has
    not left cannot come back, whatever somebody says.
    """
    recipient = recipient_at(email, address)
    if recipient is not None and recipient.state in CAN_COME_BACK:
        outbox.mark_bounced(recipient, reason)
        _return_to_queue(recipient, EventKind.BOUNCED)


@transactional
def record_complaint(email: OutboundEmail, *, address: str | None) -> None:
    """A mail provider calls a mail of ours unwanted: its ticket tells, and the reader gets no more automatic mail."""
    recipient, now = recipient_at(email, address), clock.now()
    if recipient is None or recipient.complained_at is not None:
        return
    recipient.complained_at = now
    reader, ticket = find_reader(recipient.address), ticket_of(email)
    if reader is not None:
        reader.complained_at = now
    if ticket is not None:
        lock(ticket)
        ticket.note_mail(EventKind.COMPLAINED, address=recipient.address, now=now)


def recipient_at(email: OutboundEmail, address: str | None) -> OutboundRecipient | None:
    """The recipient with this address, however it is written; the one that the mail is to when it is nobody's, and None
    when the mail was taken back.
    """
    wanted = normalise(address or "")
    named = (row for row in email.recipients if normalise(row.address) == wanted)
    return next(named, next(iter(email.recipients), None))


def ticket_of(email: OutboundEmail) -> Ticket | None:
    """The ticket that a mail of ours is about; None for mail about an account."""
    thread = email.thread_token or ""
    return db.session.get(Ticket, int(thread.removeprefix(THREAD))) if thread.startswith(THREAD) else None


@transactional
def retry_delivery(recipient: OutboundRecipient, *, by: Agent) -> None:
    """Send a failed mail once more, with the same Message-ID. Raises Refused when it is not waiting for that."""
    outbox.retry(recipient)
    message = _message_of(recipient)
    if message is not None:
        message.ticket.note_mail(EventKind.SEND_RETRIED, address=recipient.address, by=by, now=clock.now())


@transactional
def mark_handled(recipient: OutboundRecipient, *, by: Agent) -> None:
    """Somebody saw to a mail that did not arrive: it is not tried again. Raises Refused when it is not such a mail."""
    if recipient.handled_at is not None:
        return
    outbox.mark_handled(recipient, by=by.name)
    message = _message_of(recipient)
    ticket = message.ticket if message is not None else ticket_of(recipient.email)
    if ticket is not None:
        lock(ticket)
        ticket.note_mail(EventKind.SEND_HANDLED, address=recipient.address, by=by, now=clock.now())


def _return_to_queue(recipient: OutboundRecipient, kind: EventKind) -> None:
    """Say on the ticket what did not arrive; it waits for us again when that was a reply to the reader himself."""
    message, reason = _message_of(recipient), recipient.error or "no reason given"
    now = clock.now()
    if message is not None and not recipient.is_copy:
        lock(message.ticket)
        message.ticket.return_undelivered(kind, address=recipient.address, reason=reason, now=now)
    elif (ticket := ticket_of(recipient.email)) is not None:
        ticket.note_mail(kind, address=recipient.address, reason=reason, now=now)


def _message_of(recipient: OutboundRecipient) -> Message | None:
    return db.session.scalar(select(Message).where(Message.outbound_email_id == recipient.email_id))


def _recipient(claim: Claim) -> OutboundRecipient:
    return db.session.get_one(OutboundRecipient, claim.recipient_id)
