"""What a mail that was received becomes: a ticket, a message, a bounced reply, or nothing but its own row."""

import errno
import hashlib
import logging
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from helpdesk import files
from helpdesk.addresses import normalise, split_token
from helpdesk.agents.models import Agent
from helpdesk.database import db, lock, transactional, wake
from helpdesk.errors import HelpdeskError, Refused
from helpdesk.inbound.letters import bounce_address, letter_of, subject_of
from helpdesk.inbound.matching import Match, match
from helpdesk.inbound.models import InboundEmail, InboundState
from helpdesk.inbound.parsing import ParsedEmail, parse
from helpdesk.inbound.receiving import PROCESS, receive, sweep_files
from helpdesk.inbound.screening import Kind, Verdict, screen
from helpdesk.outbound.models import OutboundEmail
from helpdesk.sites.models import Queue
from helpdesk.tickets.delivery import record_bounce
from helpdesk.tickets.emails import LOOP_HEADER, own_loop_value
from helpdesk.tickets.messages import Message
from helpdesk.tickets.models import Origin, Ticket
from helpdesk.tickets.operations import Letter, file_automatic, follow_up, open_ticket

log = logging.getLogger(__name__)

TRIES = 3
BATCH = 100
SHORTAGES = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EMFILE, errno.ENFILE, errno.ENOMEM)


def process_received() -> int:
    """Read all mail that waits, each once; one bad mail never stops the next. Returns how many were read.

    Raises the last shortage (a full disk, a locked database) when all have had their turn.
    """
    done, last, shortage = 0, 0, None
    while batch := _waiting(after=last):
        for email_id in batch:
            try:
                process(email_id)
            except (OSError, OperationalError) as error:
                db.session.rollback()
                shortage = error
        done, last = done + len(batch), batch[-1]
    if shortage is not None:
        raise shortage
    return done


def process(email_id: int) -> InboundEmail:
    """Decide what one mail becomes; what is wrong with it is written on its row, and it is kept.

    Raises OSError or a database error when the machine is short of something: the mail then waits, uncounted.
    """
    email = db.session.get_one(InboundEmail, email_id)
    try:
        raw = files.get(email.storage_key)
        mail = _as_delivered(parse(raw), email)
        act(email, mail=mail, letter=letter_of(mail, raw))
    except Exception as error:
        db.session.rollback()
        if _is_shortage(error):
            raise
        log.exception("mail %s could not be read", email_id)
        note_failure(email, reason=_sentence(error))
    return email


@transactional
def act(email: InboundEmail, *, mail: ParsedEmail, letter: Letter) -> None:
    """Turn a parsed mail into what it means, with its row's end in the same transaction."""
    if email.state not in (InboundState.RECEIVED, InboundState.FAILED):
        return None
    email.attempts += 1
    email.message_id, email.content_hash = _identity(mail), mail.content_hash
    email.from_address, email.subject = letter.from_address, mail.subject[:500]
    email.queue = email.queue or find_queue(mail, tuple(email.envelope_to))
    if email.queue is not None:
        lock(email.queue)  # two copies of a mail must not pass at once
    if _is_duplicate(email):
        return _end(email, InboundState.IGNORED, "The same mail came before.")
    own = frozenset(db.session.scalars(select(Queue.intake_address)))
    found = match(mail, tuple(email.envelope_to))
    own = frozenset() if found.ticket_id is not None else own  # a token decides, whoever the sender says he is
    verdict = screen(mail, own_addresses=own, own_loop_header=f"{LOOP_HEADER}: {own_loop_value()}")
    _act_on(email, mail, letter, verdict, found)
    return None


@transactional
def note_failure(email: InboundEmail, *, reason: str) -> None:
    """Say why a mail could not be read; it is tried again until the third time, then by hand."""
    if email.state is not InboundState.RECEIVED:
        return
    email.attempts += 1
    email.reason = reason
    if email.attempts >= TRIES:
        email.state = InboundState.FAILED


@transactional
def retry_inbound(email: InboundEmail, *, by: Agent) -> None:
    """Let a failed mail be read once more. Raises Refused when it did not fail."""
    if email.state is not InboundState.FAILED:
        raise Refused("Only a mail that failed can be read again.")
    email.state, email.attempts = InboundState.RECEIVED, 0
    wake(PROCESS)


def find_queue(mail: ParsedEmail, envelope_to: tuple[str, ...]) -> Queue | None:
    """The queue whose intake address the mail was sent to, with or without a token; else the first there is."""
    written_to = [*envelope_to, *mail.delivered_to, *(box.address for box in (*mail.to, *mail.cc))]
    plain = [normalise((split_token(address) or (address, ""))[0]) for address in written_to]
    queues = db.session.scalars(select(Queue).order_by(Queue.id)).all()
    by_address = {normalise(queue.intake_address): queue for queue in queues}
    return next((by_address[address] for address in plain if address in by_address), queues[0] if queues else None)


def _waiting(*, after: int) -> Sequence[int]:
    waiting = select(InboundEmail.id).where(InboundEmail.state == InboundState.RECEIVED, InboundEmail.id > after)
    return db.session.scalars(waiting.order_by(InboundEmail.id).limit(BATCH)).all()


