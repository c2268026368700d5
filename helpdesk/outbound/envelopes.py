"""Whom a mail server tells when a mail of ours does not arrive: the envelope's sender (RFC 5321 §4.4, RFC 3464)."""

from helpdesk.addresses import split_token, with_token
from helpdesk.config import settings
from helpdesk.outbound.models import OutboundRecipient
from helpdesk.tokens import Kind, keyring

ID_BYTES = 5


def envelope_from(recipient: OutboundRecipient) -> str:
    """The bounce address with a token that names this very delivery; without such an address, what the mail says.

    Mail about an account keeps its own: a bounce quotes it, with the link that opens the account, and what comes to the
    bounce address is read by editors.
    """
    address = settings().bounce_address
    if not address or recipient.email.thread_token is None:
        return recipient.email.envelope_from
    return with_token(address, keyring().issue(Kind.BOUNCE, recipient.id.to_bytes(ID_BYTES)))


def delivery_of_envelope(address: str) -> int | None:
    """The id of the delivery that a bounce address names, whatever its case; None when we never issued it."""
    parts = split_token(address)
    payload = keyring().read(Kind.BOUNCE, parts[1]) if parts else None
    return int.from_bytes(payload) if payload else None
