"""Which ticket a mail belongs to: by the token of a reply address, then by a Message-ID we issued, else none.

A number in the subject, a sender or a foreign Message-ID never threads by itself: all three can be made up.
"""

import re
from dataclasses import dataclass

from helpdesk.inbound.parsing import ParsedEmail
from helpdesk.outbound.envelopes import delivery_of_envelope
from helpdesk.tickets.links import ticket_of_address, ticket_of_message_id

_NUMBER = re.compile(r"#(\d{1,9})\b")


@dataclass(frozen=True)
class Match:
    """The ticket a mail belongs to, if any, why, and a guess for staff.

    `delivery_id` names the very delivery of ours whose bounce address it was sent to; its ticket is the mail's.
    """

    ticket_id: int | None
    why: str
    hint_number: int | None = None
    delivery_id: int | None = None


def match(mail: ParsedEmail, envelope_to: tuple[str, ...] = ()) -> Match:
    """Find the ticket; `envelope_to` are the addresses the mail server delivered to."""
    for address in (*envelope_to, *mail.delivered_to, *(box.address for box in (*mail.to, *mail.cc))):
        ticket_id, delivery_id = ticket_of_address(address), delivery_of_envelope(address)
        if ticket_id is not None:
            return Match(ticket_id, f"the reply address {address} carries its token")
        if delivery_id is not None:
            return Match(None, f"the bounce address {address} names delivery {delivery_id}", delivery_id=delivery_id)
    for message_id in (*mail.in_reply_to, *reversed(mail.references)):
        ticket_id = ticket_of_message_id(message_id)
        if ticket_id is not None:
            return Match(ticket_id, f"it answers {message_id}, which we issued")
    number = _NUMBER.search(mail.subject)
    return Match(None, "no token and no Message-ID of ours: a new ticket", int(number.group(1)) if number else None)
