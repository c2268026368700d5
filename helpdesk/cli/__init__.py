"""`helpdesk …`: everything that is done to a desk from a terminal."""

import sys

import click

from helpdesk.cli.doctor import doctor
from helpdesk.cli.mail import mail, receive
from helpdesk.cli.people import add_agent
from helpdesk.cli.serving import demo, lmtp, up, web, worker
from helpdesk.cli.setting_up import setup
from helpdesk.cli.upkeep import migrate, reindex
from helpdesk.errors import HelpdeskError

FAILED = 1
INTERRUPTED = 130
ORDER = (setup, up, doctor, web, worker, lmtp, receive, mail, demo, add_agent, migrate, reindex)


class InOrder(click.Group):
    """Lists the commands in the order an owner meets them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


@click.group(cls=InOrder, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="helpdesk", prog_name="helpdesk")
def helpdesk() -> None:
    """The contact and feedback desk for people who publish.

    Try it with “helpdesk demo”. For a desk of your own: “helpdesk setup”, then “helpdesk up”.
    """


for _command in ORDER:
    helpdesk.add_command(_command)


def main(arguments: list[str] | None = None) -> None:
    """Run one command; what we expect to go wrong is one sentence and an exit code, never a traceback."""
    try:
        helpdesk.main(arguments, prog_name="helpdesk", standalone_mode=False)
    except HelpdeskError as error:
        click.echo(error.message, err=True)
        sys.exit(FAILED)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped.", err=True)
        sys.exit(INTERRUPTED)
    except click.exceptions.Exit as end:
        sys.exit(end.exit_code)
