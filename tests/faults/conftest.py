"""A desk on each engine, with a mailbox, a mail server and points at which its processes may be killed."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from helpdesk.config import Settings
from helpdesk.database import db
from helpdesk.inbound.models import Source
from tests.cast import Cast
from tests.faults.rig import Rig, Visitor
from tests.intake.conftest import start
from tests.servers.dovecot import Account
from tests.servers.smtp import SmtpServer


@pytest.fixture
def rig(app: Flask, settings: Settings, smtp: SmtpServer, tmp_path: Path) -> Iterator[Rig]:
    """The desk, nothing of it running yet."""
    rig = Rig(settings, tmp_path / "faults", smtp.port)
    yield rig
    rig.stop()


@pytest.fixture
def watched(cast: Cast, mailbox: Account) -> Account:
    """A mailbox that the queue's mail comes from."""
    db.session.add(Source(name="readers", queue=cast.queue, settings=mailbox.settings()))
    db.session.commit()
    return mailbox


@pytest.fixture
def visitor(rig: Rig) -> Visitor:
    """Somebody's browser."""
    return Visitor(rig)


__all__ = ["rig", "start", "visitor", "watched"]
