"""Starting the whole demo and stopping all of it again."""

import fcntl
import http.client
import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path

import click

from helpdesk import create_app
from helpdesk.config import Settings
from helpdesk.demo.catcher import catch
from helpdesk.demo.pages import LOOPBACK
from helpdesk.demo.publication import ARTICLES, NAME, PASSWORD, SIGN_IN
from helpdesk.demo.seeding import articles_url, is_prepared, prepare
from helpdesk.demo.settings import demo_settings
from helpdesk.errors import Conflict, Misconfigured
from helpdesk.ports import listen_near, port_of
from helpdesk.supervisor import Supervisor, spawn
from helpdesk.web import serve_on
from helpdesk.worker import Worker

DEMO_DATA = Path("data/demo")
WEB_PORT = 5000
MAIL_PORT = 5080
READY_WITHIN_SECONDS = 60
LOCK_FILE = "lock"
ADDRESSES = """
{name} is ready. Three addresses:

  As a reader    {article}
                 (follow “Contact us” below the article, or go straight to {contact})
  As the staff   {desk}
                 (sign in as {sign_in} with the password {password})
  Caught mail    {mail}
                 (no mail leaves this machine; open one to answer it as the reader)

Ctrl-C stops all of it. The sample data stays in {data}.
"""


def run_demo(data_dir: Path, *, web_port: int = WEB_PORT, mail_port: int = MAIL_PORT) -> None:
    """Run web, worker and the mail catcher until Ctrl-C; a taken port is replaced by the next free one."""
    with ExitStack() as held:
        held.enter_context(_alone_in(data_dir))
        web, pages, smtp = (held.enter_context(listen_near(port)) for port in (web_port, mail_port, 0))
        settings = demo_settings(data_dir, web_port=port_of(web), mail_port=port_of(pages), smtp_port=port_of(smtp))
        if not is_prepared(settings):
            click.echo("Preparing the sample desk; this happens once …")
            _do(partial(prepare, settings))
        supervisor = Supervisor({
            "mail": partial(catch, settings, smtp=smtp, web=pages),
            "web": partial(serve_on, settings, web),
            "worker": partial(_work, settings),
        })  # fmt: skip
        supervisor.run(on_started=lambda: _announce(settings, supervisor))
    click.echo("The demo has stopped.")


@contextmanager
def _alone_in(data_dir: Path) -> Iterator[None]:
    """Hold the data folder: two demos over the same rows would move each other's articles."""
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (data_dir / LOCK_FILE).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Conflict(f"A demo is running in {data_dir} already. Stop it, or give another --data-dir.") from error
        yield


def _work(settings: Settings) -> None:
    Worker(create_app(settings)).run()


def _do(work: partial[None]) -> None:
    """Run something in a process of its own, so that nothing of it is carried into those that stay."""
    pid = spawn(work)
    try:
        _, status = os.waitpid(pid, 0)
    except KeyboardInterrupt:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        raise
    if os.waitstatus_to_exitcode(status) != 0:
        raise Misconfigured("The sample desk could not be prepared; the reason stands above.")


def _announce(settings: Settings, supervisor: Supervisor) -> None:
    deadline = time.monotonic() + READY_WITHIN_SECONDS
    while not _answers(settings) and not supervisor.is_stopping:
        if time.monotonic() > deadline:
            raise Misconfigured("The desk did not answer in time; the reason may stand above.")
        time.sleep(0.05)
    if supervisor.is_stopping:
        return
    article = articles_url(settings) + ARTICLES[0].slug
    click.echo(ADDRESSES.format(
        name=NAME, article=article, contact=f"{settings.link('/contact')}?url={article}", desk=settings.link("/desk/"),
        sign_in=SIGN_IN, password=PASSWORD, mail=settings.caught_mail_url, data=settings.data_dir,
    ))  # fmt: skip


def _answers(settings: Settings) -> bool:
    port = int(settings.base_url.rpartition(":")[2])
    connection = http.client.HTTPConnection(LOOPBACK[0], port, timeout=READY_WITHIN_SECONDS)
    try:
        connection.request("GET", "/contact")
        return connection.getresponse().status > 0
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
