"""The one switch for all sending: while it is paused nothing is claimed, and what waits is kept in order."""

from datetime import datetime

from sqlalchemy import BindParameter, ColumnElement, exists, or_, select, update

from helpdesk import clock
from helpdesk.database import db, transactional, wake
from helpdesk.outbound.models import DELIVER, DeliveryState, OutboundRecipient, SendingPause


def is_paused(*, since: datetime | BindParameter[datetime] | None = None) -> ColumnElement[bool]:
    """A condition for statements: sending is paused, or was at any time after `since`."""
    lasts = SendingPause.resumed_at.is_(None)
    return exists().where(lasts if since is None else or_(lasts, SendingPause.resumed_at > since))


@transactional
def pause_sending(by: str, /) -> None:
    """From now on nothing leaves, but what a worker has taken already. Paused twice it is paused once."""
    if not db.session.scalar(select(is_paused())):
        db.session.add(SendingPause(paused_at=clock.now(), paused_by=by))


@transactional
def resume_sending(by: str, /) -> None:
    """Let everything leave that waited, in its order; each mail has its two days of tries from now on."""
    now = clock.now()
    ended = update(SendingPause).where(SendingPause.resumed_at.is_(None)).values(resumed_at=now, resumed_by=by)
    if not db.session.scalars(ended.returning(SendingPause.id)).all():
        return
    waited = update(OutboundRecipient).where(
        OutboundRecipient.state == DeliveryState.QUEUED, OutboundRecipient.next_attempt_at <= now
    )
    db.session.execute(waited.values(queued_at=now).execution_options(synchronize_session=False))
    wake(DELIVER)
