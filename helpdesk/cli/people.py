"""`helpdesk add-agent`, and the link by which a new colleague chooses a password."""

import click
from flask import current_app
from flask_security.recoverable import generate_reset_password_token

from helpdesk import create_app
from helpdesk.agents.models import Agent
from helpdesk.agents.operations import add_agent as open_account
from helpdesk.agents.roles import Role
from helpdesk.config import Settings
from helpdesk.schema import require_current


@click.command("add-agent")
@click.option("--name", prompt="Name", help="The name readers see under a reply.")
@click.option("--email", prompt="Mail address", help="The address to sign in with.")
@click.option("--role", type=click.Choice([role.value for role in Role]), default=Role.AGENT.value, show_default=True,
              help="Agents answer, editors also look after texts and mail, admins configure.")  # fmt: skip
@click.option("--timezone", default="UTC", show_default=True, help="Such as Europe/Berlin.")
def add_agent(name: str, email: str, role: str, timezone: str) -> None:
    """Open an account for a colleague.

    Prints a link by which the colleague chooses a password; it works once.
    """
    app = create_app()
    require_current(app)
    with app.app_context():
        agent = open_account(email, name=name, role=Role(role), timezone=timezone)
        click.echo(f"{agent.name} may sign in after choosing a password here, within 4 hours and once:")
        click.echo(one_time_link(agent))


def one_time_link(agent: Agent) -> str:
    """The address where this account's owner chooses a password; it ends to work once one is chosen."""
    token: str = generate_reset_password_token(agent)  # type: ignore[no-untyped-call]
    settings: Settings = current_app.extensions["settings"]
    return settings.link(f"/desk/password/forgotten/{token}")
