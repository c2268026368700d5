"""The least that a form post costs with Flask and SQLAlchemy: the same rows, one durable commit, no question asked."""

import secrets
from datetime import UTC, datetime

from flask import Flask, redirect, request
from werkzeug.wrappers import Response

from helpdesk import database
from helpdesk.database import db
from helpdesk.outbound.models import OutboundEmail, OutboundRecipient
from helpdesk.readers.models import Reader, ReaderAddress
from helpdesk.tickets.drafts import Draft  # noqa: F401 messages are mapped together with drafts
from helpdesk.tickets.events import Event, EventKind
from helpdesk.tickets.messages import Message, MessageKind
from helpdesk.tickets.models import Origin, Status, Ticket
from helpdesk.tickets.search import index_message

HIGHEST = 2**31 - 1


def add_insert(app: Flask, data_dir: str, database_url: str) -> None:
    """Give the floor its POST, on a migrated database with one site, queue and topic, one article and one reader."""
    app.config["SQLALCHEMY_DATABASE_URI"] = database_url or f"sqlite:///{data_dir}/helpdesk.sqlite3"
    database.init_app(app)

    @app.post("/insert")
    def insert() -> Response:
        ticket = _rows(request.form)
        db.session.add(ticket)
        db.session.flush()
        index_message(ticket.messages[0], ticket.subject)
        db.session.commit()
        return redirect(f"/ticket/{ticket.number}", 303)

    def let_go() -> None:
        with app.app_context():
            db.engine.dispose()

    app.extensions["before_fork"] = [let_go]


def _rows(form: dict[str, str]) -> Ticket:
    now, body, address = datetime.now(UTC), form["message"], form["email"]
    ticket = Ticket(
        number=secrets.randbelow(HIGHEST), link_version=1, site_id=1, queue_id=1, topic_id=1, article_id=1,
        subject=body[:80], status=Status.NEW, origin=Origin.FORM, opened_at=now, waiting_since=now, sort_at=now,
        preview=body[:140], message_count=1, last_message_at=now, last_message_kind=MessageKind.READER,
    )  # fmt: skip
    if form["is_known"]:
        ticket.reader_id = 1
    else:
        ticket.reader = Reader(address=address, name=form["name"], created_at=now)
        ticket.reader.addresses = [ReaderAddress(address=address)]
    message = Message(
        kind=MessageKind.READER, home_ticket=ticket, from_name=form["name"], from_address=address, body_text=body,
        submission_key=secrets.token_hex(16), content_hash=secrets.token_hex(32), created_at=now,
    )  # fmt: skip
    ticket.messages = [message]
    ticket.events = [Event(kind=EventKind.OPENED, at=now, data={"receipt": True, "maybe": None})]
    db.session.add(_receipt(ticket, address, now))
    return ticket


def _receipt(ticket: Ticket, address: str, now: datetime) -> OutboundEmail:
    email = OutboundEmail(
        message_id=f"{secrets.token_hex(24)}@example.org", sender="letters@example.org",
        reply_to="letters@example.org", envelope_from="letters@example.org", subject="We have your message",
        template="emails/receipt", context={"number": ticket.number}, headers={}, files=[], created_at=now,
    )  # fmt: skip
    email.recipients = [OutboundRecipient(address=address, queued_at=now, next_attempt_at=now)]
    return email
