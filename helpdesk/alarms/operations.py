"""Watching what stands still: each trouble is told to all admins once a day at most, and once when it is over."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import exists, select, union_all

from helpdesk import clock
from helpdesk.agents.models import Agent
from helpdesk.agents.queries import list_admins
from helpdesk.alarms.emails import TROUBLE, queue_alarm, queue_end
from helpdesk.alarms.models import Alarm
from helpdesk.database import db, transactional
from helpdesk.inbound.troubles import (
    PATIENCE,
    QUARANTINED,
    TROUBLES_IN,
    TROUBLES_OUT,
    patience_ends,
    quarantined,
    since_when,
    thread_of,
    troubles,
)
from helpdesk.outbound.models import DeliveryState, OutboundEmail, OutboundRecipient
from helpdesk.outbound.operations import withdraw
from helpdesk.outbound.pausing import is_paused

log = logging.getLogger(__name__)

AGAIN_AFTER = timedelta(days=1)
SURE_AFTER = timedelta(seconds=50)
TOLD = TROUBLES_OUT | TROUBLES_IN | {QUARANTINED}
LEFT = (DeliveryState.SENT, DeliveryState.SENDING, DeliveryState.UNKNOWN)

Key = tuple[str, str]


@transactional
def watch_troubles(_what: str, /) -> None:
    """Look for what stands still, and tell admins what is news; nothing while sending is paused.

    A trouble is told when two looks a minute apart have found it, so that a desk that was just started has its first
    minute. Each look may be any worker's: the rows decide.
    """
    if db.session.scalar(select(is_paused())):
        return
    now, standing = clock.now(), _find_standing()
    known = {(alarm.kind, alarm.name): alarm for alarm in db.session.scalars(select(Alarm).with_for_update())}
    blind = TROUBLES_OUT if db.session.scalar(select(is_paused(since=patience_ends()))) else set()
    for key, reason in standing.items():
        alarm = known.get(key)
        if alarm is None or alarm.ended_at is not None:
            alarm = _begin(alarm, key, now)
        alarm.reason = reason
        _tell_if_due(alarm, now)
    for key, alarm in known.items():
        if alarm.ended_at is None and key not in standing and alarm.kind not in blind:
            _end(alarm, now)
        _withdraw_stale(alarm, now)


def hold_back_stale() -> None:
    """Look once more before mail about a trouble leaves, so that none does after it is over. A look that fails holds up
    no other mail.
    """
    try:
        _look_once_more()
    except Exception:
        db.session.rollback()
        log.exception("old news could not be held back")


def _look_once_more() -> None:
    waits = select(OutboundRecipient.id).join(OutboundRecipient.email).where(
        OutboundRecipient.state == DeliveryState.QUEUED,
        OutboundRecipient.next_attempt_at <= clock.now(),
        OutboundEmail.template == TROUBLE,
    )  # fmt: skip
    if db.session.scalar(select(exists(waits))):
        watch_troubles("mail")


def _find_standing() -> dict[Key, str]:
    """Each trouble that there is now, with its reason."""
    rows = db.session.execute(union_all(*troubles(patience_ends()), quarantined()))
    found = ((kind, *(label or "").partition("\n")[::2]) for kind, _, label in rows)
    return {(kind, name): reason for kind, name, reason in found if kind in TOLD}


def _begin(before: Alarm | None, key: Key, now: datetime) -> Alarm:
    """The alarm of a trouble that was not there at the last look."""
    alarm = before or Alarm(kind=key[0], name=key[1])
    alarm.began_at, alarm.seen_at, alarm.ended_at = since_when(*key) or now, now, None
    db.session.add(alarm)
    db.session.flush()
    return alarm


def _tell_if_due(alarm: Alarm, now: datetime) -> None:
    is_due = alarm.told_at is None or now - alarm.told_at >= AGAIN_AFTER
    if is_due and now - alarm.seen_at >= SURE_AFTER:
        alarm.told_at = now
        for agent in list_admins():
            queue_alarm(alarm, to=agent)


def _end(alarm: Alarm, now: datetime) -> None:
    alarm.ended_at = now
    if alarm.is_told:
        for agent in _who_was_told(alarm):
            queue_end(alarm, to=agent)


def _withdraw_stale(alarm: Alarm, now: datetime) -> None:
    """Take back what is no longer true, and what could not leave by now and would leave just when it is not."""
    if alarm.ended_at is not None:
        withdraw(thread_of(alarm.id))
    elif alarm.kind in TROUBLES_OUT:
        withdraw(thread_of(alarm.id), before=now - PATIENCE)


def _who_was_told(alarm: Alarm) -> Sequence[Agent]:
    """The admins whose mail about this trouble has left."""
    told = select(OutboundRecipient.address).join(OutboundRecipient.email).where(
        OutboundEmail.thread_token == thread_of(alarm.id),
        OutboundEmail.template == TROUBLE,
        OutboundEmail.created_at >= alarm.seen_at,
        OutboundRecipient.state.in_(LEFT),
    )  # fmt: skip
    addresses = set(db.session.scalars(told))
    return [agent for agent in list_admins() if agent.email in addresses]
