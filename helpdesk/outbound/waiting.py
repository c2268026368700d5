"""What mail waits for by itself: a destination or the relay that refuses for now, and the hourly limit."""

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import BindParameter, ColumnElement, and_, delete, exists, or_, true, update

from helpdesk import clock
from helpdesk.config import settings
from helpdesk.database import db
from helpdesk.outbound.deliveries import Blame, Delivery, Outcome
from helpdesk.outbound.models import DestinationWait, OutboundRecipient
from helpdesk.outbound.schedule import GIVE_UP_AFTER, LONGEST_DESTINATION_WAIT, LONGEST_RELAY_WAIT, delay_after
from helpdesk.rate_limit import Limit, count, next_step_ends, would_pass

EVERYWHERE = "@"  # no domain holds it, whatever a mail says that it came from
RELAY, LIMIT = f"{EVERYWHERE}relay", f"{EVERYWHERE}limit"  # the name of a limit goes on with its number
AUTOMATIC = f"{EVERYWHERE}automatic"  # what holds automatic mail alone, so that no flood of receipts holds up a reply
HOUR = 60 * 60
FORGOTTEN_AFTER = timedelta(days=1)

Moment = datetime | BindParameter[datetime]


def is_held_back(now: datetime) -> ColumnElement[bool]:
    """A condition for deliveries: something holds this one back. What waited two days has its try all the same."""
    wait = DestinationWait
    refuses = and_(_is_about_it(), OutboundRecipient.queued_at > now - GIVE_UP_AFTER)
    most = settings().smtp_hourly_cap  # one that was changed holds nothing back
    limited = or_(wait.name == _name(LIMIT, most), and_(wait.name == _name(AUTOMATIC, most), _is_automatic()))
    return exists().where(wait.until > now, or_(limited, refuses)).correlate(OutboundRecipient)


def was_held_back(since: Moment) -> ColumnElement[bool]:
    """A condition for deliveries: something held this one back at some time after `since`."""
    wait = DestinationWait
    of_half = and_(wait.name.startswith(AUTOMATIC), _is_automatic())
    is_meant = or_(wait.name.startswith(LIMIT), of_half, _is_about_it())
    return exists().where(wait.until > since, is_meant).correlate(OutboundRecipient)


def is_limited(since: Moment) -> ColumnElement[bool]:
    """A condition for statements: all mail waits for the hourly limit, or did at some time after `since`."""
    return exists().where(DestinationWait.name.startswith(LIMIT), DestinationWait.until > since)


def take_from_limit(now: datetime, *, automatic: bool) -> bool:
    """Count one more mail against HELPDESK_SMTP_HOURLY_CAP, inside the claim's transaction; with nothing left, all mail
    waits until something is free again, and the answer is False.

    What is `automatic` leaves only while less than half of it is used: the other half is for what people write.
    """
    limit = hourly_limit()
    if limit is None:
        return True
    if would_pass(limit):
        _use_up(LIMIT, limit, now, reason=f"the hourly limit of {limit.most} mails is used up")
    elif automatic and would_pass(replace(limit, most=-(-limit.most // 2))):
        _use_up(AUTOMATIC, limit, now, reason=f"half of the hourly limit of {limit.most} mails is kept for replies")
    else:
        count(limit)
        return True
    return False


def hourly_limit() -> Limit | None:
    """How many mails may leave in any hour, None when there is no limit."""
    most = settings().smtp_hourly_cap
    return Limit("mails sent", "", most, HOUR) if most else None


def note_answer(recipient: OutboundRecipient, delivery: Delivery, now: datetime) -> None:
    """Let other mail wait for a destination or relay that refused, and no longer for one that took something."""
    if delivery.blame is Blame.RELAY:
        _refuse(RELAY, delivery.error, now, longest=LONGEST_RELAY_WAIT)
    elif delivery.blame is Blame.DESTINATION:
        end_wait(RELAY)
        _refuse(recipient.domain, delivery.error, now, longest=LONGEST_DESTINATION_WAIT)
    elif delivery.outcome is Outcome.SENT:
        end_wait(RELAY, recipient.domain)


def end_wait(*names: str) -> None:
    """Nothing waits for these any more, and the next wait begins short; their rows tell for a while that they held."""
    now, wait = clock.now(), DestinationWait
    ended = update(wait).where(wait.name.in_(names), wait.refusals > 0)
    db.session.execute(ended.values(refusals=0, until=now))


def forget_waits() -> None:
    """Drop what held nothing back for a day. Runs inside the sweep's transaction."""
    old = DestinationWait.until < clock.now() - FORGOTTEN_AFTER
    db.session.execute(delete(DestinationWait).where(old))


def _name(kind: str, most: int) -> str:
    return f"{kind} of {most}"


def _use_up(kind: str, limit: Limit, now: datetime, *, reason: str) -> None:
    _put_off(_name(kind, limit.most), until=next_step_ends(limit) or now, reason=reason, refusals=1)


def _is_automatic() -> ColumnElement[bool]:
    return OutboundRecipient.automatic.is_(true())


def _is_about_it() -> ColumnElement[bool]:
    return or_(DestinationWait.name == RELAY, DestinationWait.name == OutboundRecipient.domain)


def _refuse(name: str, reason: str, now: datetime, *, longest: timedelta) -> None:
    """The wait grows once in each round, however many tries were under way when it began."""
    wait = db.session.get(DestinationWait, name)
    if wait is not None and wait.until > now:
        return
    refusals = (wait.refusals if wait else 0) + 1
    _put_off(name, until=now + delay_after(refusals, longest=longest), reason=reason, refusals=refusals)


def _put_off(name: str, *, until: datetime, reason: str, refusals: int) -> None:
    wait = db.session.get(DestinationWait, name)
    if wait is None:
        wait = DestinationWait(name=name)
        db.session.add(wait)
    wait.until, wait.reason, wait.refusals = until, reason[:500], refusals
