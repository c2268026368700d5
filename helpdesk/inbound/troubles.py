"""What stands still: mail that does not leave, or does not come in."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Integer,
    Select,
    String,
    and_,
    case,
    cast,
    exists,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.orm import aliased

from helpdesk import clock
from helpdesk.inbound.models import InboundEmail, InboundState, Source, StuckEmail
from helpdesk.inbound.stuck import TRIES
from helpdesk.outbound.models import DeliveryState, OutboundRecipient, SendingPause
from helpdesk.outbound.pausing import is_paused
from helpdesk.outbound.waiting import is_limited, was_held_back

PATIENCE = timedelta(minutes=15)
TROUBLES_OUT = {"not sent", "not tried"}
TROUBLES_IN = {"not read", "not fetched", "not taken"}
PAUSED = "paused"
_SOME = func.count() > 0

Moment = datetime | BindParameter[datetime]
Rows = Select[str, int | None, str | None]


def patience_ends() -> datetime:
    """What stands still since before this moment is trouble."""
    return clock.now() - PATIENCE


def troubles(since: Moment) -> list[Rows]:
    """Parts of one statement, each with a row (kind, nothing, detail) for every trouble, seen from `since` on,
    and one while sending is paused, which is then the reason why nothing leaves.

    `since` is what `patience_ends` says, or a parameter that stands for it.
    """
    return [_not_sent(since), _not_tried(since), _not_read(since), _not_fetched(since), _not_taken(since), _paused()]


def _not_sent(since: Moment) -> Rows:
    """Some mail failed at its first try already, and for as long as it waits none has left.

    Only the mails settled of late are looked at: written as a CASE, since SQLite would go through all that ever left.
    """
    one, other = OutboundRecipient, aliased(OutboundRecipient)
    was_sent = case((other.state == DeliveryState.SENT, 1), else_=0) == 1
    has_left = exists().where(other.settled_at > since, was_sent)
    waits = and_(one.state == DeliveryState.QUEUED, one.attempts > 0, one.queued_at < since)
    return (
        _row("not sent", "\n" + func.coalesce(func.min(one.error), ""))
        .where(waits, ~has_left, ~is_paused(since=since), ~is_limited(since))
        .having(_SOME)
    )


def _not_tried(since: Moment) -> Rows:
    due = (OutboundRecipient.state == DeliveryState.QUEUED, OutboundRecipient.next_attempt_at < since)
    is_meant = (~is_paused(since=since), ~was_held_back(since))
    return _row("not tried", func.min(OutboundRecipient.error)).where(*due, *is_meant).having(_SOME)


def _not_read(since: Moment) -> Rows:
    waits = (InboundEmail.state == InboundState.RECEIVED, InboundEmail.received_at < since)
    return _row("not read", func.min(InboundEmail.reason)).where(*waits).having(_SOME)


def _not_fetched(since: Moment) -> Rows:
    is_late = or_(Source.last_success_at.is_(None), Source.last_success_at < since)
    told = Source.name + "\n" + Source.last_error
    return _row("not fetched", told).where(Source.active, is_late, Source.last_error.is_not(None))


def _not_taken(since: Moment) -> Rows:
    """A mailbox was read and holds mails all the same that we could not take, and that nobody left there."""
    lasts = or_(StuckEmail.attempts >= TRIES, StuckEmail.first_failed_at < since)
    number = case((func.count() == 1, "a mail"), else_=cast(func.count(), String) + " mails")
    told = Source.name + "\n" + number + " that could not be taken: " + func.min(StuckEmail.reason)
    of_source = _row("not taken", told).join_from(StuckEmail, StuckEmail.source).group_by(Source.id, Source.name)
    return of_source.where(Source.active, StuckEmail.left_at.is_(None), lasts)


def _paused() -> Rows:
    """Somebody wants that no mail leaves: no trouble, but all should know by whom and since when."""
    told = SendingPause.paused_by + "\n" + cast(SendingPause.paused_at, String)
    return _row(PAUSED, told).where(SendingPause.resumed_at.is_(None))


def _row(kind: str, detail: Any) -> Rows:
    number: ColumnElement[int | None] = literal(None, Integer)
    return select(literal(kind), number.label("number"), detail.label("label"))
