"""Counting against limits in the database, inside the verb's own transaction: a rollback gives the count back."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Mapped, mapped_column

from helpdesk import clock, tokens
from helpdesk.database import Base, db


class RateCount(Base):
    """How often something happened in one window of time."""

    __tablename__ = "rate_count"

    key: Mapped[str] = mapped_column(primary_key=True)
    window_start: Mapped[datetime] = mapped_column(primary_key=True)
    count: Mapped[int]
    expires_at: Mapped[datetime] = mapped_column(index=True)


@dataclass(frozen=True)
class Limit:
    """At most `most` times per `seconds`, counted apart for each `who`; `who` is stored as a keyed hash."""

    name: str
    who: str
    most: int
    seconds: int

    def row(self, now: datetime) -> dict[str, object]:
        start = datetime.fromtimestamp(now.timestamp() // self.seconds * self.seconds, tz=now.tzinfo)
        key = f"{self.name}:{tokens.keyed_hash('rate', self.who)}"
        expires = start + timedelta(seconds=2 * self.seconds)
        return {"key": key, "window_start": start, "count": 1, "expires_at": expires}


def count(*limits: Limit) -> list[Limit]:
    """Count one more against each limit, in one statement; returns the limits that are now passed."""
    now = clock.now()
    rows = [limit.row(now) for limit in limits]
    insert = postgresql_insert if db.engine.dialect.name == "postgresql" else sqlite_insert
    statement = insert(RateCount).values(rows)
    statement = statement.on_conflict_do_update(
        index_elements=["key", "window_start"], set_={"count": RateCount.count + 1}
    )
    counted = dict(db.session.execute(statement.returning(RateCount.key, RateCount.count)).all())
    return [limit for limit, row in zip(limits, rows, strict=True) if counted[str(row["key"])] > limit.most]


def forget_expired() -> None:
    """Drop windows that are over. Runs inside the sweep's transaction."""
    db.session.execute(delete(RateCount).where(RateCount.expires_at < clock.now()))
