"""Who may fetch a mailbox just now, and how it went: short transactions of their own."""

from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, or_, update

from helpdesk import clock
from helpdesk.database import db, transactional
from helpdesk.inbound.models import Source
from helpdesk.inbound.sources.mailbox import Address

LEASE = timedelta(minutes=5)


@transactional
def claim_source(source_id: int, *, worker: str) -> bool:
    """Take the lease of an active mailbox, or make ours longer; False while another worker holds it."""
    now = clock.now()
    is_free = or_(Source.lease_until.is_(None), Source.lease_until < now, Source.worker == worker)
    return _change(source_id, is_free, Source.active.is_(True), worker=worker, lease_until=now + LEASE)


@transactional
def release_source(source_id: int, *, worker: str) -> None:
    """Give the lease back, if it is still ours."""
    _change(source_id, Source.worker == worker, worker=None, lease_until=None)


@transactional
def note_success(source_id: int, *, complaint: str | None = None, missing: int = 0) -> None:
    """The mailbox was read to its end; `complaint` says what did not go well all the same, `missing` counts the mails
    that are still there and not here.
    """
    _change(source_id, last_success_at=clock.now(), last_error=complaint and complaint[:500], missing=missing)


@transactional
def note_missing(source_id: int, *, missing: int) -> None:
    """The mailbox holds so many mails that we do not."""
    _change(source_id, missing=missing)


@transactional
def note_error(source_id: int, *, error: str) -> None:
    """The mailbox could not be read, and why, in a sentence for staff."""
    _change(source_id, last_error=error[:500])


@transactional
def change_settings(source: Source, *, settings: dict[str, Any]) -> None:
    """Give a mailbox other settings; those that are empty go. Raises MailboxFailed when they cannot be meant."""
    changed = {name: value for name, value in (source.settings | settings).items() if value not in ("", None)}
    Address.of(changed, password="")
    source.settings = changed


def _change(source_id: int, *conditions: ColumnElement[bool], **values: object) -> bool:
    change = update(Source).where(Source.id == source_id, *conditions).values(**values)
    changed = change.returning(Source.id).execution_options(synchronize_session=False)
    return db.session.scalar(changed) is not None
