"""A fresh desk for each batch of faults: database, files, mailbox, mail server, and whence children are forked."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from helpdesk import create_app
from helpdesk.agents.models import Agent
from helpdesk.config import Settings
from helpdesk.database import db
from helpdesk.inbound.models import Source
from helpdesk.sites.models import Queue, Site
from helpdesk.tickets.models import Ticket
from helpdesk.web import let_go_of_connections
from tests.cast import PASSWORD, Cast
from tests.conftest import OwnContextClient, _migrate, make_settings, token_in
from tests.factories import make_ticket
from tests.faults import points
from tests.faults.children import Children
from tests.faults.rig import INTAKE_KEY
from tests.faults.works import DONE, Works
from tests.letters import letter
from tests.live import free_port
from tests.servers.dovecot import PASSWORD as MAILBOX_PASSWORD
from tests.servers.dovecot import Account, Dovecot
from tests.servers.postgresql import Cluster
from tests.servers.smtp import SmtpServer, start_smtp
from tests.test_migrations import migrations_with_one_more


@dataclass
class Ground:
    """Everything that one batch needs, and the numbers of what was handed in."""

    app: Flask
    cast: Cast
    works: Works
    thread: Ticket
    children: Children
    folder: Path
    smtp: SmtpServer
    mailbox: Account
    lmtp_port: int
    taken: list[str] = field(default_factory=list)
    replied: list[str] = field(default_factory=list)
    handed_in: int = 0

    def number(self) -> int:
        """The next of all that anybody hands in."""
        self.handed_in += 1
        return self.handed_in

    def log(self) -> str:
        """What the children said last."""
        return (self.folder / "log").read_text(errors="replace")[-4000:]


class Nursery:
    """Migrated databases with the cast, of one engine, each a copy of the first."""

    def __init__(self, folder: Path, dovecot: Dovecot, cluster: Cluster | None) -> None:
        self.folder, self._dovecot, self._cluster = folder, dovecot, cluster
        self._url = cluster.create() if cluster else ""
        _migrate(make_settings(folder / "first", database_url=self._url))
        self.is_sqlite = cluster is None
        self.ahead = migrations_with_one_more(folder, recreate="always" if self.is_sqlite else "never")

    @contextmanager
    def ground(self, name: str) -> Iterator[Ground]:
        """A desk of its own, that is gone afterwards."""
        folder, url = self.folder / name, self._copy(name)
        where: dict[str, Any] = {"smtp_port": free_port(), "lmtp_port": free_port()}
        settings = make_settings(
            folder / "data", database_url=url, smtp_port=where["smtp_port"], imap_password=MAILBOX_PASSWORD,
            intake_keys=INTAKE_KEY,
        )  # fmt: skip
        with _working(settings, folder, self._dovecot.add_mailbox(), where["lmtp_port"], self.ahead) as ground:
            yield ground
        if self._cluster:
            self._cluster.drop(url)
        shutil.rmtree(folder)

    def close(self) -> None:
        if self._cluster:
            self._cluster.drop(self._url)

    def _copy(self, name: str) -> str:
        if self._cluster:
            return self._cluster.create(like=self._url)
        shutil.copytree(self.folder / "first", self.folder / name / "data")
        return ""


@contextmanager
def _working(settings: Settings, folder: Path, mailbox: Account, lmtp_port: int, ahead: str) -> Iterator[Ground]:
    folder.mkdir(exist_ok=True)
    app = create_app(settings)
    app.config["TESTING"], app.test_client_class = True, OwnContextClient
    points.use(folder / "points")
    with app.app_context():
        works = _prepared(app, mailbox, lmtp_port, ahead)
        db.session.remove()
        let_go_of_connections(app)
        children = Children(works.by_name(), folder / "log")  # before there is a thread
        smtp = SmtpServer(port=settings.smtp_port)
        controller = start_smtp(smtp)
        try:
            thread = db.session.scalars(select(Ticket).order_by(Ticket.id)).first()
            assert thread is not None
            yield Ground(app, _cast(), works, thread, children, folder, smtp, mailbox, lmtp_port)
        finally:
            controller.stop()
            children.close()
            db.session.remove()
            let_go_of_connections(app)


def _prepared(app: Flask, mailbox: Account, lmtp_port: int, ahead: str) -> Works:
    """The desk with its mailbox and a ticket, Ann signed in, and all that a process learns by its first work."""
    cast = _cast()
    source = Source(name="readers", queue=cast.queue, settings=mailbox.settings())
    db.session.add(source)
    db.session.commit()
    make_ticket(cast)
    works = Works(app, _signed_in(app), source.id, lmtp_port, ahead)
    assert works.pipe(letter(), "ruth@example.com", cast.queue.intake_address) == DONE
    assert works.fetch() == DONE
    return works


def _cast() -> Cast:
    agents = {agent.first_name.lower(): agent for agent in db.session.scalars(select(Agent))}
    queues = {queue.name: queue for queue in db.session.scalars(select(Queue))}
    site = db.session.scalars(select(Site)).one()
    return Cast(site=site, queue=queues["Readers"], legal=queues["Legal"], **agents)


def _signed_in(app: Flask) -> FlaskClient:
    """Ann's browser, which has seen the pages that it will use."""
    browser = app.test_client()
    form = {"email": "ann@example.org", "password": PASSWORD, "csrf_token": token_in(browser.get("/desk/sign-in").text)}
    assert browser.post("/desk/sign-in", data=form).status_code in (302, 303)
    for page in ("/contact", "/desk/tickets/1"):
        assert browser.get(page).status_code == 200
    return browser
