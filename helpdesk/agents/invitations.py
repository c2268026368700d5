"""Asking a new colleague to choose a password."""

from flask_security.recoverable import generate_reset_password_token
from flask_security.utils import send_mail

from helpdesk.agents.models import Agent
from helpdesk.database import transactional


@transactional
def invite(agent: Agent, *, by: Agent) -> None:
    """Mail an agent the link to choose a password; it works once, for four hours."""
    token = generate_reset_password_token(agent)  # type: ignore[no-untyped-call]
    send_mail("Your helpdesk account", agent.email, "security/email/invitation", user=agent, reset_token=token, by=by)
