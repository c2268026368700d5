"""Accounts and sign-ins."""

from sqlalchemy import select, update

from helpdesk import clock
from helpdesk.addresses import check, normalise
from helpdesk.agents.models import AfterSend, Agent, SignIn
from helpdesk.agents.roles import Role
from helpdesk.database import db, transactional
from helpdesk.errors import Conflict


def find_agent(email: str) -> Agent | None:
    """The account with this address."""
    return db.session.scalar(select(Agent).where(Agent.email == normalise(email)))


@transactional
def add_agent(email: str, *, name: str, role: Role, timezone: str = "UTC", password_hash: str | None = None) -> Agent:
    """Open an account. Without a password its owner chooses one by the link he is given.

    Raises Invalid for an impossible address, Conflict when the address has an account.
    """
    address = normalise(check(email))
    if find_agent(address) is not None:
        raise Conflict(f"{address} has an account already.")
    agent = Agent(
        email=address, name=name, role=role, timezone=timezone, password=password_hash, created_at=clock.now()
    )
    db.session.add(agent)
    db.session.flush()
    return agent


@transactional
def change_role(agent: Agent, *, role: Role) -> None:
    """Give other rights; all its sessions end, so that none goes on with the old ones."""
    agent.role = role
    agent.end_every_session()


@transactional
def deactivate(agent: Agent) -> None:
    """Close the account; it is signed out everywhere."""
    agent.active = False
    agent.end_every_session()


@transactional
def reactivate(agent: Agent) -> None:
    """Open a closed account again; its owner signs in as before."""
    agent.active = True


@transactional
def end_every_session(agent: Agent) -> None:
    """Sign an account out on all devices."""
    agent.end_every_session()


@transactional
def end_other_sign_ins(agent: Agent, *, keep: int | None) -> None:
    """Sign an account out on all devices but one."""
    others = (SignIn.agent_id == agent.id, SignIn.id != (keep or 0), SignIn.ended_at.is_(None))
    db.session.execute(update(SignIn).where(*others).values(ended_at=clock.now()))


@transactional
def change_account(
    agent: Agent, *, name: str, timezone: str, keyboard: bool, after_send: AfterSend, undo_seconds: int
) -> None:
    """Keep what an agent likes: the name readers see, the clock, the keys, the way after sending, the time to undo."""
    agent.name, agent.timezone = name, timezone
    agent.keyboard, agent.after_send, agent.undo_seconds = keyboard, after_send, undo_seconds


@transactional
def end_sign_in(sign_in: SignIn) -> None:
    """Sign out one device."""
    sign_in.ended_at = clock.now()


def start_sign_in(agent: Agent, *, device: str) -> SignIn:
    """Note a new device, inside the transaction of the sign-in itself."""
    now = clock.now()
    sign_in = SignIn(agent=agent, device=device[:200], started_at=now, last_seen_at=now)
    db.session.add(sign_in)
    db.session.flush()
    return sign_in
