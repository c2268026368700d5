"""Raw first: every door by which mail comes ends in `receive`, which keeps the bytes and then the row."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from helpdesk import clock, files
from helpdesk.addresses import normalise
from helpdesk.database import db, transactional, wake
from helpdesk.errors import Conflict
from helpdesk.inbound.models import InboundEmail, InboundState, Source
from helpdesk.inbound.parsing import parse
from helpdesk.tickets.messages import Attachment

PROCESS = "process"
ORPHAN_AGE = timedelta(days=2)


def receive(
    raw: bytes,
    *,
    source: Source | None = None,
    uid: tuple[int, int] | None = None,
    envelope_from: str | None = None,
    envelope_to: tuple[str, ...] = (),
    beside: Callable[[], None] | None = None,
) -> InboundEmail:
    """Keep a mail for good: bytes durable, then the row, then the caller may acknowledge.

    `uid` is (UIDVALIDITY, UID) of an IMAP mailbox; `envelope_from` is "" for the null sender and None when
    nobody said; `beside` is done in the transaction that writes the row. Raises Conflict when that UID was kept
    before or `beside` says so, and OSError or a database error when the mail
    could not be kept; then it must stay where it came from.
    """
    envelope = {"envelope_from": envelope_from, "envelope_to": list(envelope_to)}
    return _keep(raw, source=source, uid=uid, beside=beside, **envelope)


def record_oversized(stub: bytes, *, source: Source, uid: tuple[int, int], size: int) -> InboundEmail:
    """Note a mail of `size` bytes that is too large to be fetched; `stub` says so in its place, should it be read.

    Raises like receive.
    """
    mail = parse(stub)
    return _keep(
        stub,
        source=source,
        uid=uid,
        state=InboundState.FAILED,
        reason=f"This mail has {size // 1024 // 1024} MB, more than is fetched; it is still in the mailbox.",
        from_address=normalise(mail.from_.address) if mail.from_ else "",
        subject=mail.subject[:500],
        message_id=mail.message_id,
    )


def sweep_files() -> None:
    """Remove stored bytes that no row names, left by a crash between file and row."""
    old = files.keys_older_than((clock.now() - ORPHAN_AGE).timestamp())
    used = {
        *db.session.scalars(select(Attachment.storage_key)),
        *db.session.scalars(select(InboundEmail.storage_key)),
    }
    for key in set(old) - used:
        files.delete(key)


def _keep(
    raw: bytes,
    *,
    source: Source | None,
    uid: tuple[int, int] | None,
    beside: Callable[[], None] | None = None,
    **values: Any,
) -> InboundEmail:
    key = files.put(raw)
    try:
        return _record(key, source_id=source.id if source else None, uid=uid, beside=beside, **values)
    except Conflict:
        files.delete(key)
        raise


@transactional
def _record(
    key: str,
    /,
    *,
    source_id: int | None,
    uid: tuple[int, int] | None,
    beside: Callable[[], None] | None,
    **values: Any,
) -> InboundEmail:
    if beside is not None:
        beside()
    if uid is not None and _was_kept(source_id, uid):
        raise Conflict("This mail was fetched before.")
    source = db.session.get_one(Source, source_id) if source_id is not None else None
    email = InboundEmail(storage_key=key, received_at=clock.now(), source=source, **values)
    email.queue = source.queue if source else None
    email.uidvalidity, email.uid = uid or (None, None)
    db.session.add(email)
    db.session.flush()
    wake(PROCESS)
    return email


def _was_kept(source_id: int | None, uid: tuple[int, int]) -> bool:
    same = select(InboundEmail.id).where(
        InboundEmail.source_id == source_id, InboundEmail.uidvalidity == uid[0], InboundEmail.uid == uid[1]
    )
    return db.session.scalar(same) is not None
