"""InboundEmail, a mail kept raw from the moment it came; Source, a mailbox we fetch from, and what is stuck in it."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from helpdesk.columns import one_of
from helpdesk.database import Base
from helpdesk.sites.models import Queue
from helpdesk.tickets.messages import Message


class InboundState(StrEnum):
    """What became of a mail; every end but accepted has its reason."""

    RECEIVED = "received"
    ACCEPTED = "accepted"
    IGNORED = "ignored"
    REJECTED = "rejected"
    FAILED = "failed"


WAITS = f"state = '{InboundState.RECEIVED.value}'"
NOT_TAKEN = (InboundState.FAILED, InboundState.REJECTED, InboundState.IGNORED)


class Source(Base):
    """A mailbox: where it is, who holds its lease, and when it last worked. Its password is a setting, not a row.

    `missing` counts the mails that it holds and we do not; `ledger_of` names the mailbox whose UIDs we have noted.
    """

    __tablename__ = "source"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    queue_id: Mapped[int] = mapped_column(ForeignKey("queue.id", ondelete="CASCADE"), index=True)
    settings: Mapped[dict[str, Any]]
    active: Mapped[bool] = mapped_column(default=True)
    worker: Mapped[str | None]
    lease_until: Mapped[datetime | None]
    last_success_at: Mapped[datetime | None]
    last_error: Mapped[str | None]
    missing: Mapped[int] = mapped_column(default=0, server_default="0")
    ledger_of: Mapped[str | None]

    queue: Mapped[Queue] = relationship()


class SourceToken(Base):
    """What OAuth gave us for a mailbox, sealed, and until when one worker is renewing it."""

    __tablename__ = "source_token"

    source_id: Mapped[int] = mapped_column(ForeignKey("source.id", ondelete="CASCADE"), primary_key=True)
    sealed: Mapped[str] = mapped_column(default="")
    renewing_until: Mapped[datetime | None]


class StuckEmail(Base):
    """A mail that is in its mailbox and could not be taken: which, why, how often that was tried, and who left it."""

    __tablename__ = "stuck_email"
    __table_args__ = (UniqueConstraint("source_id", "uidvalidity", "uid"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    source_id: Mapped[int] = mapped_column(ForeignKey("source.id", ondelete="CASCADE"))
    uidvalidity: Mapped[int] = mapped_column(BigInteger)
    uid: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str]
    attempts: Mapped[int] = mapped_column(default=0)
    first_failed_at: Mapped[datetime]
    last_failed_at: Mapped[datetime]
    left_at: Mapped[datetime | None]
    left_by: Mapped[str | None]

    source: Mapped[Source] = relationship()


class InboundEmail(Base):
    """One mail as it arrived: raw bytes by storage key, where it came from, and what became of it."""

    __tablename__ = "inbound_email"
    __table_args__ = (
        UniqueConstraint("source_id", "uidvalidity", "uid"),
        Index("ix_inbound_email_queue_id_message_id", "queue_id", "message_id"),
        Index("ix_inbound_email_state_id", "state", "id"),
        Index("ix_inbound_email_waiting", "source_id", "id", sqlite_where=text(WAITS), postgresql_where=text(WAITS)),
    )
    locked_by_verbs = True

    id: Mapped[int] = mapped_column(primary_key=True)
    storage_key: Mapped[str] = mapped_column(unique=True)
    source_id: Mapped[int | None] = mapped_column(ForeignKey("source.id", ondelete="SET NULL"))
    uidvalidity: Mapped[int | None] = mapped_column(BigInteger)  # 32 bits without a sign (RFC 3501 §2.3.1.1)
    uid: Mapped[int | None] = mapped_column(BigInteger)
    copied_at: Mapped[datetime | None]  # into the folder for processed mail, on a server that cannot move
    queue_id: Mapped[int | None] = mapped_column(ForeignKey("queue.id", ondelete="SET NULL"))
    envelope_from: Mapped[str | None]
    envelope_to: Mapped[list[str]] = mapped_column(default=list)
    message_id: Mapped[str | None]
    content_hash: Mapped[str | None]
    from_address: Mapped[str] = mapped_column(default="")
    subject: Mapped[str] = mapped_column(default="")
    state: Mapped[InboundState] = mapped_column(one_of(InboundState, "state"), default=InboundState.RECEIVED)
    reason: Mapped[str] = mapped_column(default="")
    attempts: Mapped[int] = mapped_column(default=0)
    lease_until: Mapped[datetime | None]
    became_id: Mapped[int | None] = mapped_column(ForeignKey("message.id", ondelete="SET NULL"), index=True)
    received_at: Mapped[datetime]
    ignored_at: Mapped[datetime | None]
    ignored_by: Mapped[str | None]

    source: Mapped[Source | None] = relationship()
    queue: Mapped[Queue | None] = relationship()
    became: Mapped[Message | None] = relationship()
