"""OutboundEmail, a mail with all that it will say, its recipients with the state of each delivery, and what holds
sending back: SendingPause by hand, DestinationWait by itself.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from helpdesk.columns import one_of
from helpdesk.database import Base

DELIVER = "deliver"  # the worker's task that sends what is due


class Release(StrEnum):
    """Whether a mail may leave: held can still be undone, cancelled never leaves."""

    HELD = "held"
    RELEASED = "released"
    CANCELLED = "cancelled"


IS_HELD = "release = 'held'"


class DeliveryState(StrEnum):
    """How far a mail has come for one recipient; unknown means that the server never answered after the last dot."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    BOUNCED = "bounced"
    UNKNOWN = "unknown"


WAS_TRIED = (DeliveryState.SENT, DeliveryState.UNKNOWN, DeliveryState.BOUNCED, DeliveryState.FAILED)
CAN_COME_BACK = (DeliveryState.SENDING, DeliveryState.SENT, DeliveryState.UNKNOWN)
NOT_ARRIVED = (DeliveryState.FAILED, DeliveryState.BOUNCED, DeliveryState.UNKNOWN)


class OutboundEmail(Base):
    """One mail that we send; its Message-ID is fixed when the row is written, so that a repeat is recognised.

    `template` and `context` become its words when it leaves, so that no verb holds the database while it renders.
    """

    __tablename__ = "outbound_email"
    __table_args__ = (
        Index("ix_outbound_email_held", "not_before", sqlite_where=text(IS_HELD), postgresql_where=text(IS_HELD)),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[str] = mapped_column(unique=True)
    sender: Mapped[str]
    reply_to: Mapped[str | None]
    envelope_from: Mapped[str]
    subject: Mapped[str]
    template: Mapped[str]
    context: Mapped[dict[str, Any]]
    headers: Mapped[dict[str, str]]
    files: Mapped[list[dict[str, str]]]
    thread_token: Mapped[str | None] = mapped_column(index=True)
    release: Mapped[Release] = mapped_column(one_of(Release, "release"), default=Release.RELEASED)
    not_before: Mapped[datetime | None]
    created_at: Mapped[datetime]

    recipients: Mapped[list["OutboundRecipient"]] = relationship(
        back_populates="email", cascade="all, delete-orphan", order_by="OutboundRecipient.id"
    )

    @property
    def to(self) -> str:
        """Whom it is to, the first address when there are several."""
        return next(one.address for one in self.recipients if not one.is_copy)

    @property
    def copies(self) -> list[str]:
        """Who gets a copy, as all its recipients can see."""
        return [one.address for one in self.recipients if one.is_copy]

    @property
    def delivery(self) -> "OutboundRecipient":
        """The recipient whose delivery wants most attention."""
        return max(self.recipients, key=lambda recipient: _URGENCY[recipient.state])


class OutboundRecipient(Base):
    """The delivery of one mail to one address, which stands in To, or in Cc as that of a copy; `domain` is where to, in
    ASCII, and what is `automatic` leaves last.
    """

    __tablename__ = "outbound_recipient"
    __table_args__ = (
        UniqueConstraint("email_id", "address"),
        Index("ix_outbound_recipient_due", "state", "next_attempt_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    email_id: Mapped[int] = mapped_column(ForeignKey("outbound_email.id", ondelete="CASCADE"))
    address: Mapped[str]
    is_copy: Mapped[bool] = mapped_column(default=False)
    domain: Mapped[str] = mapped_column(default="", server_default="")
    automatic: Mapped[bool] = mapped_column(default=False, server_default=false())
    state: Mapped[DeliveryState] = mapped_column(one_of(DeliveryState, "state"), default=DeliveryState.QUEUED)
    attempts: Mapped[int] = mapped_column(default=0)
    abandoned: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime | None]
    lease_until: Mapped[datetime | None]
    worker: Mapped[str | None]
    error: Mapped[str | None]
    answer_lost_at: Mapped[datetime | None]
    queued_at: Mapped[datetime]
    settled_at: Mapped[datetime | None] = mapped_column(index=True)
    handled_at: Mapped[datetime | None]
    handled_by: Mapped[str | None]
    complained_at: Mapped[datetime | None]

    email: Mapped[OutboundEmail] = relationship(back_populates="recipients")

    @property
    def can_be_retried(self) -> bool:
        """True when staff may send it once more by hand."""
        return self.state in NOT_ARRIVED

    @property
    def can_be_handled(self) -> bool:
        """True while it did not arrive and nobody has seen to it."""
        return self.state in NOT_ARRIVED and self.handled_at is None


class SendingPause(Base):
    """One time that sending was paused, by whom, and who ended it; it lasts while `resumed_at` is not set."""

    __tablename__ = "sending_pause"

    id: Mapped[int] = mapped_column(primary_key=True)
    paused_at: Mapped[datetime]
    paused_by: Mapped[str]
    resumed_at: Mapped[datetime | None] = mapped_column(index=True)
    resumed_by: Mapped[str | None]


class DestinationWait(Base):
    """Until when mail waits, and why: `name` is a domain, or RELAY or LIMIT in waiting.py for all mail.

    `refusals` is how often it was refused in a row, so that the wait grows. A row holds back nothing once it is over.
    """

    __tablename__ = "destination_wait"

    name: Mapped[str] = mapped_column(primary_key=True)
    refusals: Mapped[int] = mapped_column(default=0)
    until: Mapped[datetime]
    reason: Mapped[str]


_URGENCY = {
    DeliveryState.SENT: 0,
    DeliveryState.QUEUED: 1,
    DeliveryState.SENDING: 2,
    DeliveryState.UNKNOWN: 3,
    DeliveryState.FAILED: 4,
    DeliveryState.BOUNCED: 5,
}
