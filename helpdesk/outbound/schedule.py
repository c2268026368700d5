"""When a delivery is tried again, and how long others wait for its sake: pure arithmetic."""

from datetime import datetime, timedelta

FIRST_DELAY = timedelta(minutes=1)
LONGEST_DELAY = timedelta(hours=4)
LONGEST_DESTINATION_WAIT = timedelta(minutes=30)
LONGEST_RELAY_WAIT = timedelta(minutes=5)
GIVE_UP_AFTER = timedelta(hours=48)
MOST_ATTEMPTS = 60
LATE_RETRY = timedelta(hours=1)
LEASE = timedelta(minutes=5)
FRESH = timedelta(minutes=1)
DEADLINE = timedelta(seconds=150)  # with FRESH and the time that a record may take it ends before the LEASE


def delay_after(failures: int, *, longest: timedelta) -> timedelta:
    """How long to wait after so many failures in a row: a minute, then twice as long each time."""
    doubled: int = 2 ** min(failures - 1, 10)
    return min(FIRST_DELAY * doubled, longest)


def next_attempt(*, attempts: int, queued_at: datetime, now: datetime) -> datetime | None:
    """The moment of the next try after `attempts` failed ones, or None when two days since `queued_at` are over.

    Nobody is given up at the first try, however long it had to wait; nothing is tried more than MOST_ATTEMPTS times.
    """
    delay = delay_after(attempts, longest=LONGEST_DELAY)
    is_in_time = now + delay - queued_at < GIVE_UP_AFTER or attempts == 1
    return now + delay if is_in_time and attempts < MOST_ATTEMPTS else None
