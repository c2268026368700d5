"""What a mail that was parsed becomes: a ticket, a message, a bounced reply, or nothing but its own row."""

import hashlib
import logging
from dataclasses import dataclass, replace

from sqlalchemy import and_, case, or_, select

from helpdesk.addresses import bare_spellings, normalise
from helpdesk.agents.models import Agent
from helpdesk.config import settings
from helpdesk.database import after_commit, db, lock, transactional
from helpdesk.inbound.bounce_words import why_it_came_back
from helpdesk.inbound.doubts import doubted
from helpdesk.inbound.forwarding import forwarder_of, take_forward
from helpdesk.inbound.letters import subject_of
from helpdesk.inbound.matching import Match, match, written_to
from helpdesk.inbound.models import InboundEmail, InboundState
from helpdesk.inbound.parsing import ParsedEmail
from helpdesk.inbound.returned import Returned, complained_of, quoted_ticket, returned_by_bounce, returned_to_envelope
from helpdesk.inbound.screening import Kind, Verdict, screen
from helpdesk.inbound.selftest import arrived
from helpdesk.metrics import MAILS_IN
from helpdesk.sites.models import Queue
from helpdesk.tickets.delivery import record_bounce, record_complaint
from helpdesk.tickets.emails import LOOP_HEADER, own_loop_value
from helpdesk.tickets.links import ticket_of_address
from helpdesk.tickets.messages import Message
from helpdesk.tickets.models import Origin, Ticket
from helpdesk.tickets.operations import Letter, file_automatic, follow_up, open_ticket

log = logging.getLogger(__name__)

GONE = "the ticket it belongs to is no longer there: a new ticket"

UNPROVEN = " Nothing in it proves that it is about a mail that its sender got from us, so nothing changes."


@dataclass(frozen=True)
class Place:
    """Where a mail belongs: what its tokens say, and the ticket, delivery or agent's private address behind them."""

    found: Match
    ticket: Ticket | None = None
    returned: Returned | None = None
    by: Agent | None = None

    @property
    def is_told(self) -> bool:
        """True when a token says it."""
        return self.ticket is not None or self.returned is not None or self.by is not None


@transactional
def act(email: InboundEmail, *, mail: ParsedEmail, letter: Letter, inner: Letter | None = None) -> bool:
    """Turn a parsed mail into what it means, with its row's end in the same transaction; False when that was done.

    `inner` is the letter that it forwards.
    """
    if email.state not in (InboundState.RECEIVED, InboundState.FAILED):
        return False
    with db.session.no_autoflush:  # what it is, written once
        _identify(email, mail, letter)
        came_before = _is_duplicate(email)
    own = arrived(mail, tuple(email.envelope_to))
    if own is not None:
        _end(email, InboundState.SELFTEST, own.reason)
    elif came_before:
        _end(email, InboundState.IGNORED, "The same mail came before.")
    else:
        _place(email, mail, letter, inner)
    tell_outcome(email)
    return True


def tell_outcome(email: InboundEmail) -> None:
    """Count what became of a mail and write it into the log, once that is committed."""
    number, state = email.id, email.state.value

    def tell() -> None:
        MAILS_IN.labels(state).inc()
        log.info("a mail was read", extra={"inbound_id": number, "outcome": state})

    after_commit(tell)


def find_queue(mail: ParsedEmail, envelope_to: tuple[str, ...]) -> Queue | None:
    """The queue whose intake address the mail was sent to, with or without a token; else the first there is.

    A mail to the bounce address of one of our mails belongs to the queue of that mail's ticket.
    """
    returned = returned_to_envelope(match(mail, envelope_to).delivery_id)
    if returned is not None and returned.ticket is not None:
        return returned.ticket.queue
    plain = [spelling for address in written_to(mail, envelope_to) for spelling in bare_spellings(address)]
    queues = db.session.scalars(select(Queue).order_by(Queue.id)).all()
    by_address = {normalise(queue.intake_address): queue for queue in queues}
    return next((by_address[address] for address in plain if address in by_address), queues[0] if queues else None)


