"""TicketLink, what one ticket is to another, told on both."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from helpdesk.columns import one_of
from helpdesk.database import Base


class Relation(StrEnum):
    """What the first ticket of a link is to the other: a duplicate of it, related to it, split off from it."""

    DUPLICATE = "duplicate"
    RELATED = "related"
    SPLIT = "split"


WORDS = {
    Relation.DUPLICATE: ("duplicate of", "has the duplicate"),
    Relation.RELATED: ("related to", "related to"),
    Relation.SPLIT: ("split off from", "split into"),
}


class TicketLink(Base):
    """One link; a pair of tickets has at most one."""

    __tablename__ = "ticket_link"
    __table_args__ = (
        CheckConstraint("ticket_id <> other_id", name="not_to_itself"),
        UniqueConstraint("ticket_id", "other_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"))
    other_id: Mapped[int] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"), index=True)
    relation: Mapped[Relation] = mapped_column(one_of(Relation, "relation"))
    made_at: Mapped[datetime]
