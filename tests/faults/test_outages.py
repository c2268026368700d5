"""What the desk needs goes away and comes back: staff are told, nothing is lost, and it heals without a hand."""

import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import NullPool, create_engine, text, update

from helpdesk import clock, create_app
from helpdesk.config import Settings
from helpdesk.database import db
from helpdesk.inbound.models import InboundEmail, Source
from helpdesk.outbound.models import DeliveryState, DestinationWait, OutboundRecipient
from helpdesk.outbound.schedule import LEASE
from helpdesk.sites.models import Queue
from helpdesk.tickets.replying import reply
from tests.cast import PASSWORD, Cast
from tests.conftest import _migrate, make_settings
from tests.contact.posting import filled
from tests.factories import make_ticket
from tests.faults.ledgers import complaints
from tests.faults.rig import Rig, Visitor, hidden
from tests.faults.test_kills import all_of, everything_is, everything_left, everything_read
from tests.journeys.conftest import wait_until
from tests.letters import letter
from tests.live import free_port
from tests.servers import postgresql as postgresqls
from tests.servers.certificates import Certificate
from tests.servers.dovecot import Account, Dovecot
from tests.servers.fixtures import need
from tests.servers.smtp import SmtpServer, start_smtp

LOCKED_SECONDS = 30
LOCK = "LOCK TABLE ticket, message, outbound_recipient, inbound_email, source IN ACCESS EXCLUSIVE MODE"
NOT_NOW = "Something that the desk needs does not answer just now"
NOT_SENT, NOT_FETCHED = "Mail does not leave", "cannot be read"


def test_mail_server_down_and_back(rig: Rig, visitor: Visitor, cast: Cast) -> None:
    rig.smtp_port = free_port()
    reply(make_ticket(cast), body="mark-1- You are right.", by=cast.ann)
    rig.start_web()
    rig.start_worker()
    wait_until(lambda: any(row.error for row in afresh(OutboundRecipient)))
    assert everything_is(DeliveryState.QUEUED)
    visitor.sign_in("ann@example.org", PASSWORD)
    assert NOT_SENT not in visitor.get("/desk/unassigned")
    change(OutboundRecipient, queued_at=clock.now() - timedelta(minutes=20))
    assert NOT_SENT in visitor.get("/desk/unassigned")
    server = SmtpServer(port=rig.smtp_port)
    controller = start_smtp(server)
    try:
        change(OutboundRecipient, next_attempt_at=clock.now())  # as though the waits were over
        change(DestinationWait, until=clock.now())
        wait_until(everything_left)
        assert NOT_SENT not in visitor.get("/desk/unassigned")
        assert complaints(taken=[], replied=["mark-1-"], caught=server.mails) == []
    finally:
        rig.stop()
        controller.stop()


def test_mailbox_server_down_and_back(
    rig: Rig, visitor: Visitor, cast: Cast, smtp: SmtpServer, start_dovecot: Callable[[Certificate | None], Dovecot]
) -> None:
    dovecot = start_dovecot(None)
    watch(cast.queue, dovecot.add_mailbox())
    rig.start_web()
    rig.start_worker()
    wait_until(lambda: afresh(Source)[0].last_success_at)
    dovecot.halt()
    wait_until(lambda: afresh(Source)[0].last_error)
    change(Source, last_success_at=clock.now() - timedelta(minutes=20))
    visitor.sign_in("ann@example.org", PASSWORD)
    assert NOT_FETCHED in visitor.get("/desk/unassigned")
    dovecot.start()
    account = Account(dovecot, afresh(Source)[0].settings["username"])
    wait_until(lambda: delivered(account, letter(body="mark-1- It opened in 1932.\r\n")))
    wait_until_healed(rig)
    assert NOT_FETCHED not in visitor.get("/desk/unassigned")
    assert complaints(taken=["mark-1-"], replied=[], caught=smtp.mails) == []


def test_a_full_disk_leaves_mail_in_the_mailbox_and_says_so(
    rig: Rig, visitor: Visitor, watched: Account, smtp: SmtpServer
) -> None:
    rig.arm("disk full")
    rig.start_web()
    rig.start_worker()
    watched.deliver(letter(body="mark-1- It opened in 1932.\r\n"))
    wait_until(lambda: afresh(Source)[0].last_error)
    change(Source, last_success_at=None)
    visitor.sign_in("ann@example.org", PASSWORD)
    assert "could not be kept here and stays there" in visitor.get("/desk/unassigned")
    assert watched.flags() == [set()]
    rig.disarm("disk full")
    wait_until_healed(rig)
    assert NOT_FETCHED not in visitor.get("/desk/unassigned")
    assert complaints(taken=["mark-1-"], replied=[], caught=smtp.mails) == []


def test_database_locked_for_half_a_minute(
    rig: Rig, visitor: Visitor, cast: Cast, watched: Account, smtp: SmtpServer
) -> None:
    number = make_ticket(cast).number
    rig.start_web()
    rig.start_worker()
    wait_until(lambda: afresh(Source)[0].last_success_at)
    visitor.sign_in("ann@example.org", PASSWORD)
    action = f"/desk/tickets/{number}/reply"
    page = visitor.get(f"/desk/tickets/{number}")
    answer = hidden(page, of=action) | {"body": "mark-1- You are right.", "then": "send"}
    form = filled(message="mark-2- It opened in 1932.")
    posts = {"mark-1-": (action, answer), "mark-2-": ("/contact", form)}
    with locked(rig.settings):
        watched.deliver(letter(body="mark-3- The photo too.\r\n"))
        with ThreadPoolExecutor() as hands:
            answers = list(hands.map(lambda sent: visitor.post(*sent), posts.values()))
        assert [(status, mark in page) for mark, (status, page) in zip(posts, answers, strict=True)] == [
            (503, True)
        ] * 2
        assert all(process.poll() is None for process in rig.processes)
    for sent in posts.values():
        assert visitor.post(*sent)[0] == 200
    wait_until_healed(rig)
    assert complaints(taken=["mark-2-", "mark-3-"], replied=["mark-1-"], caught=smtp.mails) == []


