"""The least that a mail costs: Python reads it, and SQLAlchemy writes it down twice, raw and read, in one commit."""

import email
import time
from email.policy import default

from sqlalchemy import LargeBinary, create_engine, insert
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from helpdesk.database import engine_options


class Base(DeclarativeBase):
    """Tables of the floor's own."""


class RawMail(Base):
    """The bytes."""

    __tablename__ = "bare_raw_mail"

    id: Mapped[int] = mapped_column(primary_key=True)
    raw: Mapped[bytes] = mapped_column(LargeBinary)


class ReadMail(Base):
    """What was read out of them."""

    __tablename__ = "bare_read_mail"

    id: Mapped[int] = mapped_column(primary_key=True)
    raw_id: Mapped[int]
    sender: Mapped[str]
    subject: Mapped[str]
    body: Mapped[str]


def bare_rate(url: str, mails: list[bytes]) -> float:
    """Mails a second, each parsed with the policy `default` and inserted into a database of its own."""
    engine = create_engine(url, **engine_options(url))
    Base.metadata.create_all(engine)
    began = time.perf_counter()
    with Session(engine) as session:
        for raw in mails:
            _take(session, raw)
    seconds = time.perf_counter() - began
    engine.dispose()
    return len(mails) / seconds


def _take(session: Session, raw: bytes) -> None:
    mail = email.message_from_bytes(raw, policy=default)
    body = mail.get_body(("plain", "html"))
    text = body.get_content() if body else ""
    stored = session.execute(insert(RawMail).values(raw=raw)).inserted_primary_key
    session.execute(
        insert(ReadMail).values(raw_id=stored and stored[0], sender=mail["From"], subject=mail["Subject"], body=text)
    )
    session.commit()
