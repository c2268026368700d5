"""Three ways in, each as something that can be tried again until it is done."""

import io
from collections.abc import Callable
from itertools import count

from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError

from helpdesk.database import db
from helpdesk.inbound.operations import process_received
from helpdesk.inbound.sources.pipe import EX_OK, EX_TEMPFAIL, receive_from_pipe
from tests.contact.posting import PNG, filled
from tests.letters import letter

Try = Callable[[], bool]
Door = Callable[[FlaskClient, str], Try]
NOT_NOW = (422, 503)  # the page keeps what was typed
IN_PARTS = {"MIME-Version": "1.0", "Content-Type": "multipart/mixed; boundary=b"}
TWO_FILES = "".join(
    f'--b\r\nContent-Type: text/plain\r\nContent-Disposition: attachment; filename="{name}.txt"\r\n\r\n{name}\r\n'
    for name in ("plaque", "harbour")
)
WORDS = "It opened in 1932, as the plaque says, and not in 1923. " * 60
_networks = count(1)


def form(client: FlaskClient, mark: str) -> Try:
    """A form with a file; True when the reader is thanked."""
    fields = filled(message=f"{mark} {WORDS}", email=f"{mark}@example.com")
    remote = {"REMOTE_ADDR": f"10.1.{next(_networks)}.9"}

    def send() -> bool:
        sent = fields | {"files": (io.BytesIO(PNG), "plaque.png")}
        status = client.post("/contact", data=sent, environ_base=remote).status_code
        assert status in (303, *NOT_NOW)
        return status == 303

    return send


def pipe(_client: FlaskClient, mark: str) -> Try:
    """A mail on standard input; True when the mail server may forget it."""
    raw = mail_with_files(mark)

    def hand_over() -> bool:
        code = receive_from_pipe(io.BytesIO(raw), "ruth@example.com", ("support@example.org",))
        assert code in (EX_OK, EX_TEMPFAIL)
        return code == EX_OK

    return hand_over


def reading(client: FlaskClient, mark: str) -> Try:
    """A mail with two files that was kept before; True when it is read."""
    assert pipe(client, mark)()

    def read() -> bool:
        try:
            return process_received() == 1
        except (OSError, OperationalError):
            db.session.rollback()
            return False

    return read


DOORS: dict[str, Door] = {"form": form, "pipe": pipe, "reading": reading}


def mail_with_files(mark: str) -> bytes:
    """A mail with two files beside its text."""
    body = f"--b\r\nContent-Type: text/plain\r\n\r\n{mark} {WORDS}\r\n{TWO_FILES}--b--\r\n"
    return letter(body=body, from_=f"{mark}@example.com", headers=IN_PARTS)
