"""Asking a new colleague to choose a password."""

from flask_security.recoverable import generate_reset_password_token

from helpdesk.agents.emails import queue_account_mail
from helpdesk.agents.models import Agent
from helpdesk.database import transactional


def password_token(agent: Agent) -> str:
    """What opens the page that chooses a password: it works once, for four hours."""
    return str(generate_reset_password_token(agent))  # type: ignore[no-untyped-call]


@transactional
def invite(agent: Agent, *, by: Agent) -> None:
    """Mail an agent the link to choose a password; it works once, for four hours."""
    queue_account_mail(
        agent,
        template="emails/invitation",
        subject="Your helpdesk account",
        token=password_token(agent),
        within="4 hours",
        by=by,
    )
