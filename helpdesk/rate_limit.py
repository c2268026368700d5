"""Counting against limits in the database, inside the verb's own transaction: a rollback gives the count back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from sqlalchemy import TextClause, bindparam, delete, func, select, text, update
from sqlalchemy.orm import Mapped, mapped_column

from helpdesk import clock, metrics, tokens
from helpdesk.columns import UtcDateTime
from helpdesk.database import Base, db

STEPS = 6

# As text, because RETURNING names columns without their table, and two tables here are the same one. Steps and limits
# end at the same moments, so what expires after this step began counts in all of it.
_EARLIER = (
    "(SELECT coalesce(sum(earlier.count), 0) FROM rate_count AS earlier WHERE earlier.key = rate_count.key"
    " AND earlier.window_start < rate_count.window_start AND earlier.expires_at > rate_count.window_start)"
)


class RateCount(Base):
    """How often something happened in one step of a limit's time."""

    __tablename__ = "rate_count"

    key: Mapped[str] = mapped_column(primary_key=True)
    window_start: Mapped[datetime] = mapped_column(primary_key=True)
    count: Mapped[int]
    expires_at: Mapped[datetime] = mapped_column(index=True)


@dataclass(frozen=True)
class Limit:
    """At most `most` in any `seconds`, counted apart for each `who`; `who` is stored as a keyed hash.

    The time slides in sixths, and a sixth counts until all of it is over: a burst around a boundary gains nothing,
    and whoever was silent for `seconds` and a sixth begins anew. `amount` is what one try costs.
    """

    name: str
    who: str
    most: int
    seconds: int
    amount: int = 1

    @property
    def key(self) -> str:
        """What its rows are called; nobody can read from it who it was."""
        return f"{self.name}:{tokens.keyed_hash('rate', self.who)}"

    @property
    def pause(self) -> int:
        """After so many seconds the oldest step may count no longer, and another try succeed."""
        return self.seconds // STEPS

    def row(self, now: datetime) -> dict[str, object]:
        """The row of the step that `now` (aware) is in."""
        step = self.seconds / STEPS
        start = datetime.fromtimestamp(now.timestamp() // step * step, tz=now.tzinfo)
        expires = start + timedelta(seconds=step + self.seconds)
        return {"key": self.key, "window_start": start, "count": self.amount, "expires_at": expires}


def count(*limits: Limit) -> Limit | None:
    """Count one more try against limits, in one statement; returns the first that is passed, if any.

    Give them from narrow to wide: what passes one costs nothing in those behind it, so that a single sender who
    writes too much never uses up what belongs to his network or to everybody. Runs in the caller's transaction.
    """
    now = clock.now()
    rows = [limit.row(now) for limit in limits]
    used = _add(rows)
    for place, limit in enumerate(limits):
        if used[limit.key] > limit.most:
            _give_back(rows[place + 1 :], limits[place + 1 :])
            metrics.LIMIT_HITS.labels(limit.name).inc()
            return limit
    return None


def would_pass(*limits: Limit) -> Limit | None:
    """The first limit that one more try would pass, if any; counts nothing."""
    used = _used([limit.key for limit in limits])
    return next((limit for limit in limits if used.get(limit.key, 0) + limit.amount > limit.most), None)


def is_used(limit: Limit) -> bool:
    """True when something was counted against a limit in its time."""
    return bool(_used([limit.key]))


def next_step_ends(limit: Limit) -> datetime | None:
    """When the oldest step that counts against a limit will count no longer, None when nothing was counted."""
    ends = select(func.min(RateCount.expires_at)).where(RateCount.key == limit.key, RateCount.expires_at > clock.now())
    return db.session.scalar(ends)


def forget_expired() -> None:
    """Drop steps that count no longer. Runs inside the sweep's transaction."""
    db.session.execute(delete(RateCount).where(RateCount.expires_at < clock.now()))


def _add(rows: Sequence[dict[str, object]]) -> dict[str, int]:
    """Rows are locked in the order of the limits, the same for every verb, so that two never wait for each other."""
    values = {f"{name}_{place}": value for place, row in enumerate(rows) for name, value in row.items()}
    added = db.session.connection().execute(_adding(len(rows)), values)
    return {key: this + int(earlier) for key, this, earlier in added}


@cache
def _adding(count: int) -> TextClause:
    """The statement for so many rows, as text, since it is the same for both engines and asked with every form."""
    names = list(RateCount.__table__.columns.keys())
    rows = ", ".join(f"({', '.join(f':{name}_{place}' for name in names)})" for place in range(count))
    statement = text(
        f"INSERT INTO rate_count ({', '.join(names)}) VALUES {rows} ON CONFLICT (key, window_start)"  # noqa: S608
        f" DO UPDATE SET count = rate_count.count + excluded.count RETURNING key, count, {_EARLIER}"
    )
    times = [name for name in names if isinstance(RateCount.__table__.c[name].type, UtcDateTime)]
    return statement.bindparams(
        *(bindparam(f"{name}_{place}", type_=UtcDateTime) for name in times for place in range(count))
    )


def _give_back(rows: Sequence[dict[str, object]], limits: Sequence[Limit]) -> None:
    for row, limit in zip(rows, limits, strict=True):
        is_it = (RateCount.key == row["key"], RateCount.window_start == row["window_start"])
        db.session.execute(update(RateCount).where(*is_it).values(count=RateCount.count - limit.amount))


def _used(keys: list[str]) -> dict[str, int]:
    live = (RateCount.key.in_(keys), RateCount.expires_at > clock.now())
    used = select(RateCount.key, func.sum(RateCount.count)).where(*live).group_by(RateCount.key)
    return {key: int(amount) for key, amount in db.session.execute(used) if amount}
