"""Which ticket a mail belongs to: by the token of a reply address, then by a Message-ID we issued, else none.

A number in the subject, a sender or a foreign Message-ID never threads by itself: all three can be made up.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from helpdesk.inbound.parsing import ParsedEmail
from helpdesk.tickets.links import ticket_of_address, ticket_of_message_id

_NUMBER = re.compile(r"#(\d{1,9})\b")


@dataclass(frozen=True)
class Match:
    """The ticket a mail belongs to, if any, why, and a guess for staff."""

    ticket_id: int | None
    why: str
    hint_number: int | None = None


def written_to(mail: ParsedEmail, envelope_to: tuple[str, ...]) -> Iterator[str]:
    """Every address the mail was sent to: those the mail server delivered to first, then those the mail names."""
    yield from (*envelope_to, *mail.delivered_to, *(box.address for box in (*mail.to, *mail.cc)))


def match(mail: ParsedEmail, envelope_to: tuple[str, ...] = ()) -> Match:
    """Find the ticket; `envelope_to` are the addresses the mail server delivered to."""
    for address in written_to(mail, envelope_to):
        ticket_id = ticket_of_address(address)
        if ticket_id is not None:
            return Match(ticket_id, f"the reply address {address} carries its token")
    for message_id in (*mail.in_reply_to, *reversed(mail.references)):
        ticket_id = ticket_of_message_id(message_id)
        if ticket_id is not None:
            return Match(ticket_id, f"it answers {message_id}, which we issued")
    number = _NUMBER.search(mail.subject)
    return Match(None, "no token and no Message-ID of ours: a new ticket", int(number.group(1)) if number else None)
