"""What is decided about accounts, each with an entry in its history; and whose tickets a colleague leaves behind."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, and_, func, insert, literal, select, update
from sqlalchemy.orm import joinedload

from helpdesk import clock
from helpdesk.agents.invitations import invite
from helpdesk.agents.models import Agent
from helpdesk.agents.operations import add_agent, deactivate
from helpdesk.agents.queries import list_admins
from helpdesk.agents.roles import Role
from helpdesk.database import db, transactional
from helpdesk.errors import Conflict, Refused
from helpdesk.sites.models import Queue
from helpdesk.sites.operations import change_queues
from helpdesk.tickets.drafts import Draft
from helpdesk.tickets.events import Event, EventKind
from helpdesk.tickets.models import Status, Ticket

Done = TypeVar("Done")
LATEST = 20


@dataclass(frozen=True)
class LeftBehind:
    """What somebody still has whose account is to be closed."""

    tickets: int
    drafts: int


@transactional
def add_colleague(email: str, *, name: str, role: Role, timezone: str, queues: list[Queue], by: Agent) -> Agent:
    """Open an account with its queues and mail its owner a link to choose a password. Raises as `add_agent` does."""
    added = add_agent(email, name=name, role=role, timezone=timezone)
    change_queues(added, queues=queues)
    invite(added, by=by)
    _note(added, EventKind.AGENT_INVITED, by, name=added.name, role=role)
    return added


@transactional
def change_agent(agent: Agent, *, what: str, change: Callable[[], Done], by: Agent) -> Done:
    """Do a `change` to an account, and note `what` was changed. Raises Conflict when no admin would be left."""
    done = change()
    db.session.flush()
    if not list_admins():
        raise Conflict("Somebody must look after the desk: another admin first.")
    _note(agent, EventKind.AGENT_CHANGED, by, what=what, name=agent.name)
    return done


@transactional
def close_account(agent: Agent, *, unassign: bool, by: Agent) -> None:
    """Close an account; its owner is signed out everywhere, and with `unassign` his open tickets are nobody's.

    Raises Refused for the own account.
    """
    if agent.id == by.id:
        raise Refused("You cannot close your own account. Ask another admin.")
    if unassign:
        _give_back(agent, by)
    change_agent(agent, what="the account: closed it", change=lambda: deactivate(agent), by=by)


def left_behind(agent: Agent) -> LeftBehind:
    """Count what he has."""
    tickets = db.session.scalar(select(func.count()).where(_has(agent))) or 0
    drafts = db.session.scalar(select(func.count()).where(Draft.agent_id == agent.id)) or 0
    return LeftBehind(tickets=tickets, drafts=drafts)


def account_history(agent: Agent) -> Sequence[Event]:
    """What was decided about an account lately, the latest first."""
    of_account = select(Event).where(Event.agent_id == agent.id)
    whole = of_account.options(joinedload(Event.by_agent), joinedload(Event.by_reader))
    return db.session.scalars(whole.order_by(Event.id.desc()).limit(LATEST)).all()


def _has(agent: Agent) -> ColumnElement[bool]:
    return and_(Ticket.assignee_id == agent.id, Ticket.status != Status.CLOSED)


def _give_back(agent: Agent, by: Agent) -> None:
    """Each open ticket says so; written by the database, since there may be many."""
    columns = (
        Ticket.id,
        literal(EventKind.ASSIGNED, Event.kind.type),
        literal(by.id),
        literal(clock.now(), Event.at.type),
        literal({"before": agent.name, "after": None}, Event.data.type),
    )
    of_each = select(*columns).where(_has(agent))
    db.session.execute(insert(Event).from_select(["ticket_id", "kind", "by_agent_id", "at", "data"], of_each))
    db.session.execute(update(Ticket).where(_has(agent)).values(assignee_id=None))


def _note(agent: Agent, kind: EventKind, by: Agent, **data: Any) -> None:
    db.session.add(Event(agent_id=agent.id, kind=kind, by_agent=by, at=clock.now(), data=data))
