"""When a delivery is tried again: pure arithmetic."""

from datetime import datetime, timedelta

FIRST_DELAY = timedelta(minutes=1)
LONGEST_DELAY = timedelta(hours=4)
GIVE_UP_AFTER = timedelta(hours=48)
LATE_RETRY = timedelta(hours=1)
LEASE = timedelta(minutes=5)
FRESH = timedelta(minutes=1)


def next_attempt(*, attempts: int, queued_at: datetime, now: datetime) -> datetime | None:
    """The moment of the next try after `attempts` failed ones, or None when two days since `queued_at` are over."""
    delay = min(FIRST_DELAY * 2 ** min(attempts - 1, 10), LONGEST_DELAY)
    return now + delay if now + delay - queued_at < GIVE_UP_AFTER else None
