"""Which tickets an agent may see: the one question behind every list, count, page and file."""

from sqlalchemy import ColumnElement, case, select, true

from helpdesk.agents.models import Agent
from helpdesk.agents.queries import per_agent
from helpdesk.agents.roles import Role
from helpdesk.sites.models import Queue, QueueMember
from helpdesk.sites.queries import is_open_to
from helpdesk.tickets.models import Ticket


@per_agent
def visible_to(agent: Agent) -> ColumnElement[bool]:
    """The tickets an agent may see: his queues' and those assigned to him; restricted queues only as a member.

    Written as a CASE, since a list is walked in its order and tested row by row: with an OR a database gathers all
    that he may see, a million perhaps, and sorts them for the first fifty.
    """
    member = select(QueueMember.queue_id).where(QueueMember.agent_id == agent.id)
    if agent.role is Role.AGENT:
        queues = Ticket.queue_id.in_(member)
    else:
        queues = Ticket.queue_id.in_(select(Queue.id).where(is_open_to(agent)))
    return case((queues, true()), else_=Ticket.assignee_id == agent.id)
