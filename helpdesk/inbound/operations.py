"""Reading the mail that was received: each once, the oldest first, and one bad mail never stops the next."""

import errno
import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import repeat, zip_longest
from typing import Any

from sqlalchemy import ColumnElement, Select, or_, select, union_all, update
from sqlalchemy.exc import OperationalError

from helpdesk import clock, files
from helpdesk.agents.models import Agent
from helpdesk.columns import word
from helpdesk.database import db, transactional, wake
from helpdesk.errors import HelpdeskError, Refused
from helpdesk.inbound.acting import act, find_queue, tell_outcome
from helpdesk.inbound.apart import GoneError, read_mail
from helpdesk.inbound.letters import forwarded_letter, letter_of
from helpdesk.inbound.models import InboundEmail, InboundState, Source
from helpdesk.inbound.parsing import ParsedEmail
from helpdesk.inbound.receiving import PROCESS, receive, sweep_files

log = logging.getLogger(__name__)

TRIES = 3
BATCH = 10
LEASE = timedelta(minutes=1)
SHORTAGES = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EMFILE, errno.ENFILE, errno.ENOMEM)


def process_received(source_id: int | None = None) -> int:
    """Read all mail that waits, or all of one mailbox, and that no other worker is reading. Returns how many were read.

    Mailboxes take turns, each with its oldest first, so that none keeps another waiting for longer than a batch.
    Raises the last shortage (a full disk, a locked database) when all have had their turn.
    """
    turns = _turns(source_id)
    shortages: list[Exception] = []
    done = 0
    while ids := _next(turns):
        claimed = _claim("mail", ids=ids)
        for email_id in claimed:
            with _noting_shortage(email_id, shortages):
                process(email_id)
        done += len(claimed)
    if shortages:
        raise shortages[-1]
    return done


def process(email_id: int) -> InboundEmail:
    """Decide what one mail becomes; what is wrong with it is written on its row, and it is kept.

    Raises OSError or a database error when the machine is short of something: the mail then waits, uncounted.
    """
    email = db.session.get_one(InboundEmail, email_id)
    try:
        raw = files.get(email.storage_key)
        reading = read_mail(raw)
        mail = _as_delivered(reading.mail, email)
        letter = letter_of(reading, raw)
        if not act(email, mail=mail, letter=letter, inner=forwarded_letter(reading)):
            for file in letter.files:  # another worker was faster, and stored its own
                files.delete(file.storage_key)
    except Exception as error:
        db.session.rollback()
        if _is_shortage(error):
            raise
        log.exception("mail %s could not be read", email_id)
        note_failure(email, reason=_sentence(error))
    return email


@transactional
def note_failure(email: InboundEmail, *, reason: str) -> None:
    """Say why a mail could not be read; it is tried again until the third time, then by hand."""
    if email.state is not InboundState.RECEIVED:
        return
    email.attempts += 1
    email.reason, email.lease_until = reason, None
    if email.attempts >= TRIES:
        email.state = InboundState.FAILED
    tell_outcome(email)


@transactional
def retry_inbound(email: InboundEmail, *, by: Agent) -> None:
    """Let a failed mail be read once more. Raises Refused when it did not fail."""
    if email.state is not InboundState.FAILED:
        raise Refused("Only a mail that failed can be read again.")
    email.state, email.attempts, email.lease_until = InboundState.RECEIVED, 0, None
    wake(PROCESS)


def _turns(source_id: int | None) -> dict[int | None, int]:
    """Whose mail is read, each with the last id that had its turn; None stands for all doors that are no mailbox."""
    if source_id is not None:
        return {source_id: 0}
    return dict.fromkeys([None, *db.session.scalars(select(Source.id).order_by(Source.id))], 0)


def _next(turns: dict[int | None, int]) -> list[int]:
    """The mails of the next batch: the oldest of each that waits, then the second of each, and so on."""
    now = clock.now()
    rows = db.session.execute(union_all(*(_oldest(of, after, now) for of, after in turns.items()))).all()
    waiting: dict[int | None, list[int]] = {}
    for of, email_id in rows:
        waiting.setdefault(of, []).append(email_id)
    one_each = zip_longest(*(zip(repeat(of), sorted(ids)) for of, ids in waiting.items()))
    batch = [mail for round_ in one_each for mail in round_ if mail is not None][:BATCH]
    turns |= dict(batch)
    return [email_id for _, email_id in batch]


def _oldest(source_id: int | None, after: int, now: datetime) -> Select[Any]:
    of_source = InboundEmail.source_id == source_id if source_id else InboundEmail.source_id.is_(None)
    oldest = select(InboundEmail.source_id, InboundEmail.id).where(of_source, InboundEmail.id > after, _waits(now))
    return select(oldest.order_by(InboundEmail.id).limit(BATCH).subquery())


@transactional
def _claim(_what: str, /, *, ids: list[int]) -> list[int]:
    """Take those of these that wait still, for as long as the lease; committed before any of them is read."""
    now = clock.now()
    free = select(InboundEmail.id).where(InboundEmail.id.in_(ids), _waits(now))
    claim = (
        update(InboundEmail)
        .where(InboundEmail.id.in_(free.with_for_update(skip_locked=True)))
        .values(lease_until=now + LEASE)
        .returning(InboundEmail.id)
        .execution_options(synchronize_session=False)
    )
    return sorted(db.session.scalars(claim), key=ids.index)


@transactional
def _release(email_id: int, /) -> None:
    db.session.execute(update(InboundEmail).where(InboundEmail.id == email_id).values(lease_until=None))


def _waits(now: datetime) -> ColumnElement[bool]:
    is_free = or_(InboundEmail.lease_until.is_(None), InboundEmail.lease_until < now)
    return (InboundEmail.state == word(InboundState.RECEIVED)) & is_free


@contextmanager
def _noting_shortage(email_id: int, shortages: list[Exception]) -> Iterator[None]:
    """The machine is short of something: the mail is free again at once if that can be said, else after the lease."""
    try:
        yield
    except (OSError, OperationalError) as error:
        db.session.rollback()
        shortages.append(error)
        with suppress(OSError, OperationalError):
            _release(email_id)


def _as_delivered(mail: ParsedEmail, email: InboundEmail) -> ParsedEmail:
    """The mail with the sender that the mail server named, which outranks what the mail says of itself."""
    return mail if email.envelope_from is None else replace(mail, return_path=email.envelope_from)


def _sentence(error: Exception) -> str:
    return error.message if isinstance(error, HelpdeskError) else f"{type(error).__name__} while reading it"


def _is_shortage(error: Exception) -> bool:
    if isinstance(error, (OperationalError, files.StoreDown, GoneError)):
        return True
    return isinstance(error, OSError) and error.errno in SHORTAGES


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
