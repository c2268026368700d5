"""Reader forms as a browser sends them, and what the page says back."""

import html
import io
import re
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from helpdesk import clock
from helpdesk.contact.form_token import FormToken
from helpdesk.database import db
from helpdesk.tickets.messages import Attachment
from helpdesk.tickets.models import Ticket
from tests.cast import ARTICLE_URL, RUTH

WORDS = "The bridge opened in 1932, not 1923."
PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)


def a_token(*, age: int = 60, site_id: int = 1) -> str:
    """The token of a page that was opened `age` seconds ago."""
    return FormToken(site_id, issued_at=int(clock.now().timestamp()) - age).signed()


def filled(**changes: Any) -> dict[str, Any]:
    """Ruth's form about the harbour bridge; a field that is None is not sent."""
    form = {
        "token": a_token(), "topic": "mistake", "url": ARTICLE_URL, "message": WORDS, "answer": "yes",
        "email": RUTH, "name": "Ruth Reed", "website": "",
    }  # fmt: skip
    return {name: value for name, value in (form | changes).items() if value is not None}


def send(client: FlaskClient, *, headers: dict[str, str] | None = None, **changes: Any) -> TestResponse:
    """Press Send."""
    return post(client, "/contact", filled(**changes), headers=headers)


def post(client: FlaskClient, path: str, form: dict[str, Any], **request: Any) -> TestResponse:
    """Send a form, with its files."""
    answer = client.post(path, data=form, **request)
    answer.request.environ["wsgi.input"].close()  # large bodies wait in a temporary file
    return answer


def a_file(name: str = "plaque.png", content: bytes = PNG) -> tuple[io.BytesIO, str]:
    """A file as the form sends it."""
    return io.BytesIO(content), name


def summary(answer: TestResponse) -> list[tuple[str, str]]:
    """Field and sentence of each line of the error summary."""
    lines = re.findall(r'<li><a href="#([\w-]+)">(.*?)</a></li>', answer.text)
    return [(field, html.unescape(sentence)) for field, sentence in lines]


def value_of(answer: TestResponse, name: str) -> str:
    """What a field of the page holds."""
    tag = re.search(rf'<input[^>]*name="{name}"[^>]*>', answer.text)
    if tag is not None:
        value = re.search(r'value="([^"]*)"', tag.group())
        return html.unescape(value.group(1)) if value else ""
    area = re.search(rf'<textarea[^>]*name="{name}"[^>]*>\n(.*?)</textarea>', answer.text, re.DOTALL)
    assert area is not None, answer.text
    return html.unescape(area.group(1))


def tickets() -> list[Ticket]:
    """All tickets, oldest first."""
    db.session.rollback()
    return list(db.session.scalars(select(Ticket).order_by(Ticket.id)))


def files() -> list[Attachment]:
    """All files that the database knows, oldest first."""
    db.session.rollback()
    return list(db.session.scalars(select(Attachment).order_by(Attachment.id)))
