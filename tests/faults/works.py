"""What a child does: one piece of the desk's daily work, by the very code that web, worker and listener run."""

import asyncio
import io
import socket
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from helpdesk import lmtp
from helpdesk.inbound.operations import process_received
from helpdesk.inbound.sources.imap import fetch
from helpdesk.inbound.sources.pipe import receive_from_pipe
from helpdesk.schema import use_migrations
from helpdesk.tickets.delivery import deliver_due
from tests.faults.children import Work
from tests.faults.rig import let_leases_run_out

DONE, NOT_DONE = 0, 1


@dataclass(frozen=True)
class Works:
    """All pieces of work on one desk; each ends with 0 when whoever asked for it may forget it."""

    app: Flask
    ann: FlaskClient
    source_id: int
    lmtp_port: int
    ahead: str

    def by_name(self) -> dict[str, Work]:
        works: dict[str, Callable[..., int]] = {
            "form": self.form, "reply": self.reply, "http": self.http, "pipe": self.pipe, "lmtp": self.lmtp,
            "fetch": self.fetch, "deliver": self.deliver, "migrate": self.migrate,
        }  # fmt: skip
        return {name: self._in_context(work) for name, work in works.items()}

    def form(self, fields: dict[str, str], file: bytes, remote: str) -> int:
        """A reader presses Send."""
        sent: dict[str, Any] = fields | {"files": (io.BytesIO(file), "plaque.png")}
        answer = self.app.test_client().post("/contact", data=sent, environ_base={"REMOTE_ADDR": remote})
        return _says(answer.status_code in (302, 303), answer.text)

    def reply(self, path: str, fields: dict[str, str]) -> int:
        """Ann presses Send; a 409 keeps her text and tells that it is on the ticket already."""
        answer = self.ann.post(path, data=fields)
        return _says(answer.status_code in (302, 303, 409), answer.text)

    def http(self, raw: bytes, headers: dict[str, str]) -> int:
        """A program hands a mail over in a signed request."""
        answer = self.app.test_client().post("/intake/mime", data=raw, headers=headers)
        return _says(answer.status_code == 200, answer.text)

    def pipe(self, raw: bytes, sender: str, recipient: str) -> int:
        """A mail server pipes a mail to `helpdesk receive`."""
        return receive_from_pipe(io.BytesIO(raw), sender, (recipient,))

    def lmtp(self) -> int:
        """`helpdesk lmtp` takes mail until it is told to end."""
        with socket.create_server(("127.0.0.1", self.lmtp_port)) as listener:
            asyncio.run(lmtp._serve(self.app, listener))
        return DONE

    def fetch(self) -> int:
        """The worker looks into the mailbox and reads what is there."""
        fetch(self.source_id, "child")
        process_received()
        return DONE

    def deliver(self) -> int:
        """The worker sends what is due."""
        deliver_due("child")
        return DONE

    def settle(self) -> None:
        """Minutes later another worker goes on; not for a child, but for whoever looks on."""
        let_leases_run_out()
        fetch(self.source_id, "another")
        process_received()
        deliver_due("another")

    def migrate(self) -> int:
        """`helpdesk migrate` of the next version."""
        use_migrations(self.app).upgrade(directory=self.ahead)
        return DONE

    def _in_context(self, work: Callable[..., int]) -> Work:
        @wraps(work)
        def run(*details: Any) -> int:
            with self.app.app_context():
                return work(*details)

        return run


def _says(is_done: bool, page: str) -> int:
    if not is_done:
        print(page, flush=True)  # noqa: T201 the log is all that is left of a child
    return DONE if is_done else NOT_DONE
