"""Which ticket a mail belongs to: by the token of a reply address, then by a Message-ID we issued, then by the mark of
a mail of ours that it quotes, else none.

A number in the subject, a sender or a foreign Message-ID never threads by itself: all three can be made up.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape

from helpdesk.inbound.parsing import ParsedEmail
from helpdesk.outbound.envelopes import delivery_of_envelope
from helpdesk.tickets.links import ticket_of_address, ticket_of_message_id, tickets_of_marks

MARKED_CHARACTERS = 1_000_000

_NUMBER = re.compile(r"#(\d{1,9})\b")
_TAG = re.compile(r"<[^<>]*>")


@dataclass(frozen=True)
class Match:
    """The ticket a mail belongs to, if any, why, and a guess for staff: a ticket's number or its id.

    `delivery_id` names the very delivery of ours whose bounce address it was sent to; its ticket is the mail's.
    `by_address` says that it was sent to the ticket's reply address.
    """

    ticket_id: int | None
    why: str
    hint_number: int | None = None
    hint_id: int | None = None
    delivery_id: int | None = None
    by_address: bool = False


def written_to(mail: ParsedEmail, envelope_to: tuple[str, ...]) -> Iterator[str]:
    """Every address the mail was sent to: those the mail server delivered to first, then those the mail names."""
    yield from (*envelope_to, *mail.delivered_to, *(box.address for box in (*mail.to, *mail.cc)))


def match(mail: ParsedEmail, envelope_to: tuple[str, ...] = ()) -> Match:
    """Find the ticket; `envelope_to` are the addresses the mail server delivered to."""
    return _by_address(mail, envelope_to) or _by_message_id(mail) or _by_mark(mail) or _none(mail)


def _by_address(mail: ParsedEmail, envelope_to: tuple[str, ...]) -> Match | None:
    for address in written_to(mail, envelope_to):
        ticket_id, delivery_id = ticket_of_address(address), delivery_of_envelope(address)
        if ticket_id is not None:
            return Match(ticket_id, f"the reply address {address} carries its token", by_address=True)
        if delivery_id is not None:
            return Match(None, f"the bounce address {address} names delivery {delivery_id}", delivery_id=delivery_id)
    return None


def _by_message_id(mail: ParsedEmail) -> Match | None:
    for message_id in (*mail.in_reply_to, *reversed(mail.references)):
        ticket_id = ticket_of_message_id(message_id)
        if ticket_id is not None:
            return Match(ticket_id, f"it answers {message_id}, which we issued")
    return None


def _by_mark(mail: ParsedEmail) -> Match | None:
    """By the one ticket whose mark the mail quotes; a mail that only forwards one is no answer to it."""
    written = tickets_of_marks(mail.text[:MARKED_CHARACTERS])
    shown = tickets_of_marks(unescape(_TAG.sub("", (mail.html or "")[:MARKED_CHARACTERS])))
    found = list(dict.fromkeys([*written, *shown]))
    if not found:
        return None
    if len(found) > 1:
        return Match(None, "it quotes the marks of different tickets: a new ticket", hint_id=found[0])
    if mail.forwarded and Counter(tickets_of_marks(mail.forwarded.text)) >= Counter(written):
        return Match(None, "it forwards a mail of ours: a new ticket", hint_id=found[0])
    return Match(found[0], "it quotes a mail of ours with its mark")


def _none(mail: ParsedEmail) -> Match:
    number = _NUMBER.search(mail.subject)
    return Match(None, "no token and no Message-ID of ours: a new ticket", int(number.group(1)) if number else None)
