"""What leads back to a ticket: reply address, Message-ID, mark and status link, each signed, none guessable."""

import re
import secrets
from itertools import islice

from helpdesk.addresses import domain_of, split_token, with_token
from helpdesk.config import settings
from helpdesk.tickets.models import Ticket
from helpdesk.tokens import Kind, keyring

ID_BYTES = 5
VERSION_BYTES = 2
NONCE_BYTES = 8
MOST_MARKS = 100

# Letters of a mark with all that quoting, wrapping and layout put between them: none of it is a letter of the mark or a
# bracket, so that looking for marks takes a time that grows with the text alone.
_GAP = r"[\s>|:\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]{0,80}"
_MARK = re.compile(rf"\[{_GAP}([A-Za-z2-7](?:{_GAP}[A-Za-z2-7]){{36}}){_GAP}\]")
_NO_LETTER = re.compile(r"[^A-Za-z2-7]")


def reply_address(ticket: Ticket) -> str:
    """Where the reader's answer goes: the queue's address, with the ticket's token where that may be."""
    if not settings().plus_addressing:
        return ticket.queue.intake_address
    token = keyring().issue(Kind.READER_REPLY, ticket.id.to_bytes(ID_BYTES))
    return with_token(ticket.queue.intake_address, token)


def ticket_of_address(address: str) -> int | None:
    """The id of the ticket whose reply address this is, whatever its case; None when we never issued it."""
    parts = split_token(address)
    payload = keyring().read(Kind.READER_REPLY, parts[1]) if parts else None
    return int.from_bytes(payload) if payload else None


def new_message_id(ticket: Ticket) -> str:
    """A Message-ID that only we can issue and that names the ticket (RFC 5322 §3.6.4), without brackets."""
    payload = ticket.id.to_bytes(ID_BYTES) + secrets.token_bytes(NONCE_BYTES)
    return f"{keyring().issue(Kind.MESSAGE_ID, payload)}@{domain_of(ticket.queue.intake_address)}"


def ticket_of_message_id(message_id: str) -> int | None:
    """The id of the ticket that one of our own Message-IDs names; None for all others."""
    payload = keyring().read(Kind.MESSAGE_ID, message_id.partition("@")[0])
    return int.from_bytes(payload[:ID_BYTES]) if payload else None


def mark_of(ticket: Ticket) -> str:
    """The last line of our mails where addresses can carry no token; quoted in an answer, it names the ticket."""
    return f"Ticket {ticket.number} · [{keyring().issue(Kind.MARK, ticket.id.to_bytes(ID_BYTES))}]"


def tickets_of_marks(text: str) -> list[int]:
    """The ids of the tickets whose marks stand in a text, from the top, a ticket as often as its mark does.

    A mark is found behind any quotation marks, across broken lines and in capitals. What we never signed is none.
    """
    found = (keyring().read(Kind.MARK, _NO_LETTER.sub("", token)) for token in _candidates(text))
    return [int.from_bytes(payload) for payload in found if payload]


def _candidates(text: str) -> list[str]:
    return [match[1] for match in islice(_MARK.finditer(text), MOST_MARKS)]


def status_path(ticket: Ticket) -> str:
    """The path of the reader's status page; it ends to work when link_version changes."""
    payload = ticket.id.to_bytes(ID_BYTES) + ticket.link_version.to_bytes(VERSION_BYTES)
    return f"/ticket/{keyring().issue(Kind.STATUS_LINK, payload)}"


def read_status_token(token: str) -> tuple[int, int] | None:
    """Ticket id and link version of a status link we issued, else None."""
    payload = keyring().read(Kind.STATUS_LINK, token)
    return (int.from_bytes(payload[:ID_BYTES]), int.from_bytes(payload[ID_BYTES:])) if payload else None
