"""Reading accounts and sign-ins."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import wraps
from typing import TypeVar

from sqlalchemy import ColumnElement, exists, select

from helpdesk.agents.models import Agent, DeskSetting, SignIn
from helpdesk.agents.roles import Role
from helpdesk.database import db
from helpdesk.errors import NotFound

Part = TypeVar("Part")
SECOND_FACTOR, REQUIRED = "second factor", "required"


def per_agent(build: Callable[[Agent], Part]) -> Callable[[Agent], Part]:
    """Keep what `build` makes of an agent's id and role: a large statement costs more to write than to ask."""
    built: dict[tuple[int, str], Part] = {}

    @wraps(build)
    def get(agent: Agent) -> Part:
        who = (agent.id, agent.role.value)
        if who not in built:
            built[who] = build(agent)
        return built[who]

    return get


def list_agents() -> Sequence[Agent]:
    """All accounts by name, closed ones last."""
    return db.session.scalars(select(Agent).order_by(Agent.active.desc(), Agent.name, Agent.id)).all()


def list_admins() -> Sequence[Agent]:
    """Everybody who administers the desk now, by name."""
    admins = select(Agent).where(Agent.active, Agent.role == Role.ADMIN)
    return db.session.scalars(admins.order_by(Agent.name, Agent.id)).all()


def get_agent(agent_id: int) -> Agent:
    """One account. Raises NotFound."""
    agent = db.session.get(Agent, agent_id)
    if agent is None:
        raise NotFound
    return agent


def list_sign_ins(agent: Agent, *, since: datetime) -> Sequence[SignIn]:
    """The devices on which an account is signed in, latest first; older sign-ins than `since` have run out."""
    live = (SignIn.agent_id == agent.id, SignIn.ended_at.is_(None), SignIn.started_at > since)
    return db.session.scalars(select(SignIn).where(*live).order_by(SignIn.id.desc())).all()


def get_sign_in(sign_in_id: int, agent: Agent) -> SignIn:
    """One of an account's own sign-ins. Raises NotFound for somebody else's."""
    sign_in = db.session.get(SignIn, sign_in_id)
    if sign_in is None or sign_in.agent_id != agent.id:
        raise NotFound
    return sign_in


def is_second_factor_required() -> ColumnElement[bool]:
    """True when an admin decided that nobody works here with a password alone."""
    return exists().where(DeskSetting.name == SECOND_FACTOR, DeskSetting.value == REQUIRED)


def requires_second_factor() -> bool:
    """What admins decided, as it is now."""
    return bool(db.session.scalar(select(is_second_factor_required())))
