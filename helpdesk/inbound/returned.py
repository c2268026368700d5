"""Which mail of ours came back, or is complained of, and to whom it had gone."""

from dataclasses import dataclass

from sqlalchemy import select

from helpdesk.database import db
from helpdesk.inbound.bounces import Bounce, original_id
from helpdesk.inbound.mailboxes import read_mailboxes
from helpdesk.inbound.parsing import ParsedEmail
from helpdesk.outbound.envelopes import delivery_of_envelope
from helpdesk.outbound.models import WAS_TRIED, OutboundEmail, OutboundRecipient
from helpdesk.tickets.delivery import ticket_of
from helpdesk.tickets.emails import thread_of
from helpdesk.tickets.links import ticket_of_address, ticket_of_message_id
from helpdesk.tickets.models import Ticket


@dataclass(frozen=True)
class Returned:
    """A mail of ours, and the address whose delivery is meant; None when nobody said whose."""

    email: OutboundEmail
    address: str | None

    @property
    def ticket(self) -> Ticket | None:
        """The ticket it is about; None for mail about an account."""
        return ticket_of(self.email)


def returned_to_envelope(delivery_id: int | None) -> Returned | None:
    """The delivery that a bounce address names: no other sign of a bounce is as sure."""
    sent = db.session.get(OutboundRecipient, delivery_id) if delivery_id is not None else None
    return Returned(sent.email, sent.address) if sent is not None else None


def returned_by_bounce(bounce: Bounce | None, ticket: Ticket | None) -> Returned | None:
    """The mail whose Message-ID the bounce quotes, else the newest that left of the ticket it came to."""
    original = bounce.original_message_id if bounce else None
    return _sent(original, ticket, _whose_came_back(bounce))


def complained_of(mail: ParsedEmail, ticket: Ticket | None) -> Returned | None:
    """The mail that a complaint is about (RFC 5965 §3.2), as far as a token proves that it had that mail.

    That is the bounce address of a delivery, which only its recipient has, or else the reply address of `ticket`, to
    which the complaint was sent. A Message-ID proves nothing: everybody who got a copy knows it.
    """
    fields = dict(mail.report.groups[0]) if mail.report and mail.report.groups else {}
    envelopes = [fields.get("original-mail-from", "")] + (
        [mail.report.first_returned("return-path")] if mail.report else []
    )
    named = (returned_to_envelope(delivery_of_envelope(_address(one) or "")) for one in envelopes)
    if (by_envelope := next(filter(None, named), None)) is not None or ticket is None:
        return by_envelope
    found = _sent(original_id(mail), ticket, _address(fields.get("original-rcpt-to", "")))
    return found if found is not None and found.email.thread_token == thread_of(ticket) else None


def quoted_ticket(mail: ParsedEmail) -> Ticket | None:
    """The ticket whose mail a report holds, by whatever of it is ours: it decides who may read the report."""
    returned_to = _address(mail.report.first_returned("reply-to")) if mail.report else None
    ticket_id = ticket_of_message_id(original_id(mail) or "") or ticket_of_address(returned_to or "")
    return db.session.get(Ticket, ticket_id) if ticket_id is not None else None


def _sent(message_id: str | None, ticket: Ticket | None, address: str | None) -> Returned | None:
    by_id = select(OutboundEmail).where(OutboundEmail.message_id == message_id)
    if message_id and (sent := db.session.scalar(by_id)) is not None:
        return Returned(sent, address)
    if ticket is None:
        return None
    was_tried = OutboundEmail.recipients.any(OutboundRecipient.state.in_(WAS_TRIED))
    newest = select(OutboundEmail).where(OutboundEmail.thread_token == thread_of(ticket), was_tried)
    sent = db.session.scalars(newest.order_by(OutboundEmail.id.desc()).limit(1)).first()
    return Returned(sent, address) if sent is not None else None


def _whose_came_back(bounce: Bounce | None) -> str | None:
    return bounce.recipients[0] if bounce and bounce.recipients else None


def _address(value: str) -> str | None:
    boxes = read_mailboxes([value], limit=1)
    return boxes[0].address if boxes else None