def _as_delivered(mail: ParsedEmail, email: InboundEmail) -> ParsedEmail:
    """The mail with the sender that the mail server named, which outranks what the mail says of itself."""
    return mail if email.envelope_from is None else replace(mail, return_path=email.envelope_from)


def _identity(mail: ParsedEmail) -> str:
    """What a mail is recognised by: its Message-ID; without one its very bytes, since two such may look alike."""
    return mail.message_id or f"sha256:{hashlib.sha256(mail.raw).hexdigest()}"


def _act_on(email: InboundEmail, mail: ParsedEmail, letter: Letter, verdict: Verdict, found: Match) -> None:
    ticket = db.session.get(Ticket, found.ticket_id) if found.ticket_id is not None else None
    if verdict.kind is Kind.OWN_LOOP:
        return _end(email, InboundState.IGNORED, verdict.reason)
    if verdict.kind is Kind.BOUNCE and _bounced(email, mail, verdict, ticket):
        return None
    if verdict.kind in (Kind.BOUNCE, Kind.COMPLAINT, Kind.AUTO_REPLY):
        return _file_automatic(email, letter, verdict, ticket)
    if email.queue is None:
        return _end(email, InboundState.REJECTED, "There is no queue to put it into.")
    if ticket is not None and _is_in(ticket, letter):
        return _end(email, InboundState.IGNORED, "The same mail is in its ticket already, by another mailbox.")
    became = _welcome(email.queue, mail, letter, verdict, ticket, found.hint_number)
    email.became = became
    return _end(email, InboundState.ACCEPTED, found.why)


def _welcome(
    queue: Queue, mail: ParsedEmail, letter: Letter, verdict: Verdict, ticket: Ticket | None, hint: int | None
) -> Message:
    if ticket is not None:
        return follow_up(ticket, letter=letter)
    opened = open_ticket(
        queue.site, queue=queue, letter=letter, origin=Origin.EMAIL, subject=subject_of(mail),
        may_be_answered=verdict.may_be_answered and mail.return_path != "", maybe=_existing(hint),
    )  # fmt: skip
    return opened.messages[0]


def _existing(number: int | None) -> int | None:
    """The number, if a ticket has it."""
    return db.session.scalar(select(Ticket.number).where(Ticket.number == number)) if number else None


def _bounced(email: InboundEmail, mail: ParsedEmail, verdict: Verdict, ticket: Ticket | None) -> bool:
    """Mark the mail of ours that came back; False when none is recognised."""
    bounce = verdict.bounce
    sent = _returned(bounce.original_message_id if bounce else None, ticket)
    if sent is None:
        return False
    if bounce is not None and bounce.delayed:
        _end(email, InboundState.IGNORED, verdict.reason)
        return True
    record_bounce(sent, address=bounce_address(bounce), reason=verdict.reason)
    _end(email, InboundState.ACCEPTED, verdict.reason)
    return True


def _returned(original_message_id: str | None, ticket: Ticket | None) -> OutboundEmail | None:
    by_id = select(OutboundEmail).where(OutboundEmail.message_id == original_message_id)
    if original_message_id and (sent := db.session.scalar(by_id)) is not None:
        return sent
    if ticket is None:
        return None
    newest = select(OutboundEmail).where(OutboundEmail.thread_token == f"ticket:{ticket.id}")
    return db.session.scalars(newest.order_by(OutboundEmail.id.desc()).limit(1)).first()


def _file_automatic(email: InboundEmail, letter: Letter, verdict: Verdict, ticket: Ticket | None) -> None:
    """Keep a machine's words in the ticket they answer; without one they stay with the raw mail."""
    if ticket is None:
        return _end(email, InboundState.IGNORED, verdict.reason)
    email.became = file_automatic(ticket, letter=letter)
    return _end(email, InboundState.ACCEPTED, verdict.reason)


def _is_duplicate(email: InboundEmail) -> bool:
    same = select(InboundEmail.id).where(
        InboundEmail.queue_id == (email.queue.id if email.queue else None),
        InboundEmail.message_id == email.message_id,
        InboundEmail.content_hash == email.content_hash,
        InboundEmail.id != email.id,
        InboundEmail.state.in_((InboundState.ACCEPTED, InboundState.IGNORED)),
    )
    return db.session.scalar(same.limit(1)) is not None


def _is_in(ticket: Ticket, letter: Letter) -> bool:
    """True for a copy: one mail to two of our mailboxes must not stand twice in one ticket."""
    same = select(Message.id).where(
        Message.ticket_id == ticket.id,
        Message.message_id == letter.message_id,
        Message.content_hash == letter.content_hash,
    )
    return letter.message_id is not None and db.session.scalar(same.limit(1)) is not None


def _end(email: InboundEmail, state: InboundState, reason: str) -> None:
    email.state, email.reason = state, reason


def _sentence(error: Exception) -> str:
    return error.message if isinstance(error, HelpdeskError) else f"{type(error).__name__} while reading it"


def _is_shortage(error: Exception) -> bool:
    return isinstance(error, OperationalError) or (isinstance(error, OSError) and error.errno in SHORTAGES)


__all__ = [
    "PROCESS",
    "act",
    "find_queue",
    "note_failure",
    "process",
    "process_received",
    "receive",
    "retry_inbound",
    "sweep_files",
]
