"""Participant: somebody besides the reader who gets a copy of each reply, because an agent said so."""

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import ForeignKey, UniqueConstraint, select
from sqlalchemy.orm import Mapped, column_property, mapped_column, relationship

from helpdesk.database import Base
from helpdesk.readers.models import Reader, ReaderAddress

if TYPE_CHECKING:
    from helpdesk.tickets.models import Ticket


class Participant(Base):
    """One address that gets copies, in the one spelling we match by; none while its owner is blocked."""

    __tablename__ = "participant"
    __table_args__ = (UniqueConstraint("ticket_id", "address"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"))
    address: Mapped[str] = mapped_column()
    added_at: Mapped[datetime]

    ticket: Mapped["Ticket"] = relationship(back_populates="participants")

    is_blocked: Mapped[bool] = column_property(
        select(ReaderAddress.id)
        .join(ReaderAddress.reader)
        .where(ReaderAddress.address == address, Reader.blocked_at.is_not(None))
        .correlate_except(ReaderAddress, Reader)
        .exists()
    )


def copies_of(ticket: "Ticket") -> list[str]:
    """The addresses that get a copy of a reply, in the order they were added; the reader gets the reply itself."""
    if not ticket.participants:
        return []
    own = {one.address for one in ticket.reader.addresses} if ticket.reader else set()
    return [one.address for one in ticket.participants if not one.is_blocked and one.address not in own]
