"""Message, one text in a ticket, and Attachment, a file that belongs to one message, draft or unfinished form."""

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, Index, and_, or_, text
from sqlalchemy.orm import Mapped, mapped_column, query_expression, relationship

from helpdesk.agents.models import Agent
from helpdesk.columns import one_of
from helpdesk.database import Base
from helpdesk.outbound.models import OutboundEmail
from helpdesk.pictures import SHOWN_TYPES
from helpdesk.readers.models import Reader

if TYPE_CHECKING:
    from helpdesk.tickets.drafts import Draft
    from helpdesk.tickets.models import Ticket


class MessageKind(StrEnum):
    """Who speaks to whom: reader to us, we to the reader, staff among themselves, a machine to us."""

    READER = "reader"
    REPLY = "reply"
    NOTE = "note"
    AUTO = "auto"


PUBLIC_KINDS = (MessageKind.READER, MessageKind.REPLY)


class Message(Base):
    """One text in a ticket, kept as it was sent; quotes and signature are folded, never dropped."""

    __tablename__ = "message"
    __table_args__ = (
        CheckConstraint("agent_id IS NULL OR reader_id IS NULL", name="one_author"),
        CheckConstraint("kind NOT IN ('reply', 'note') OR reader_id IS NULL", name="readers_write_no_replies"),
        Index("ix_message_ticket_id_id", "ticket_id", "id"),
        Index(
            "uq_message_submission",
            "submission_key",
            "content_hash",
            unique=True,
            sqlite_where=text("submission_key IS NOT NULL"),
            postgresql_where=text("submission_key IS NOT NULL"),
        ),
        Index(
            "uq_message_issued",
            "message_id",
            unique=True,
            sqlite_where=text("kind = 'reply'"),
            postgresql_where=text("kind = 'reply'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"))
    home_ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"), index=True)
    kind: Mapped[MessageKind] = mapped_column(one_of(MessageKind, "kind"))
    agent_id: Mapped[int | None] = mapped_column(ForeignKey("agent.id", ondelete="SET NULL"), index=True)
    reader_id: Mapped[int | None] = mapped_column(ForeignKey("reader.id", ondelete="SET NULL"), index=True)
    outbound_email_id: Mapped[int | None] = mapped_column(
        ForeignKey("outbound_email.id", ondelete="SET NULL"), index=True
    )
    from_name: Mapped[str] = mapped_column(default="")
    from_address: Mapped[str] = mapped_column(default="")
    recipients: Mapped[list[str]] = mapped_column(default=list)
    body_text: Mapped[str]
    body_html: Mapped[str | None]
    signature: Mapped[str | None]
    quoted_text: Mapped[str | None]
    submission_key: Mapped[str | None]
    content_hash: Mapped[str | None]
    message_id: Mapped[str | None] = mapped_column(index=True)
    verified: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]

    ticket: Mapped["Ticket"] = relationship(back_populates="messages", foreign_keys=ticket_id)
    home_ticket: Mapped["Ticket"] = relationship(foreign_keys=home_ticket_id)
    agent: Mapped[Agent | None] = relationship()
    reader: Mapped[Reader | None] = relationship()
    outbound_email: Mapped[OutboundEmail | None] = relationship()
    attachments: Mapped[list["Attachment"]] = relationship(
        back_populates="message", order_by="Attachment.id", cascade="all, delete-orphan"
    )

    is_formatted: Mapped[bool] = query_expression()

    @property
    def author(self) -> str:
        """Whose words these are, by name."""
        if self.agent is not None:
            return self.agent.name
        return self.from_name or self.from_address or "Anonymous"

    @property
    def is_by_blocked(self) -> bool:
        """True when it came from a reader we no longer listen to."""
        return self.reader is not None and self.reader.blocked_at is not None

    @property
    def is_public(self) -> bool:
        """True when the reader may see it: his own words and our replies, never a note."""
        return self.kind in PUBLIC_KINDS


def is_for_reader(reader_id: int | ColumnElement[int]) -> ColumnElement[bool]:
    """Our replies and the own words of the reader, 0 for none. What came from another address is for staff alone, who
    judge whose it is: it may be a mail that somebody else sent to the thread's address, with a third party's secret.
    """
    is_own = or_(Message.verified, Message.reader_id == reader_id)
    return or_(Message.kind == MessageKind.REPLY, and_(Message.kind == MessageKind.READER, is_own))


class Attachment(Base):
    """A file, stored under a random key; its type is sniffed, its name only shown."""

    __tablename__ = "attachment"
    __table_args__ = (
        CheckConstraint(
            "(message_id IS NOT NULL AND draft_id IS NULL AND upload_token IS NULL)"
            " OR (message_id IS NULL AND draft_id IS NOT NULL AND upload_token IS NULL)"
            " OR (message_id IS NULL AND draft_id IS NULL AND upload_token IS NOT NULL)",
            name="one_owner",
        ),
        CheckConstraint("upload_token IS NULL OR expires_at IS NOT NULL", name="uploads_expire"),
        CheckConstraint("size >= 0", name="size"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[int | None] = mapped_column(ForeignKey("message.id", ondelete="CASCADE"), index=True)
    draft_id: Mapped[int | None] = mapped_column(ForeignKey("draft.id", ondelete="CASCADE"), index=True)
    upload_token: Mapped[str | None] = mapped_column(index=True)
    expires_at: Mapped[datetime | None] = mapped_column(index=True)
    name: Mapped[str]
    media_type: Mapped[str]
    size: Mapped[int]
    sha256: Mapped[str]
    storage_key: Mapped[str] = mapped_column(unique=True)
    content_id: Mapped[str | None]

    message: Mapped[Message | None] = relationship(back_populates="attachments")
    draft: Mapped["Draft | None"] = relationship(back_populates="attachments")

    @property
    def is_picture(self) -> bool:
        """True when every mail program and browser shows it."""
        return self.media_type in SHOWN_TYPES
