"""Reading the mail that was received: each once, the oldest first, and one bad mail never stops the next."""

import errno
import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.exc import OperationalError

from helpdesk import clock, files
from helpdesk.agents.models import Agent
from helpdesk.database import db, transactional, wake
from helpdesk.errors import HelpdeskError, Refused
from helpdesk.inbound.acting import act, find_queue, tell_outcome
from helpdesk.inbound.apart import GoneError, read_mail
from helpdesk.inbound.letters import forwarded_letter, letter_of
from helpdesk.inbound.models import InboundEmail, InboundState
from helpdesk.inbound.parsing import ParsedEmail
from helpdesk.inbound.receiving import PROCESS, receive, sweep_files

log = logging.getLogger(__name__)

TRIES = 3
BATCH = 10
LEASE = timedelta(minutes=1)
SHORTAGES = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EMFILE, errno.ENFILE, errno.ENOMEM)


def process_received() -> int:
    """Read all mail that waits and that no other worker is reading. Returns how many were read.

    Raises the last shortage (a full disk, a locked database) when all have had their turn.
    """
    done, last = 0, 0
    shortages: list[Exception] = []
    while _has_waiting(after=last) and (claimed := _claim("mail", after=last)):
        for email_id in claimed:
            with _noting_shortage(email_id, shortages):
                process(email_id)
        done, last = done + len(claimed), claimed[-1]
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


def _has_waiting(*, after: int) -> bool:
    return db.session.scalar(select(InboundEmail.id).where(_waits(after, clock.now())).limit(1)) is not None


@transactional
def _claim(_what: str, /, *, after: int) -> list[int]:
    """Take the next few that wait, for as long as the lease; committed before any of them is read."""
    now = clock.now()
    oldest = select(InboundEmail.id).where(_waits(after, now)).order_by(InboundEmail.id).limit(BATCH)
    claim = (
        update(InboundEmail)
        .where(InboundEmail.id.in_(oldest.with_for_update(skip_locked=True)))
        .values(lease_until=now + LEASE)
        .returning(InboundEmail.id)
        .execution_options(synchronize_session=False)
    )
    return sorted(db.session.scalars(claim))


@transactional
def _release(email_id: int, /) -> None:
    db.session.execute(update(InboundEmail).where(InboundEmail.id == email_id).values(lease_until=None))


def _waits(after: int, now: datetime) -> ColumnElement[bool]:
    is_free = or_(InboundEmail.lease_until.is_(None), InboundEmail.lease_until < now)
    return (InboundEmail.state == InboundState.RECEIVED) & (InboundEmail.id > after) & is_free


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
