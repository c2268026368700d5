"""Mails for the outbox as tests want them, and a server to send them by."""

import itertools
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import select

from helpdesk.addresses import named
from helpdesk.config import Settings
from helpdesk.database import db, transactional
from helpdesk.outbound import transport
from helpdesk.outbound.models import DeliveryState, OutboundEmail, OutboundRecipient
from helpdesk.outbound.operations import enqueue
from tests.servers.smtp import LOGIN

_numbers = itertools.count()


def use_server(
    app: Flask,
    server: Any,
    *,
    security: str | None = None,
    ca_file: Path | None = None,
    password: str = LOGIN[1],
    timeout: int = 30,
) -> None:
    """Let the application send by this server, with a login unless all is plain."""
    security = security or getattr(server, "security", "none")
    settings: Settings = app.extensions["settings"]
    changed = {"smtp_host": "127.0.0.1", "smtp_port": server.port, "smtp_security": security}
    if security != "none":
        changed |= {"smtp_username": LOGIN[0], "smtp_password": password, "smtp_ca_file": ca_file}
    values = {"secret_keys": ["x" * 32], "smtp_timeout_seconds": timeout, "data_dir": settings.data_dir}
    transport.init_app(app, Settings(**(values | changed)))


def put(**fields: Any) -> OutboundEmail:
    """Commit a mail to Ruth to the outbox, or to whom `to` says."""
    return _put(fields)


def states() -> list[tuple[str | None, DeliveryState]]:
    """Error and state of each delivery, oldest first."""
    db.session.rollback()
    rows = db.session.scalars(select(OutboundRecipient).order_by(OutboundRecipient.id))
    return [(row.error, row.state) for row in rows]


@transactional
def _put(fields: dict[str, Any]) -> OutboundEmail:
    fields = dict(fields)
    body = fields.pop("body", "You are right.")
    name, to = fields.pop("sender_name", "The Tidewater Post"), fields.pop("to", "ruth@example.com")
    to = [to] if isinstance(to, str) else to
    values = {
        "message_id": f"mail-{next(_numbers)}@example.org", "sender": named(name, "support@example.org"),
        "reply_to": "support+token@example.org", "envelope_from": "support+token@example.org", "to": to,
        "subject": "Re: The bridge", "template": "emails/reply", "context": {"language": "en", "body": body},
    }  # fmt: skip
    return enqueue(**(values | fields))


def letter(
    *,
    subject: str = "The bridge",
    body: str = "It opened in 1932.\r\n",
    times: int = 1,
    from_: str = "Ruth Reed <ruth@example.com>",
    to: str = "support@example.org",
    message_id: str | None = "",
    headers: dict[str, str] | None = None,
) -> bytes:
    """A mail of Ruth's as it arrives; its Message-ID is a new one unless given, and none for None."""
    if message_id == "":
        message_id = f"her-{next(_numbers)}@example.com"
    said = {"From": from_, "To": to, "Subject": subject, "Date": "Mon, 23 Nov 2026 10:15:00 +0100"}
    said |= {"Message-ID": f"<{message_id}>"} if message_id else {}
    said |= {"Content-Type": "text/plain; charset=utf-8", **(headers or {})}
    head = "".join(f"{name}: {value}\r\n" for name, value in said.items())
    return (head + "\r\n" + body * times).encode()
