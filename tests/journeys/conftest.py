"""A whole desk of real parts: web and worker processes, SMTP server, IMAP server, an article on a site, Chromium."""

import http.server
import os
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import pytest
from flask import Flask

from helpdesk import create_app
from helpdesk.config import Settings
from helpdesk.database import db
from helpdesk.inbound.models import Source
from helpdesk.sites.models import Queue, Site
from tests.conftest import SECRET, make_settings
from tests.live import free_port
from tests.servers.dovecot import PASSWORD as MAILBOX_PASSWORD
from tests.servers.dovecot import Account
from tests.servers.round_robin import RoundRobin
from tests.servers.smtp import CaughtMail, SmtpServer

Found = TypeVar("Found")
ARTICLE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>The bridge that took ten years</title></head>
<body><main><h1>The bridge that took ten years</h1><p>It opened in 1923.</p>
<p><a href="{contact}?url={url}">Contact us</a></p></main></body></html>"""


@dataclass
class Desk:
    """Where everything is, and the two ends of Ruth's mail."""

    url: str
    article_url: str
    smtp: SmtpServer
    mailbox: Account
    front: RoundRobin

    def wait_for_mail(self, subject: str) -> CaughtMail:
        """The next mail to a reader with this subject."""
        return wait_until(
            lambda: next((mail for mail in self.smtp.mails if subject in str(mail.parsed["Subject"])), None)
        )


@pytest.fixture(params=[1, 3], ids=["one of each", "three of each"])
def crowd(request: pytest.FixtureRequest) -> int:
    """How many web and how many worker processes there are."""
    return int(request.param)


@pytest.fixture
def desk(settings: Settings, smtp: SmtpServer, mailbox: Account, tmp_path: Path, crowd: int) -> Iterator[Desk]:
    """The desk at work, for one test: each request goes to the next of its web servers."""
    ports, articles_port = [free_port() for _ in range(crowd)], free_port()
    front = RoundRobin(ports)
    url, article_url = f"http://127.0.0.1:{front.port}", f"http://127.0.0.1:{articles_port}/bridge/"
    publish(tmp_path / "public", article_url, url + "/contact")
    open_for(make_settings(settings.data_dir, database_url=settings.database_url), mailbox, article_url)
    environment = clean_environment() | {
        "HELPDESK_SECRET_KEYS": SECRET, "HELPDESK_DATA_DIR": str(settings.data_dir), "HELPDESK_BASE_URL": url,
        "HELPDESK_DATABASE_URL": settings.database_url, "HELPDESK_SMTP_SECURITY": "none",
        "HELPDESK_SMTP_PORT": str(smtp.port), "HELPDESK_IMAP_PASSWORD": MAILBOX_PASSWORD,
    }  # fmt: skip
    handler = partial(Quiet, directory=str(tmp_path / "public"))
    site = http.server.ThreadingHTTPServer(("127.0.0.1", articles_port), handler)
    threading.Thread(target=site.serve_forever, daemon=True).start()
    commands = [["web", "--bind", f"127.0.0.1:{port}"] for port in ports] + [["worker"]] * crowd
    helpdesk = [str(Path(sys.executable).parent / "helpdesk")]
    processes = [
        subprocess.Popen([*helpdesk, *command], env=environment, cwd=tmp_path, stderr=subprocess.DEVNULL)
        for command in commands
    ]
    try:
        for port in ports:
            wait_until(lambda port=port: answers(f"http://127.0.0.1:{port}/contact"))
        yield Desk(url, article_url, smtp, mailbox, front)
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(timeout=30)
        front.stop()
        site.shutdown()
        site.server_close()


def publish(folder: Path, url: str, contact: str) -> None:
    """The site, with one article that ends in “Contact us”."""
    (folder / "bridge").mkdir(parents=True)
    (folder / "bridge/index.html").write_text(ARTICLE.format(contact=contact, url=url))


def open_for(settings: Settings, mailbox: Account, article_url: str) -> None:
    """Let the publication have its article, and the queue its mailbox."""
    app: Flask = create_app(settings)
    with app.app_context():
        db.session.query(Site).one().url_prefixes = [article_url.rsplit("/", 2)[0] + "/"]
        queue = db.session.query(Queue).filter_by(name="Readers").one()
        db.session.add(Source(name="readers", queue=queue, settings=mailbox.settings()))
        db.session.commit()
        db.engine.dispose()


def wait_until(look: Callable[[], Found | None], seconds: float = 60) -> Found:
    """What `look` finds, as soon as it finds something."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.1)
    raise TimeoutError("it did not happen")


def answers(url: str) -> bool:
    """True when a page is there."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def clean_environment() -> dict[str, str]:
    """The environment without settings of another installation."""
    return {name: value for name, value in os.environ.items() if not name.startswith("HELPDESK_")}


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves the article without a word."""

    def log_message(self, *_: object) -> None:
        """Nothing to say."""
