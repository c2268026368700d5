"""Reader and the addresses a reader writes from."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from helpdesk.database import Base


class Reader(Base):
    """Somebody who wrote to us; who complained of our mail gets no more automatic mail."""

    __tablename__ = "reader"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(default="")
    address: Mapped[str]
    language: Mapped[str | None]
    blocked_at: Mapped[datetime | None]
    complained_at: Mapped[datetime | None]
    note: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]

    addresses: Mapped[list["ReaderAddress"]] = relationship(back_populates="reader", cascade="all, delete-orphan")

    @property
    def display_name(self) -> str:
        """The name, else the address."""
        return self.name or self.address


class ReaderAddress(Base):
    """One address of a reader, in the one spelling we match by."""

    __tablename__ = "reader_address"

    id: Mapped[int] = mapped_column(primary_key=True)
    reader_id: Mapped[int] = mapped_column(ForeignKey("reader.id", ondelete="CASCADE"), index=True)
    address: Mapped[str] = mapped_column(unique=True)

    reader: Mapped[Reader] = relationship(back_populates="addresses")
