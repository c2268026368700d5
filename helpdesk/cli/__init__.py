"""`helpdesk …`: everything that is done to a desk from a terminal."""

import sys
from importlib import import_module

import click

from helpdesk.errors import HelpdeskError
from helpdesk.starting import importing

FAILED = 1
INTERRUPTED = 130
COMMANDS = {
    "setup": "setting_up", "up": "serving", "doctor": "doctor", "web": "serving", "worker": "serving",
    "lmtp": "serving", "receive": "mail", "mail": "mail", "demo": "trying", "add-agent": "people",
    "change-site": "sites",
    "migrate": "upkeep", "reindex": "upkeep",
}  # fmt: skip


class InOrder(click.Group):
    """Lists the commands in the order an owner meets them, and imports only what the one that is run needs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        with importing():
            module = import_module(f"helpdesk.cli.{COMMANDS[cmd_name]}")
        command: click.Command = getattr(module, cmd_name.replace("-", "_"))
        return command


@click.group(cls=InOrder, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="helpdesk", prog_name="helpdesk")
def helpdesk() -> None:
    """The contact and feedback desk for people who publish.

    Try it with “helpdesk demo”. For a desk of your own: “helpdesk setup”, then “helpdesk up”.
    """


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
