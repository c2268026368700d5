"""Which queues an agent knows of, and reading what is set up."""

from collections.abc import Sequence
from typing import TypeVar

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import joinedload, selectinload

from helpdesk.agents.models import Agent
from helpdesk.agents.roles import Role
from helpdesk.database import Base, db
from helpdesk.errors import NotFound
from helpdesk.sites.models import Queue, QueueMember, Site, Topic

Noun = TypeVar("Noun", bound=Base)


def is_open_to(agent: Agent) -> ColumnElement[bool]:
    """True for each queue that is not restricted, and for those the agent is a member of."""
    member = select(QueueMember.queue_id).where(QueueMember.agent_id == agent.id)
    return or_(~Queue.restricted, Queue.id.in_(member))


def is_worked_in_by(agent: Agent) -> ColumnElement[bool]:
    """True for each queue whose tickets an agent may see: as a member; from editors on, each that is open to him."""
    member = select(QueueMember.queue_id).where(QueueMember.agent_id == agent.id)
    return Queue.id.in_(member) if agent.role is Role.AGENT else is_open_to(agent)


def list_sites() -> Sequence[Site]:
    """Every publication, the default one first."""
    return db.session.scalars(select(Site).order_by(Site.is_default.is_(None), Site.name, Site.id)).all()


def get_site(site_id: int) -> Site:
    """One publication. Raises NotFound."""
    return _got(Site, site_id)


def list_queues() -> Sequence[Queue]:
    """Every queue with its members, by publication and name."""
    whole = select(Queue).options(joinedload(Queue.site), selectinload(Queue.members))
    return db.session.scalars(whole.order_by(Queue.site_id, Queue.name, Queue.id)).all()


def get_queue(queue_id: int) -> Queue:
    """One queue. Raises NotFound."""
    return _got(Queue, queue_id)


def list_topics() -> Sequence[Topic]:
    """Every topic with its queue, by publication, in the order of the form; retired ones last."""
    whole = select(Topic).options(joinedload(Topic.queue))
    return db.session.scalars(whole.order_by(Topic.site_id, Topic.active.desc(), Topic.position, Topic.id)).all()


def get_topic(topic_id: int) -> Topic:
    """One topic. Raises NotFound."""
    return _got(Topic, topic_id)


def _got(noun: type[Noun], number: int) -> Noun:
    found = db.session.get(noun, number)
    if found is None:
        raise NotFound
    return found
