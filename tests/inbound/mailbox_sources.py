"""Sources that read a real mailbox, and what became of their mail."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask
from pydantic import SecretStr
from sqlalchemy import select

from helpdesk.database import db
from helpdesk.inbound.models import InboundEmail, Source, StuckEmail
from helpdesk.inbound.sources.imap import fetch, watch
from helpdesk.inbound.sources.mailbox import MailboxFailed
from helpdesk.tickets.models import Ticket
from tests.cast import Cast
from tests.servers.dovecot import PASSWORD


def make_source(app: Flask, cast: Cast, settings: dict[str, Any], *, name: str = "Readers") -> Source:
    """A Source row with these settings, and its password among the application's settings."""
    set_password(app, PASSWORD)
    source = Source(name=name, queue=cast.queue, settings=settings, active=True)
    db.session.add(source)
    db.session.commit()
    return source


def find_or_make_source(app: Flask, cast: Cast, settings: dict[str, Any]) -> Source:
    source = db.session.scalar(select(Source))
    if source is None:
        return make_source(app, cast, settings)
    source.settings = settings
    db.session.commit()
    return source


def set_password(app: Flask, password: str) -> None:
    changed = app.extensions["settings"].model_copy(update={"imap_password": SecretStr(password)})
    app.extensions["settings"] = changed


def try_to_fetch(source: Source) -> None:
    try:
        fetch(source.id, "one")
    except MailboxFailed:
        db.session.rollback()


def run_together(jobs: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=job) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@contextmanager
def watching(app: Flask, source_id: int) -> Iterator[threading.Thread]:
    stop = threading.Event()
    db.session.rollback()
    thread = threading.Thread(target=watch, args=(app, source_id, stop))
    thread.start()
    try:
        yield thread
    finally:
        stop.set()
        thread.join(30)


def wait_until(is_so: Callable[[], bool], *, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not is_so():
        db.session.rollback()
        assert time.monotonic() < until, "it never happened"
        time.sleep(0.05)


def emails() -> list[InboundEmail]:
    db.session.rollback()
    return list(db.session.scalars(select(InboundEmail).order_by(InboundEmail.id)))


def subjects() -> list[str]:
    db.session.rollback()
    return list(db.session.scalars(select(Ticket.subject).order_by(Ticket.id)))


def stuck() -> list[tuple[int, int, str]]:
    """UID, tries and reason of each mail that is stuck."""
    db.session.rollback()
    rows = db.session.scalars(select(StuckEmail).order_by(StuckEmail.uid))
    return [(row.uid, row.attempts, row.reason) for row in rows]


def afresh(source: Source) -> Source:
    """The source as it is now."""
    source_id = source.id
    db.session.rollback()
    return db.session.get_one(Source, source_id, populate_existing=True)
