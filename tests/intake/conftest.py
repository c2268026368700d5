"""A real `helpdesk lmtp` for whoever hands mail over, with or without a fault planted, and what became of the mail."""

import os
import smtplib
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import select, text

from helpdesk.config import Settings
from helpdesk.database import db
from helpdesk.inbound.models import InboundEmail
from helpdesk.tickets.models import Ticket
from tests.conftest import SECRET
from tests.live import free_port

PROGRAM = "from helpdesk.cli import main; main(['lmtp'])"
DIES = """
import os, signal
from helpdesk.inbound.sources import lmtp
keep = lmtp.receive
def receive(*args, **kwargs):
    keep(*args, **kwargs)
    os.kill(os.getpid(), signal.SIGKILL)
lmtp.receive = receive
"""
HURRIES = "import helpdesk.lmtp; helpdesk.lmtp.LONGEST_CONNECTION_SECONDS = 1.0\n"
DAWDLES = """
import time
from pathlib import Path
from helpdesk.inbound.sources import lmtp
keep = lmtp.receive
def receive(*args, **kwargs):
    Path("keeping").touch()
    time.sleep(2)
    keep(*args, **kwargs)
lmtp.receive = receive
"""


@dataclass
class Listener:
    """A `helpdesk lmtp` that runs, and where it listens."""

    process: subprocess.Popen[bytes]
    bind: str
    log: Path
    connections: list[smtplib.LMTP] = field(default_factory=list)

    def connect(self) -> smtplib.LMTP:
        """A mail server's connection, already greeted."""
        host, _, port = self.bind.rpartition(":")
        path = self.bind.removeprefix("unix:")
        lmtp = smtplib.LMTP(path, timeout=60) if path != self.bind else smtplib.LMTP(host, int(port), timeout=60)
        self.connections.append(lmtp)
        lmtp.ehlo_or_helo_if_needed()
        return lmtp

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(60)


@pytest.fixture
def start(settings: Settings, tmp_path: Path) -> Iterator[Callable[..., Listener]]:
    """Start listeners: `start(fault="…")` with a fault planted, on a port or another place."""
    started: list[Listener] = []

    def start_one(fault: str = "", bind: str = "", command: tuple[str, ...] = ()) -> Listener:
        bind = bind or f"127.0.0.1:{free_port()}"
        line = [sys.executable, "-c", fault + PROGRAM] if not command else [str(helpdesk()), *command]
        log = tmp_path / f"lmtp-{len(started)}.log"
        with log.open("wb") as out:
            process = subprocess.Popen(line, env=environment(settings, bind), cwd=tmp_path, stdout=out, stderr=out)
        started.append(Listener(process, bind, log))
        wait_until(lambda: accepts(started[-1]))
        return started[-1]

    yield start_one
    for listener in started:
        for connection in listener.connections:
            connection.close()
        if listener.process.poll() is None:
            listener.stop()


@contextmanager
def no_table() -> Iterator[None]:
    """The database refuses to keep a mail."""
    rename("inbound_email", "away")
    yield
    rename("away", "inbound_email")


def rename(old: str, new: str) -> None:
    db.session.rollback()
    db.session.execute(text(f"ALTER TABLE {old} RENAME TO {new}"))
    db.session.commit()


def environment(settings: Settings, bind: str) -> dict[str, str]:
    """The settings of this test's desk, and nothing of another's."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("HELPDESK_")}
    return own | {
        "HELPDESK_SECRET_KEYS": SECRET, "HELPDESK_DATA_DIR": str(settings.data_dir), "HELPDESK_LMTP_BIND": bind,
        "HELPDESK_DATABASE_URL": settings.database_url, "HELPDESK_SMTP_SECURITY": "none",
    }  # fmt: skip


def helpdesk() -> Path:
    return Path(sys.executable).parent / "helpdesk"


def accepts(listener: Listener) -> bool:
    """True once there is a greeting."""
    assert listener.process.poll() is None, listener.log.read_text()
    try:
        with listener.connect() as lmtp:
            return bool(lmtp.noop()[0] == 250)
    except (OSError, smtplib.SMTPException):
        return False


def emails() -> list[InboundEmail]:
    db.session.rollback()
    return list(db.session.scalars(select(InboundEmail).order_by(InboundEmail.id)))


def subjects() -> list[str]:
    db.session.rollback()
    return list(db.session.scalars(select(Ticket.subject).order_by(Ticket.id)))


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
