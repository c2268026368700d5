"""The time, always aware and in UTC; the one place that asks the machine for it."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

_standing_at: ContextVar[datetime | None] = ContextVar("standing_at", default=None)


def now() -> datetime:
    """The current moment, aware, in UTC."""
    return _standing_at.get() or datetime.now(UTC)


@contextmanager
def at(moment: datetime) -> Iterator[None]:
    """Let the clock stand at `moment` (aware) for what is done inside, so that a sample history has its own times."""
    mark = _standing_at.set(moment.astimezone(UTC))
    try:
        yield
    finally:
        _standing_at.reset(mark)
