"""The private address that an agent forwards mail to: the queue's own address with a token that names the agent."""

from sqlalchemy import select

from helpdesk.addresses import split_token, with_token
from helpdesk.agents.models import Agent
from helpdesk.config import settings
from helpdesk.database import db
from helpdesk.sites.models import Queue
from helpdesk.sites.queries import is_worked_in_by
from helpdesk.tokens import Kind, keyring

ID_BYTES = 5


def forward_address(agent: Agent, queue: Queue) -> str:
    """Where this agent forwards mail to that belongs into the queue; it ends with the key that signed it."""
    return with_token(queue.intake_address, keyring().issue(Kind.FORWARD, agent.id.to_bytes(ID_BYTES)))


def forward_addresses(agent: Agent) -> list[tuple[Queue, str]]:
    """Each queue that the agent works in, by name, with his private address there; none without plus addressing."""
    if not settings().plus_addressing:
        return []
    queues = db.session.scalars(select(Queue).where(is_worked_in_by(agent)).order_by(Queue.name, Queue.id))
    return [(queue, forward_address(agent, queue)) for queue in queues]


def agent_of_address(address: str) -> int | None:
    """The id of the agent whose private address this is, whatever its case; None when we never issued it."""
    parts = split_token(address)
    payload = keyring().read(Kind.FORWARD, parts[1]) if parts else None
    return int.from_bytes(payload) if payload else None


def may_forward_to(agent: Agent, queue: Queue) -> bool:
    """Whether an account is open and works in the queue; another's private address is no better than any."""
    works_here = select(Queue.id).where(Queue.id == queue.id, is_worked_in_by(agent))
    return agent.can("tickets.note") and db.session.scalar(works_here) is not None
