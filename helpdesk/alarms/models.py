"""Alarm, one kind of trouble and how its story goes: since when, when admins were told, when it was over."""

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from helpdesk.database import Base


class Alarm(Base):
    """One trouble, by kind and by the name of its mailbox if it has one. It lasts while `ended_at` is not set.

    `seen_at` is when a worker first saw it this time; `told_at` when admins last got a mail, this time or before.
    """

    __tablename__ = "alarm"
    __table_args__ = (UniqueConstraint("kind", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    name: Mapped[str] = mapped_column(default="")
    reason: Mapped[str] = mapped_column(default="")
    began_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    told_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]

    @property
    def is_told(self) -> bool:
        """True when admins were told of it this time."""
        return self.told_at is not None and self.told_at >= self.seen_at
