"""Mails that are in their mailbox and could not be taken: noted with a reason, tried three times, then once an hour."""

from collections.abc import Collection
from datetime import timedelta

from sqlalchemy import delete, select

from helpdesk import clock
from helpdesk.agents.models import Agent
from helpdesk.database import db, transactional
from helpdesk.errors import Refused
from helpdesk.inbound.models import StuckEmail

TRIES = 3
REST = timedelta(hours=1)


def is_due(stuck: StuckEmail) -> bool:
    """True when it is worth a try: the first three times at once, then after a rest, never when somebody left it."""
    if stuck.left_at is not None:
        return False
    return stuck.attempts < TRIES or stuck.last_failed_at < clock.now() - REST


@transactional
def note_stuck(source_id: int, /, *, uid: tuple[int, int], reason: str) -> None:
    """Say why a mail could not be taken; `uid` is (UIDVALIDITY, UID)."""
    now = clock.now()
    same = (StuckEmail.source_id == source_id, StuckEmail.uidvalidity == uid[0], StuckEmail.uid == uid[1])
    stuck = db.session.scalar(select(StuckEmail).where(*same))
    if stuck is None:
        stuck = StuckEmail(source_id=source_id, uidvalidity=uid[0], uid=uid[1], attempts=0, first_failed_at=now)
        db.session.add(stuck)
    stuck.attempts += 1
    stuck.reason, stuck.last_failed_at = reason[:500], now


@transactional
def forget_stuck(source_id: int, /, *, but: tuple[int, Collection[int]]) -> None:
    """Forget what is stuck no longer: all but the UIDs that are there and missing, named with their UIDVALIDITY."""
    rows = db.session.execute(
        select(StuckEmail.id, StuckEmail.uidvalidity, StuckEmail.uid).where(StuckEmail.source_id == source_id)
    ).all()
    over = [row.id for row in rows if row.uidvalidity != but[0] or row.uid not in but[1]]
    db.session.execute(delete(StuckEmail).where(StuckEmail.id.in_(over)))


@transactional
def retry_stuck(stuck: StuckEmail, *, by: Agent) -> None:
    """Let a mail be tried again, as if it were new, when its mailbox is read next: within a minute or so."""
    stuck.attempts, stuck.left_at, stuck.left_by = 0, None, None


@transactional
def leave_stuck(stuck: StuckEmail, *, by: Agent) -> None:
    """Leave a mail in its mailbox for good, off the list. Raises Refused when somebody did so already."""
    if stuck.left_at is not None:
        raise Refused("Somebody left this mail in its mailbox already.")
    stuck.left_at, stuck.left_by = clock.now(), by.name
