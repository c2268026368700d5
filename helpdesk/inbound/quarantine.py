"""What staff do with a mail that became no ticket: make one of it after all, or ignore it."""

import logging
from dataclasses import replace

from helpdesk import clock, files
from helpdesk.agents.models import Agent
from helpdesk.database import transactional
from helpdesk.errors import Refused
from helpdesk.inbound.acting import find_queue
from helpdesk.inbound.apart import read_mail
from helpdesk.inbound.letters import RAW_NAME, letter_of, subject_of
from helpdesk.inbound.models import NOT_TAKEN, InboundEmail, InboundState
from helpdesk.inbound.parsing import ParsedEmail
from helpdesk.inbound.reading import Reading, unread
from helpdesk.tickets.models import Origin, Ticket
from helpdesk.tickets.operations import Letter, open_ticket
from helpdesk.tickets.replying import add_note
from helpdesk.uploads import store

log = logging.getLogger(__name__)

NOTE = "I made this ticket of a mail that had become none: {reason}"
NO_REASON = "no reason was noted."


def make_ticket(email: InboundEmail, *, by: Agent) -> Ticket:
    """A ticket of a mail that became none: its words as far as they can be read, the raw mail, and a note why.

    Nobody gets a receipt. Raises Refused when it became one meanwhile, when there is no queue or no raw mail, OSError
    when the store does not answer or is full.
    """
    raw = _raw(email)
    reading = _read(raw, reason=email.reason or NO_REASON)
    letter = _whole_letter(reading, raw)
    try:
        return _open(email, mail=reading.mail, letter=letter, by=by)
    except Exception:
        for file in letter.files:
            files.delete(file.storage_key)
        raise


@transactional
def ignore_inbound(email: InboundEmail, *, by: Agent) -> None:
    """Take a mail off the list; it is kept. Raises Refused when it became something meanwhile."""
    _refuse_taken(email)
    if email.ignored_at is None:
        email.state, email.lease_until = InboundState.IGNORED, None
        email.ignored_at, email.ignored_by = clock.now(), by.name


@transactional
def _open(email: InboundEmail, *, mail: ParsedEmail, letter: Letter, by: Agent) -> Ticket:
    _refuse_taken(email)
    email.queue = email.queue or find_queue(mail, tuple(email.envelope_to))
    if email.queue is None:
        raise Refused("There is no queue to put it into.")
    ticket = open_ticket(
        email.queue.site, queue=email.queue, letter=letter, origin=Origin.EMAIL, subject=subject_of(mail),
        may_be_answered=False,
    )  # fmt: skip
    email.became = ticket.messages[0]
    add_note(ticket, body=NOTE.format(reason=email.reason or NO_REASON), by=by)
    email.state, email.reason = InboundState.ACCEPTED, f"{by.name} made a ticket of it."
    return ticket


def _raw(email: InboundEmail) -> bytes:
    try:
        return files.get(email.storage_key)
    except FileNotFoundError:
        raise Refused("The raw mail is no longer there, so no ticket can be made of it.") from None


def _refuse_taken(email: InboundEmail) -> None:
    if email.state not in NOT_TAKEN:
        raise Refused("This mail is no longer among those that became no ticket.")


def _read(raw: bytes, *, reason: str) -> Reading:
    """The mail as far as it can be read: what kept it out may be the very fault that keeps it from being read."""
    try:
        return read_mail(raw)
    except Exception:
        log.exception("a mail is made a ticket without being read")
        return unread(raw, reason)


def _whole_letter(reading: Reading, raw: bytes) -> Letter:
    """All that the mail says, always with the raw mail, since somebody had a reason not to take it."""
    letter = letter_of(reading, raw)
    return letter if reading.mail.unreadable else replace(letter, files=(*letter.files, store(RAW_NAME, raw)))
