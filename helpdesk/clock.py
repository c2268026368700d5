"""The time, always aware and in UTC; the one place that asks the machine for it."""

from datetime import UTC, datetime


def now() -> datetime:
    """The current moment, aware, in UTC."""
    return datetime.now(UTC)
