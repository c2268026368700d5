"""What the tests of the providers' doors share: the desk with these doors, what was kept, and a database that is held."""

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from helpdesk import create_app, files
from helpdesk.config import Settings
from helpdesk.database import db
from helpdesk.inbound.models import InboundEmail
from helpdesk.inbound.operations import process_received
from helpdesk.tickets.models import Ticket
from tests.conftest import OwnContextClient, make_settings

KEPT, BEFORE = (200, "The mail is kept.\n"), (200, "The mail was kept before.\n")
TOO_LARGE = (413, "This mail is larger than 50 MB.\n")
NO_MAIL = (422, "There was no mail in the request.\n")
NOT_NOW = (503, "The mail could not be kept just now; send it again later.\n")
PARTS = "multipart/form-data; boundary=the-boundary"
LARGE = 50 * 1024 * 1024 + 1


@contextmanager
def desk_with(settings: Settings, **given: object) -> Iterator[Flask]:
    """The desk with some doors open."""
    values = {"data_dir": settings.data_dir, "database_url": settings.database_url}
    app = create_app(make_settings(**values, **given))
    app.test_client_class = OwnContextClient
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


def said(answer: TestResponse) -> tuple[int, str]:
    """Status and sentence."""
    return answer.status_code, answer.text


def kept() -> list[bytes]:
    """The raw mails that were kept, oldest first."""
    return [files.get(email.storage_key) for email in emails()]


def emails() -> list[InboundEmail]:
    """The rows of the mails that were kept, oldest first."""
    db.session.rollback()
    return list(db.session.scalars(select(InboundEmail).order_by(InboundEmail.id)))


def tickets() -> list[tuple[str, int]]:
    """Subject and number of messages of each ticket, after all mail was read."""
    process_received()
    db.session.rollback()
    return [(ticket.subject, len(ticket.messages)) for ticket in db.session.scalars(select(Ticket).order_by(Ticket.id))]


def count(model: type) -> int:
    """How many rows there are."""
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def in_parts(fields: dict[str, bytes]) -> bytes:
    """A form of the kind PARTS, with every byte as given."""
    head = '--the-boundary\r\nContent-Disposition: form-data; name="{}"\r\n\r\n'
    parts = [head.format(name).encode() + value + b"\r\n" for name, value in fields.items()]
    return b"".join(parts) + b"--the-boundary--\r\n"