@pytest.mark.usefixtures("postgresql")
def test_database_server_restarted(tmp_path: Path, mailbox: Account, smtp: SmtpServer) -> None:
    with own_postgresql() as (server, url):
        settings = make_settings(tmp_path / "data", database_url=url)
        with server():
            _migrate(settings)
        rig = Rig(settings, tmp_path / "faults", smtp.port)
        visitor, app = Visitor(rig), create_app(settings)
        try:
            with app.app_context():
                survive_a_restart(rig, visitor, app, server, mailbox, smtp)
        finally:
            rig.stop()


def survive_a_restart(
    rig: Rig,
    visitor: Visitor,
    app: Flask,
    server: Callable[[], AbstractContextManager[str]],
    mailbox: Account,
    smtp: SmtpServer,
) -> None:
    """Forms, mail and replies before, while and after the database is away."""
    with server():
        watch(db.session.query(Queue).filter_by(name="Readers").one(), mailbox)
        rig.start_web()
        rig.start_worker()
        assert visitor.post("/contact", filled(message="mark-1- It opened in 1932."))[0] == 200
        wait_until(lambda: afresh(Source)[0].last_success_at)
        visitor.sign_in("ann@example.org", PASSWORD)
        action = "/desk/tickets/1/reply"
        answer = hidden(visitor.get("/desk/tickets/1"), of=action) | {"body": "mark-4- You are right.", "then": "send"}
        db.session.remove()
        db.engine.dispose()
    mailbox.deliver(letter(body="mark-2- The photo too.\r\n"))
    form = filled(message="mark-3- And the plaque.")
    for mark, sent in (("mark-3-", ("/contact", form)), ("mark-4-", (action, answer))):
        status, page = visitor.post(*sent)
        assert (status, mark in page, NOT_NOW in page) == (503, True, True), rig.log()
    time.sleep(3)  # the worker finds out, too
    assert all(process.poll() is None for process in rig.processes)
    with server():
        wait_until(lambda: visitor.post("/contact", form)[0] == 200)
        assert visitor.post(action, answer)[0] == 200
        wait_until_healed(rig)
        taken = ["mark-1-", "mark-2-", "mark-3-"]
        assert complaints(taken=taken, replied=["mark-4-"], caught=smtp.mails) == []
        assert len(all_of(InboundEmail)) == 1
        rig.stop()
        db.session.remove()
        db.engine.dispose()
        app.extensions["huey"].storage.close()


@contextmanager
def own_postgresql() -> Iterator[tuple[Callable[[], AbstractContextManager[str]], str]]:
    """A server of this test's own, always at the same address: how to run it for a while, and where it is."""
    binaries, port = postgresqls.find_binaries(), free_port()
    if binaries is None:
        need("postgres")
    with tempfile.TemporaryDirectory(prefix="helpdesk-postgresql-") as folder:
        yield (
            lambda: postgresqls.running_in(Path(folder), binaries, port=port),  # type: ignore[arg-type]
            f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres",
        )


@contextmanager
def locked(settings: Settings) -> Iterator[None]:
    """Somebody else holds the whole database for half a minute, counted from the beginning."""
    db.session.rollback()
    held, began = threading.Event(), time.monotonic()
    thread = threading.Thread(target=_hold, args=(settings, held), daemon=True)
    thread.start()
    assert held.wait(30)
    yield
    assert thread.is_alive()
    thread.join()
    assert time.monotonic() - began >= LOCKED_SECONDS


def _hold(settings: Settings, held: threading.Event) -> None:
    if settings.database_url:
        engine = create_engine(settings.database_url, poolclass=NullPool)
        with engine.begin() as connection:
            connection.execute(text(LOCK))
            held.set()
            time.sleep(LOCKED_SECONDS)
        return
    connection = sqlite3.connect(settings.data_dir / "helpdesk.sqlite3", isolation_level=None, timeout=30)
    connection.execute("BEGIN IMMEDIATE")
    held.set()
    time.sleep(LOCKED_SECONDS)
    connection.execute("ROLLBACK")
    connection.close()


def watch(queue: Queue, account: Account) -> None:
    """Let the queue's mail come from this mailbox."""
    db.session.add(Source(name="readers", queue=queue, settings=account.settings()))
    db.session.commit()


def wait_until_healed(rig: Rig) -> None:
    """The one mail is read and each letter has left: at the latest when the claims that the outage cut off run out."""
    try:
        wait_until(lambda: everything_read(1) and everything_left(), LEASE.total_seconds() + 90)
    except TimeoutError:
        raise AssertionError(rig.log()) from None


def delivered(account: Account, raw: bytes) -> bool:
    """True once the server takes mails again."""
    try:
        account.deliver(raw)
    except OSError:
        return False
    return True


def afresh(noun: type) -> list[object]:
    """All rows, as they are now."""
    db.session.rollback()
    db.session.expire_all()
    return all_of(noun)


def change(noun: type, **values: object) -> None:
    """Set the same in all rows."""
    db.session.rollback()
    db.session.execute(update(noun).values(**values))
    db.session.commit()
