"""Forgotten passwords: a page notes who asked, and the worker finds out whether there is such an account."""

from sqlalchemy import select

from helpdesk import clock
from helpdesk.agents.emails import queue_account_mail
from helpdesk.agents.invitations import password_token
from helpdesk.agents.models import Agent, PasswordRequest
from helpdesk.agents.operations import find_agent
from helpdesk.database import db, transactional
from helpdesk.networks import network_of
from helpdesk.rate_limit import Limit, count

HOUR = 60 * 60
PER_ACCOUNT = 3
PER_NETWORK = 30
FOR_ALL = 300


@transactional
def note_password_request(address: str, *, remote_address: str) -> None:
    """Note that somebody forgot the password of this account, known or not: the answer is the same for both.

    Over the limit for the account, the network or all together nothing is noted, and the answer is still the same.
    """
    passed = count(
        Limit("forgotten by one account", address, PER_ACCOUNT, HOUR),
        Limit("forgotten in one network", network_of(remote_address), PER_NETWORK, HOUR),
        Limit("all forgotten", "", FOR_ALL, HOUR),
    )
    if passed is None:
        db.session.add(PasswordRequest(address=address, asked_at=clock.now()))


def answer_password_requests() -> None:
    """Mail a link to each account that asked for one, and forget who asked; tokens are made outside the write."""
    asked = db.session.execute(select(PasswordRequest.id, PasswordRequest.address).order_by(PasswordRequest.id)).all()
    for request_id, address in asked:
        agent = find_agent(address)
        token = password_token(agent) if agent is not None and agent.active else ""
        _answer(request_id, agent=agent, token=token)


@transactional
def _answer(request_id: int, *, agent: Agent | None, token: str) -> None:
    """The mail is queued and the request is gone in one transaction, whichever worker comes first."""
    asked = db.session.get(PasswordRequest, request_id, with_for_update=True)
    if asked is None:
        return
    db.session.delete(asked)
    if agent is not None and token:
        queue_account_mail(
            agent,
            template="emails/password_forgotten",
            subject="Choose a new password for the helpdesk",
            token=token,
            within="4 hours",
        )
