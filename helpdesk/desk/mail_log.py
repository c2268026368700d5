"""Mail that did not go its way, as far as an agent may see it."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, and_, case, cast, func, or_, select
from sqlalchemy.orm import contains_eager, joinedload

from helpdesk.agents.models import Agent
from helpdesk.database import db
from helpdesk.errors import NotFound
from helpdesk.inbound.models import NOT_TAKEN, InboundEmail, InboundState, Source, StuckEmail
from helpdesk.outbound.models import NOT_ARRIVED, DeliveryState, OutboundEmail, OutboundRecipient
from helpdesk.sites.models import Queue
from helpdesk.sites.queries import is_open_to
from helpdesk.tickets.emails import THREAD
from helpdesk.tickets.messages import Message
from helpdesk.tickets.models import Ticket
from helpdesk.tickets.visibility import visible_to

MOST = 100
FAILURES = (InboundState.FAILED, InboundState.REJECTED)


def list_undelivered(agent: Agent) -> Sequence[tuple[OutboundRecipient, Ticket | None]]:
    """Mail of ours that did not arrive, or not at the first try, with its ticket, latest first."""
    rows = _outbound(agent).where(is_troubled()).order_by(OutboundRecipient.id.desc()).limit(MOST)
    return db.session.execute(rows).all()


def list_handled(agent: Agent) -> Sequence[tuple[OutboundRecipient, Ticket | None]]:
    """Mail of ours that did not arrive and that somebody saw to, with its ticket, latest first."""
    rows = _outbound(agent).where(OutboundRecipient.handled_at.is_not(None))
    return db.session.execute(rows.order_by(OutboundRecipient.id.desc()).limit(MOST)).all()


def get_recipient(recipient_id: int, agent: Agent) -> OutboundRecipient:
    """One delivery of a mail about a visible ticket, or for those who look after mail about an account. Raises NotFound
    otherwise.
    """
    one = _outbound(agent).where(OutboundRecipient.id == recipient_id)
    if not agent.can("mail.read"):
        one = one.where(Ticket.id.is_not(None))
    row = db.session.execute(one).first()
    if row is None:
        raise NotFound
    return row[0]


def get_undelivered(recipient_id: int, agent: Agent) -> OutboundRecipient:
    """One mail about a visible ticket that did not arrive. Raises NotFound otherwise, since mail about an account holds
    what opens it.
    """
    recipient = get_recipient(recipient_id, agent)
    if recipient.email.thread_token is None or recipient.state is DeliveryState.SENT:
        raise NotFound
    return recipient


def list_not_taken(agent: Agent) -> Sequence[InboundEmail]:
    """Mail that became no message and that nobody ignored: failed first, then the rest, latest first."""
    failed_first = case((InboundEmail.state == InboundState.FAILED, 0), else_=1)
    rows = _inbound(agent).where(InboundEmail.state.in_(NOT_TAKEN), InboundEmail.ignored_at.is_(None))
    return db.session.scalars(rows.order_by(failed_first, InboundEmail.id.desc()).limit(MOST)).all()


def list_ignored(agent: Agent) -> Sequence[InboundEmail]:
    """Mail that became no message and that somebody ignored, and what the desk sent itself, latest first."""
    is_own = InboundEmail.state == InboundState.SELFTEST
    rows = _inbound(agent).where(or_(InboundEmail.state.in_(NOT_TAKEN) & InboundEmail.ignored_at.is_not(None), is_own))
    return db.session.scalars(rows.order_by(InboundEmail.id.desc()).limit(MOST)).all()


def get_inbound(email_id: int, agent: Agent) -> InboundEmail:
    """One mail as it came, for those who may see what it became; what became nothing is for those who look after mail.
    Raises NotFound otherwise.
    """
    ticket = contains_eager(InboundEmail.became).contains_eager(Message.ticket)
    one = _inbound(agent).where(InboundEmail.id == email_id).options(ticket)
    if not agent.can("mail.read"):
        one = one.where(Ticket.id.is_not(None))
    email = db.session.scalar(one)
    if email is None:
        raise NotFound
    return email


def list_stuck(agent: Agent) -> Sequence[StuckEmail]:
    """Mail that could not be taken out of its mailbox and that nobody left there, latest first."""
    rows = _stuck(agent).where(StuckEmail.left_at.is_(None))
    return db.session.scalars(rows.order_by(StuckEmail.id.desc()).limit(MOST)).all()


def get_stuck(stuck_id: int, agent: Agent) -> StuckEmail:
    """One mail that is stuck in a mailbox whose queue the agent may see. Raises NotFound otherwise."""
    stuck = db.session.scalar(_stuck(agent).where(StuckEmail.id == stuck_id))
    if stuck is None:
        raise NotFound
    return stuck


def is_troubled() -> ColumnElement[bool]:
    """A delivery that did not go well and that nobody has seen to, or that did not go well at the first try."""
    trying = and_(OutboundRecipient.state == DeliveryState.QUEUED, OutboundRecipient.attempts > 0)
    failed = and_(OutboundRecipient.state.in_(NOT_ARRIVED), OutboundRecipient.handled_at.is_(None))
    return or_(failed, trying)


def outbound_seen_by(agent: Agent, *columns: Any) -> Select[Any]:
    """Columns of deliveries, their mails and tickets, as far as the agent sees the ticket or there is none."""
    about_a_ticket = OutboundEmail.thread_token.startswith(THREAD)
    ticket_id = case((about_a_ticket, cast(func.substr(OutboundEmail.thread_token, len(THREAD) + 1), Integer)))
    return (
        select(*columns)
        .select_from(OutboundRecipient)
        .join(OutboundRecipient.email)
        .outerjoin(Ticket, Ticket.id == ticket_id)
        .where(
            or_(OutboundEmail.thread_token.is_(None), ~about_a_ticket, and_(Ticket.id.is_not(None), visible_to(agent)))
        )
    )


def open_queue(agent: Agent) -> ColumnElement[bool]:
    """Mail that became nothing is seen by whoever sees its queue; that is everybody unless it is restricted."""
    open_to_him = select(Queue.id).where(is_open_to(agent))
    return or_(InboundEmail.queue_id.is_(None), InboundEmail.queue_id.in_(open_to_him))


def _outbound(agent: Agent) -> Select[OutboundRecipient, Ticket]:
    return outbound_seen_by(agent, OutboundRecipient, Ticket).options(joinedload(OutboundRecipient.email))


def _inbound(agent: Agent) -> Select[InboundEmail]:
    return (
        select(InboundEmail)
        .outerjoin(InboundEmail.became)
        .outerjoin(Ticket, Ticket.id == Message.ticket_id)
        .where(or_(and_(Ticket.id.is_not(None), visible_to(agent)), and_(Ticket.id.is_(None), open_queue(agent))))
        .options(joinedload(InboundEmail.queue))
    )


def _stuck(agent: Agent) -> Select[StuckEmail]:
    open_to_him = select(Queue.id).where(is_open_to(agent))
    of_source = select(StuckEmail).join(StuckEmail.source).options(contains_eager(StuckEmail.source))
    return of_source.where(Source.queue_id.in_(open_to_him))
