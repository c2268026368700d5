"""A healthy desk with everything it stands on, real and running; each test breaks one part of it."""

import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text, update
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from helpdesk import create_app
from helpdesk.config import Settings
from helpdesk.database import db, transactional
from helpdesk.doctor.examination import examine
from helpdesk.doctor.findings import Finding
from helpdesk.inbound.models import Source
from helpdesk.sites.models import Queue
from tests.conftest import make_settings
from tests.servers.dovecot import PASSWORD, Account
from tests.servers.ports import free_port
from tests.servers.smtp import SmtpServer

Answer = Callable[[dict[str, Any], Any], Any]


@dataclass
class Front:
    """A web server with the desk behind it; `environ` is what its proxies say, `seconds_off` how wrong its clock is."""

    application: Any
    environ: dict[str, str] = field(default_factory=dict)
    seconds_off: int = 0
    live: str = "200 OK"
    is_desk: bool = True

    def __call__(self, environ: dict[str, Any], start: Any) -> Any:
        environ |= self.environ
        if environ["PATH_INFO"] == "/health/live":
            start(self.live, [("Content-Type", "application/json")])
            return [json.dumps({"status": "ok"}).encode()]
        if not self.is_desk:
            start("200 OK", [("Content-Type", "text/html")])
            return [b"<p>It works!</p>"]
        return self.application(environ, start)


class Page(WSGIRequestHandler):
    """Dates its answers by the clock of the front, and writes no log."""

    def date_time_string(self, timestamp: float | None = None) -> str:
        off = self.server.app.seconds_off  # type: ignore[attr-defined]
        return super().date_time_string(int((timestamp or time.time()) + off))

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


@dataclass
class Desk:
    """A desk, and what the doctor finds when some of it is changed."""

    settings: Settings
    settings_file: Path
    front: Front
    server: BaseWSGIServer

    def findings(self, test_mail_to: str = "", **changed: Any) -> list[Finding]:
        settings = self.settings.model_copy(update=changed)
        return list(examine(settings, settings_file=self.settings_file, test_mail_to=test_mail_to))

    def tell(self, statement: str, **values: Any) -> None:
        """Change the database behind the desk's back."""
        engine = db.engine
        with engine.begin() as connection:
            connection.execute(text(statement), values)


@pytest.fixture
def serve() -> Iterator[Callable[..., BaseWSGIServer]]:
    """Serve a WSGI application on a loopback port."""
    servers: list[tuple[BaseWSGIServer, threading.Thread]] = []

    def start(application: Any, port: int, **how: Any) -> BaseWSGIServer:
        server = make_server("127.0.0.1", port, application, threaded=True, request_handler=Page, **how)
        server.log_startup = lambda: None  # type: ignore[method-assign]
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        servers.append((server, thread))
        return server

    yield start
    for server, thread in servers:
        server.shutdown()
        thread.join(30)
        server.server_close()


@pytest.fixture
def app(settings: Settings, smtp: SmtpServer) -> Iterator[Flask]:
    """The application of the healthy desk."""
    whole = settings.model_copy(
        update={
            "secret_keys": make_settings(settings.data_dir, secret_keys=secrets.token_urlsafe(48)).secret_keys,
            "base_url": f"http://127.0.0.1:{free_port()}",
            "smtp_port": smtp.port,
            "imap_password": make_settings(settings.data_dir, imap_password=PASSWORD).imap_password,
        }
    )
    app = create_app(whole)
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def desk(app: Flask, mailbox: Account, tmp_path: Path, serve: Callable[..., BaseWSGIServer]) -> Desk:
    """The healthy desk: reached, migrated, with a mail server that sends and a mailbox."""
    settings: Settings = app.extensions["settings"]
    add_source(db.session.query(Queue).order_by(Queue.id).first(), mailbox.settings())
    file = tmp_path / "helpdesk.env"
    file.touch(mode=0o600)
    front = Front(app.wsgi_app)
    return Desk(settings, file, front, serve(front, int(settings.base_url.rpartition(":")[2])))


@pytest.fixture
def found(desk: Desk) -> Callable[..., list[tuple[str, str, str]]]:
    """What the doctor finds new, now that something is broken; what was fine in other areas must be as before."""
    healthy = desk.findings()
    assert {finding.level.value for finding in healthy} == {"ok"}, healthy

    def compare(*, silent: tuple[str, ...] = (), **changed: Any) -> list[tuple[str, str, str]]:
        now = desk.findings(**changed)
        new = [finding for finding in now if finding not in healthy]
        ill = {finding.area for finding in new}
        gone = {finding.area for finding in healthy if finding not in now}
        assert gone - ill == set(silent), (gone, new)
        return [(finding.level.value, finding.area, finding.sentence) for finding in new]

    return compare


@transactional
def add_source(queue: Queue, settings: dict[str, Any]) -> None:
    db.session.add(Source(name="Inbox", queue=queue, settings=settings))


@transactional
def change_source(queue: Queue, settings: dict[str, Any]) -> None:
    db.session.execute(update(Source).values(settings=settings))


@pytest.fixture
def change_mailbox(desk: Desk) -> Callable[[dict[str, Any]], None]:
    """Point the desk's source at another mailbox."""

    def change(settings: dict[str, Any]) -> None:
        change_source(db.session.query(Queue).order_by(Queue.id).first(), settings)
        db.session.remove()

    return change