def _identify(email: InboundEmail, mail: ParsedEmail, letter: Letter) -> None:
    """Write down which mail it is, and keep its queue for ourselves: two copies of a mail must not pass at once."""
    email.lease_until = None
    email.attempts += 1
    email.message_id, email.content_hash = _identity(mail), mail.content_hash
    email.from_address, email.subject = letter.from_address, mail.subject[:500]
    email.queue = email.queue or find_queue(mail, tuple(email.envelope_to))
    if email.queue is not None:
        lock(email.queue)


def _place(email: InboundEmail, mail: ParsedEmail, letter: Letter, inner: Letter | None) -> None:
    """Find out what it is and where it belongs. A token decides, whoever the sender says he is."""
    place = place_of(mail, tuple(email.envelope_to), email.queue)
    ticket, by = place.ticket, place.by
    verdict = screen(
        mail, own_addresses=doubted_addresses(mail, place), own_loop_header=f"{LOOP_HEADER}: {own_loop_value()}",
        trusted_hosts=frozenset(settings().trusted_mail_hosts), is_returned=place.returned is not None,
    )  # fmt: skip
    if by is not None and email.queue is not None and verdict.kind is not Kind.OWN_LOOP:
        maybe, own = ticket.number if ticket else _hinted(place.found), _own_addresses(mail)
        email.became = take_forward(email.queue, mail=mail, letter=letter, inner=inner, by=by, own=own, maybe=maybe)
        return _end(email, InboundState.ACCEPTED, f"{by.name} forwarded it to the own private address.")
    return _act_on(email, mail, letter, verdict, place)


def place_of(mail: ParsedEmail, envelope_to: tuple[str, ...], queue: Queue | None) -> Place:
    """Where a token says that a mail to `queue` belongs."""
    found = match(mail, envelope_to)
    returned = returned_to_envelope(found.delivery_id)
    ticket = returned.ticket if returned else _ticket(found.ticket_id)
    return Place(found, ticket, returned, forwarder_of(mail, envelope_to, queue))


def doubted_addresses(mail: ParsedEmail, place: Place) -> frozenset[str]:
    """The addresses of ours that a mail comes from only in a circle; with a token nobody's are."""
    return frozenset() if place.is_told else _own_addresses(mail)


def _own_addresses(mail: ParsedEmail) -> frozenset[str]:
    """The addresses of all queues, and the sender's when it is a ticket's reply address."""
    sender = mail.from_.address if mail.from_ else ""
    ours = [normalise(sender)] if ticket_of_address(sender) is not None else []
    return frozenset([*db.session.scalars(select(Queue.intake_address)), *ours])


def _identity(mail: ParsedEmail) -> str:
    """What a mail is recognised by: its Message-ID; without one its very bytes, since two such may look alike."""
    return mail.message_id or f"sha256:{hashlib.sha256(mail.raw).hexdigest()}"


def _act_on(
    email: InboundEmail,
    mail: ParsedEmail,
    letter: Letter,
    verdict: Verdict,
    place: Place,
) -> None:
    ticket, found = place.ticket, place.found
    # In a ticket a mail that names no sender is nobody's word, whoever has the ticket's address.
    letter = replace(letter, verified=verdict.doubt is None and (ticket is None or bool(letter.from_address)))
    if verdict.kind is Kind.OWN_LOOP:
        return _end(email, InboundState.IGNORED, verdict.reason)
    if verdict.kind in (Kind.BOUNCE, Kind.COMPLAINT) and _came_back(email, mail, verdict, place):
        return None
    if verdict.kind in (Kind.BOUNCE, Kind.COMPLAINT, Kind.AUTO_REPLY):
        return _file_automatic(email, letter, verdict, ticket)
    if email.queue is None:
        return _end(email, InboundState.REJECTED, "There is no queue to put it into.")
    if ticket is not None and _is_in(ticket, letter):
        return _end(email, InboundState.IGNORED, "The same mail is in its ticket already, by another mailbox.")
    became = _welcome(email.queue, mail, letter, verdict, ticket, _hinted(found))
    email.became = became
    why = GONE if ticket is None and found.ticket_id is not None else found.why
    return _end(email, InboundState.ACCEPTED, doubted(verdict.doubt) + why if verdict.doubt else why)


