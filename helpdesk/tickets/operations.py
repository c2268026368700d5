"""What readers write: a ticket opens, a letter follows up, a machine answers."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import select

from helpdesk import clock
from helpdesk.addresses import mailbox_of, normalise
from helpdesk.agents.models import Agent
from helpdesk.articles.operations import article_behind
from helpdesk.config import settings
from helpdesk.database import after_commit, db, transactional
from helpdesk.metrics import TICKETS_OPENED
from helpdesk.rate_limit import Limit, count
from helpdesk.readers.models import Reader, ReaderAddress
from helpdesk.readers.operations import acquaint, recognise
from helpdesk.sites.models import Queue, Site, Topic
from helpdesk.tickets.emails import queue_receipt
from helpdesk.tickets.messages import Message, MessageKind
from helpdesk.tickets.models import BLOCKED, Origin, Resolution, Status, Ticket
from helpdesk.tickets.participants import Participant
from helpdesk.tickets.recall import Recalled, recall
from helpdesk.tickets.search import index_message
from helpdesk.tickets.thanks import is_only_thanks
from helpdesk.tickets.writing import Letter, adopt_uploads, message_of, note_of, subject_of

HOUR = 60 * 60
DAY = 24 * HOUR
MOST_RECEIPTS_PER_HOUR = 500


@transactional
def open_ticket(
    site: Site,
    *,
    queue: Queue,
    letter: Letter,
    origin: Origin,
    subject: str = "",
    topic: Topic | None = None,
    article_url: str | None = None,
    wants_answer: bool = True,
    may_be_answered: bool = True,
    spam_reason: str | None = None,
    limits: Sequence[Limit] = (),
    continues: Ticket | None = None,
    maybe: int | None = None,
    upload_token: str | None = None,
    recalled: Recalled | None = None,
    forwarded_by: Agent | None = None,
) -> Ticket:
    """Make a ticket of a letter, with its reader, article and receipt.

    The same letter sent twice (submission key and content) leads to the ticket it became first. A `spam_reason`, or
    passing one of `limits` (they count new letters), files it as spam. `may_be_answered` False: no automatic mail.
    `maybe` is the number of a ticket it could belong to. What was `forwarded_by` an agent and names nobody is his note.
    """
    recalled = recalled or recall(letter, site, article_url=article_url)
    if recalled.before is not None:
        return recalled.before.ticket
    reader = _writer(letter, recalled.reader)
    wants_receipt = wants_answer and may_be_answered and not (reader is not None and reader.complained_at)
    reason, gets_receipt = _judge(reader, reason=spam_reason, limits=limits, wants_receipt=wants_receipt)
    article = article_behind(article_url, site, known=recalled.article) if article_url else None
    ticket = Ticket(
        number=recalled.next_number, site=site, queue=queue, topic=topic, article=article, reader=reader,
        subject=subject or subject_of(letter), origin=origin, language=site.language, status=Status.NEW,
        priority=topic.priority if topic else None, wants_answer=wants_answer and reader is not None,
        opened_at=clock.now(), continues=continues, tags=[], link_version=1,
    )  # fmt: skip
    message = _begin(ticket, letter, spam_reason=reason, by=forwarded_by, receipt=gets_receipt, maybe=maybe)
    adopt_uploads(message, upload_token)
    index_message(message, ticket.subject)
    if gets_receipt and reader is not None:
        queue_receipt(ticket, to=reader.address)
    after_commit(TICKETS_OPENED.labels(origin.value).inc)
    return ticket


@transactional
def follow_up(
    ticket: Ticket, *, letter: Letter, upload_token: str | None = None, spam_reason: str | None = None
) -> Message:
    """Add what the reader wrote next; a ticket closed too long ago is continued by a new one, spam for a `spam_reason`.

    From another address than the reader's or a participant's it is kept, and marked as not verified: whoever has the
    thread's address may write into it, but nobody becomes its reader or a participant that way.
    """
    before = find_submission(letter)
    if before is not None:
        return before
    letter = replace(letter, verified=letter.verified and _is_expected(ticket, letter))
    now = clock.now()
    if not ticket.takes_follow_ups(now):
        return _continue(ticket, letter, upload_token, spam_reason)
    message = message_of(letter, _author(ticket, letter))
    ticket.follow_up(message, now=now, is_thanks=is_only_thanks(ticket, letter))
    db.session.flush()
    adopt_uploads(message, upload_token)
    index_message(message, ticket.subject)
    return message


@transactional
def file_automatic(ticket: Ticket, *, letter: Letter) -> Message:
    """Keep an automatic answer in its ticket; it changes no status and triggers nothing."""
    message = message_of(letter, _author(ticket, letter), kind=MessageKind.AUTO)
    ticket.file_automatic(message, now=clock.now())
    db.session.flush()
    return message


def find_submission(letter: Letter) -> Message | None:
    """The message that this very form submission became before."""
    if letter.submission_key is None:
        return None
    same = (Message.submission_key == letter.submission_key, Message.content_hash == letter.content_hash)
    return db.session.scalar(select(Message).where(*same))


def _begin(ticket: Ticket, letter: Letter, *, spam_reason: str | None, by: Agent | None, **told: int | None) -> Message:
    """Write a new ticket with its first message and events."""
    now = clock.now()
    forwarded = {"forwarded": ticket.reader.address if ticket.reader else ""} if by else {}
    with db.session.no_autoflush:
        message = note_of(letter, by) if by and ticket.reader is None else message_of(letter, ticket.reader)
        ticket.open(message, now=now, by=by, **told, **forwarded)
        if spam_reason is not None:
            ticket.mark_spam(by=None, now=now, reason=spam_reason)
        db.session.add(ticket)
    db.session.flush()
    return message


def _continue(ticket: Ticket, letter: Letter, upload_token: str | None, spam_reason: str | None) -> Message:
    """Put a letter to a ticket closed long ago into its reader's next one, or begin that one.

    Who is not its reader begins one of his own, which tells him nothing of the old one.
    """
    continuing = select(Ticket).where(Ticket.continues_id == ticket.id, Ticket.reader_id == ticket.reader_id)
    later = db.session.scalar(continuing.order_by(Ticket.id.desc()).limit(1))
    if later is not None and letter.verified:
        return follow_up(later, letter=letter, upload_token=upload_token, spam_reason=spam_reason)
    opened = open_ticket(
        ticket.site, queue=ticket.queue, letter=letter, origin=ticket.origin, topic=ticket.topic,
        subject=ticket.subject if letter.verified else "", may_be_answered=False, continues=ticket,
        upload_token=upload_token, spam_reason=spam_reason,
    )  # fmt: skip
    opened.article = ticket.article if letter.verified else None
    return opened.messages[0]


def _judge(
    reader: Reader | None, *, reason: str | None, limits: Sequence[Limit], wants_receipt: bool
) -> tuple[str | None, bool]:
    """Why it is spam, None when it is not, and whether a receipt may go out; all limits are counted at once."""
    if reason is None and reader is not None and reader.blocked_at:
        reason = BLOCKED
    if reason is not None:  # what is spam anyway uses up nobody's limit
        return reason, False
    receipt = _receipt_limits(reader) if wants_receipt else ()
    passed = count(*limits, *receipt) if limits or receipt else None
    if passed is not None and passed in limits:
        return f"too many messages from {passed.name}", False
    return None, bool(receipt) and passed is None


def _writer(letter: Letter, known: Reader | None) -> Reader | None:
    return acquaint(known, address=letter.from_address, name=letter.from_name) if letter.from_address else None


def _receipt_limits(reader: Reader | None) -> tuple[Limit, ...]:
    """At most one receipt per address and day, and no flood of them whoever is named."""
    if reader is None:
        return ()
    most = settings().receipts_per_address_per_day
    return (
        Limit("receipt", mailbox_of(reader.address), most, DAY),
        Limit("all receipts", "", MOST_RECEIPTS_PER_HOUR, HOUR),
    )


def _author(ticket: Ticket, letter: Letter) -> Reader | None:
    """Who wrote a follow-up: the address's owner, on the status page the reader; nobody when a forger says he is."""
    if not letter.from_address:
        return ticket.reader if letter.verified else None
    known = ticket.reader.addresses if ticket.reader else []
    if not letter.verified and _is_among(known, normalise(letter.from_address)):
        return None
    return recognise(letter.from_address, name=letter.from_name)


def _is_expected(ticket: Ticket, letter: Letter) -> bool:
    """True when no address is given, as on the status page, or it is one of the reader's own or a participant's."""
    address, own = normalise(letter.from_address), ticket.reader.addresses if ticket.reader else []
    return not address or _is_among(own, address) or _is_among(ticket.participants, address)


def _is_among(known: Sequence[ReaderAddress | Participant], address: str) -> bool:
    return any(one.address == address for one in known)


__all__ = [
    "Letter",
    "Resolution",
    "file_automatic",
    "find_submission",
    "follow_up",
    "open_ticket",
]
