"""Draft, an unsent text of one agent on one ticket, kept on the server."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from helpdesk.agents.models import Agent
from helpdesk.columns import one_of
from helpdesk.database import Base
from helpdesk.tickets.messages import Attachment
from helpdesk.tickets.models import Ticket


class DraftKind(StrEnum):
    """What the text will become."""

    REPLY = "reply"
    NOTE = "note"


class Draft(Base):
    """One text being written; there is one of each kind per agent and ticket."""

    __tablename__ = "draft"
    __table_args__ = (UniqueConstraint("ticket_id", "agent_id", "kind"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"))
    agent_id: Mapped[int] = mapped_column(ForeignKey("agent.id", ondelete="CASCADE"), index=True)
    kind: Mapped[DraftKind] = mapped_column(one_of(DraftKind, "kind"))
    body: Mapped[str]
    updated_at: Mapped[datetime]

    ticket: Mapped[Ticket] = relationship()
    agent: Mapped[Agent] = relationship()
    attachments: Mapped[list[Attachment]] = relationship(back_populates="draft", order_by=Attachment.id, cascade="all")