def _welcome(
    queue: Queue, mail: ParsedEmail, letter: Letter, verdict: Verdict, ticket: Ticket | None, maybe: int | None
) -> Message:
    if ticket is not None:
        letter = replace(letter, verified=letter.verified and not verdict.is_forged)
        return follow_up(ticket, letter=letter, spam_reason=verdict.suspect)
    opened = open_ticket(
        queue.site, queue=queue, letter=letter, origin=Origin.EMAIL, subject=subject_of(mail),
        may_be_answered=verdict.may_be_answered and mail.return_path != "", maybe=maybe,
        spam_reason=verdict.suspect,
    )  # fmt: skip
    return opened.messages[0]


def _hinted(found: Match) -> int | None:
    """The number of the ticket that staff should look at, if there is such a ticket."""
    if not (found.hint_number or found.hint_id):
        return None
    hinted = Ticket.id == found.hint_id if found.hint_id else Ticket.number == found.hint_number
    return db.session.scalar(select(Ticket.number).where(hinted))


def _ticket(ticket_id: int | None) -> Ticket | None:
    return db.session.get(Ticket, ticket_id) if ticket_id is not None else None


def _came_back(email: InboundEmail, mail: ParsedEmail, verdict: Verdict, place: Place) -> bool:
    """Mark the mail of ours that a bounce or complaint is about; False when none is recognised.

    The report holds that mail: it is for those who see the queue of its ticket, in whichever mailbox it arrived.
    """
    ticket = place.ticket
    if verdict.kind is Kind.COMPLAINT:
        ticket = ticket if place.found.by_address else None
        returned, mark = place.returned or complained_of(mail, ticket), _complained
    else:
        returned, mark = place.returned or returned_by_bounce(verdict.bounce, ticket), _bounced
    about = returned.ticket if returned is not None else quoted_ticket(mail)
    if about is not None:
        email.queue = about.queue
    return mark(email, verdict, returned)


def _bounced(email: InboundEmail, verdict: Verdict, returned: Returned | None) -> bool:
    """Mark the mail of ours that came back; False when none is recognised."""
    if returned is None:
        return False
    if verdict.bounce is not None and verdict.bounce.delayed:
        _end(email, InboundState.IGNORED, verdict.reason)
        return True
    record_bounce(returned.email, address=returned.address, reason=why_it_came_back(verdict.bounce))
    _end(email, InboundState.ACCEPTED, verdict.reason)
    return True


def _complained(email: InboundEmail, verdict: Verdict, returned: Returned | None) -> bool:
    """Mark the mail of ours that somebody does not want; False when none is recognised."""
    if returned is None:
        return False
    record_complaint(returned.email, address=returned.address)
    _end(email, InboundState.ACCEPTED, verdict.reason)
    return True


def _file_automatic(email: InboundEmail, letter: Letter, verdict: Verdict, ticket: Ticket | None) -> None:
    """Keep a machine's words in the ticket they answer; without one they stay with the raw mail."""
    if ticket is None or verdict.kind is Kind.COMPLAINT:
        unproven = UNPROVEN if verdict.kind is Kind.COMPLAINT else ""
        return _end(email, InboundState.IGNORED, verdict.reason + unproven)
    email.became = file_automatic(ticket, letter=letter)
    return _end(email, InboundState.ACCEPTED, verdict.reason)


def _is_duplicate(email: InboundEmail) -> bool:
    """True for a mail that was taken before, into the same queue or out of the same mailbox: what came back is moved
    to the queue of the ticket that it is about.
    """
    one = InboundEmail
    in_any = one.queue_id.in_(select(Queue.id)) if email.queue else one.queue_id.is_(None)
    in_queue = one.queue_id == (email.queue.id if email.queue else None)
    in_mailbox = and_(one.source_id == email.source_id, one.source_id.is_not(None))
    was_taken = and_(or_(in_queue, in_mailbox), one.state.in_((InboundState.ACCEPTED, InboundState.IGNORED)))
    same = select(one.id).where(
        in_any,
        one.message_id == email.message_id,
        one.content_hash == email.content_hash,
        one.id != email.id,
        case((was_taken, 1), else_=0) == 1,  # so that it is the index over queue and Message-ID that serves
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
