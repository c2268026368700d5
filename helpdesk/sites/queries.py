"""Which queues an agent knows of."""

from sqlalchemy import ColumnElement, or_, select

from helpdesk.agents.models import Agent
from helpdesk.agents.roles import Role
from helpdesk.sites.models import Queue, QueueMember


def is_open_to(agent: Agent) -> ColumnElement[bool]:
    """True for each queue that is not restricted, and for those the agent is a member of."""
    member = select(QueueMember.queue_id).where(QueueMember.agent_id == agent.id)
    return or_(~Queue.restricted, Queue.id.in_(member))


def is_worked_in_by(agent: Agent) -> ColumnElement[bool]:
    """True for each queue whose tickets an agent may see: as a member; from editors on, each that is open to him."""
    member = select(QueueMember.queue_id).where(QueueMember.agent_id == agent.id)
    return Queue.id.in_(member) if agent.role is Role.AGENT else is_open_to(agent)
