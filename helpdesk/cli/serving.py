"""`helpdesk up`, `web`, `worker` and `lmtp`: the commands that stay."""

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

import click

from helpdesk import create_app, metrics
from helpdesk.config import Settings, load_settings
from helpdesk.errors import Misconfigured
from helpdesk.lmtp import listen_for_mail, take_mail
from helpdesk.logs import configure
from helpdesk.ports import listen
from helpdesk.schema import bring_up_to_date, require_current
from helpdesk.supervisor import Supervisor
from helpdesk.web import serve_on
from helpdesk.worker import Worker

BIND = "127.0.0.1:5000"

bind_option = click.option("--bind", default=BIND, show_default=True, help="Where to answer, as HOST:PORT.")


@click.command()
@bind_option
@click.option("--migrate", is_flag=True, help="Bring the database up to date first.")
def up(bind: str, migrate: bool) -> None:
    """Run the whole desk: web and worker, and lmtp when HELPDESK_LMTP_BIND is set.

    One that dies is started again; Ctrl-C or SIGTERM stops all.
    """
    settings = _checked_settings(migrate=migrate)
    with ExitStack() as stack:
        listener = stack.enter_context(listen(bind))
        parts: dict[str, Callable[[], None]] = {
            "web": partial(serve_on, settings, listener, access_log=True),
            "worker": partial(work, settings),
        }
        if settings.lmtp_bind:
            parts["lmtp"] = partial(take_mail, settings, stack.enter_context(listen_for_mail(settings)))
        click.echo(f"The desk answers at {settings.base_url} (listening on {bind}). Ctrl-C stops it.")
        Supervisor(parts).run()


@click.command()
@bind_option
def web(bind: str) -> None:
    """Run the web part alone.

    That is gunicorn with 2 processes of 8 threads.
    """
    settings = _checked_settings(migrate=False)
    with listen(bind) as listener:
        serve_on(settings, listener, access_log=True)


@click.command()
def worker() -> None:
    """Run the worker alone.

    It sends mail, reads mail and watches the mailboxes.
    """
    work(_checked_settings(migrate=False))


@click.command()
def lmtp() -> None:
    """Run the listener for a mail server alone.

    It takes mail by LMTP where HELPDESK_LMTP_BIND says.
    """
    settings = _checked_settings(migrate=False)
    with listen_for_mail(settings) as listener:
        take_mail(settings, listener)


def work(settings: Settings) -> None:
    """Be a worker until SIGTERM."""
    Worker(create_app(settings)).run()


def _checked_settings(*, migrate: bool) -> Settings:
    settings = load_settings()
    configure(settings)
    if settings.demo:
        raise Misconfigured("HELPDESK_DEMO is for the sample desk; run “helpdesk demo” instead.")
    app = create_app(settings)
    if migrate:
        bring_up_to_date(app)
    require_current(app)
    metrics.prepare(settings.data_dir)
    return settings
