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
from helpdesk.database import db
from helpdesk.inbound.models import InboundEmail, InboundState, Source, StuckEmail
from helpdesk.inbound.stuck import TRIES
from helpdesk.outbound.models import DeliveryState, OutboundEmail, OutboundRecipient, SendingPause
from helpdesk.outbound.pausing import is_paused
from helpdesk.outbound.waiting import is_limited, was_held_back

PATIENCE = timedelta(minutes=12)  # with one to be sure and one to send, admins have a mail within a quarter of an hour
NOT_SENT, NOT_TRIED = "not sent", "not tried"
NOT_READ, NOT_FETCHED, NOT_TAKEN = "not read", "not fetched", "not taken"
QUARANTINED = "quarantined"
TROUBLES_OUT = {NOT_SENT, NOT_TRIED}
TROUBLES_IN = {NOT_READ, NOT_FETCHED, NOT_TAKEN}
PAUSED = "paused"
NOBODY_LOOKS = "nobody looks into it"
_THREAD = "trouble:"
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


def quarantined() -> Rows:
    """A row like those of `troubles` while a mail that could not be read waits for somebody to see to it."""
    one = InboundEmail
    return _row(QUARANTINED, _reason(one.reason)).where(_is_out()).having(_SOME)


def since_when(kind: str, name: str) -> datetime | None:
    """The moment from which on a trouble stands, as far as that is known; `name` is that of a mailbox."""
    to, mail = OutboundRecipient, InboundEmail
    statements: dict[str, Select[Any]] = {
        NOT_SENT: select(func.min(to.queued_at)).where(to.state == DeliveryState.QUEUED, to.attempts > 0),
        NOT_TRIED: select(func.min(to.next_attempt_at)).where(to.state == DeliveryState.QUEUED),
        NOT_READ: select(func.min(mail.received_at)).where(mail.state == InboundState.RECEIVED),
        NOT_FETCHED: select(Source.last_success_at).where(Source.name == name),
        NOT_TAKEN: select(func.min(StuckEmail.first_failed_at))
        .join(StuckEmail.source)
        .where(Source.name == name, StuckEmail.left_at.is_(None)),
        QUARANTINED: select(func.min(mail.received_at)).where(_is_out()),
    }
    found: datetime | None = db.session.scalar(statements[kind])
    return found


def thread_of(alarm_id: int) -> str:
    """The word by which the outbox knows the mails about a trouble."""
    return f"{_THREAD}{alarm_id}"


def _is_for_others(recipient: Any) -> ColumnElement[bool]:
    """A mail about a trouble proves none, and proves no other to be over."""
    is_about_trouble = func.coalesce(OutboundEmail.thread_token, "").startswith(_THREAD)
    answer: ColumnElement[bool] = recipient.email.has(~is_about_trouble)
    return answer


def _is_out() -> ColumnElement[bool]:
    return InboundEmail.state == InboundState.FAILED


def _not_sent(since: Moment) -> Rows:
    """Some mail failed at its first try already, and for as long as it waits none has left.

    Only the mails settled of late are looked at: written as a CASE, since SQLite would go through all that ever left.
    """
    one, other = OutboundRecipient, aliased(OutboundRecipient)
    was_sent = case((other.state == DeliveryState.SENT, 1), else_=0) == 1
    has_left = exists().where(other.settled_at > since, was_sent, _is_for_others(other))
    waits = and_(one.state == DeliveryState.QUEUED, one.attempts > 0, one.queued_at < since, _is_for_others(one))
    is_meant = (~has_left, ~is_paused(since=since), ~is_limited(since))
    return _row(NOT_SENT, _reason(one.error)).where(waits, *is_meant).having(_SOME)


def _not_tried(since: Moment) -> Rows:
    one = OutboundRecipient
    due = (one.state == DeliveryState.QUEUED, one.next_attempt_at < since, _is_for_others(one))
    is_meant = (~is_paused(since=since), ~was_held_back(since))
    return _row(NOT_TRIED, _reason(one.error)).where(*due, *is_meant).having(_SOME)


def _not_read(since: Moment) -> Rows:
    waits = (InboundEmail.state == InboundState.RECEIVED, InboundEmail.received_at < since)
    return _row(NOT_READ, _reason(InboundEmail.reason)).where(*waits).having(_SOME)


def _not_fetched(since: Moment) -> Rows:
    """A mailbox that says why, or that was read and is no longer; a new one has its time."""
    never, late = Source.last_success_at.is_(None), Source.last_success_at < since
    told = Source.name + "\n" + func.coalesce(Source.last_error, NOBODY_LOOKS)
    return _row(NOT_FETCHED, told).where(Source.active, or_(late, and_(never, Source.last_error.is_not(None))))


def _not_taken(since: Moment) -> Rows:
    """A mailbox was read and holds mails all the same that we could not take, and that nobody left there."""
    lasts = or_(StuckEmail.attempts >= TRIES, StuckEmail.first_failed_at < since)
    number = case((func.count() == 1, "a mail"), else_=cast(func.count(), String) + " mails")
    told = Source.name + "\n" + number + " that could not be taken: " + func.min(StuckEmail.reason)
    of_source = _row(NOT_TAKEN, told).join_from(StuckEmail, StuckEmail.source).group_by(Source.id, Source.name)
    return of_source.where(Source.active, StuckEmail.left_at.is_(None), lasts)


def _paused() -> Rows:
    """Somebody wants that no mail leaves: no trouble, but all should know by whom and since when."""
    told = SendingPause.paused_by + "\n" + cast(SendingPause.paused_at, String)
    return _row(PAUSED, told).where(SendingPause.resumed_at.is_(None))


def _reason(said: Any) -> Any:
    """One of the reasons, on a line below that of the name, which stays empty."""
    return "\n" + func.coalesce(func.min(said), "")


def _row(kind: str, detail: Any) -> Rows:
    number: ColumnElement[int | None] = literal(None, Integer)
    return select(literal(kind), number.label("number"), detail.label("label"))
