"""How many statements a page and a form post send to the database."""

import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, event

from benchmarks.databases import Place
from benchmarks.driving import contact_form
from benchmarks.figures import Figure
from benchmarks.seeding import EMAIL, PASSWORD
from helpdesk import clock, create_app
from helpdesk.contact.form_token import FormToken
from helpdesk.database import db

QUEUE_PAGE, TICKET_PAGE, FORM_POST = 4, 8, 12


def statements(place: Place) -> list[Figure]:
    """Statements of the pages that staff open most, and of a form post; the transaction's own words not counted."""
    app = create_app(place.run)
    with app.app_context():
        engine, token = db.engine, FormToken(1, issued_at=int(clock.now().timestamp()) - 60).signed()
    ann = _signed_in(app)
    paths = (
        ("queue page", "/desk/open", QUEUE_PAGE),
        ("ticket of 5 messages", f"/desk/tickets/{place.tickets - 1}?in=open", TICKET_PAGE),
        ("ticket of 200 messages", f"/desk/tickets/{place.tickets}?in=open", TICKET_PAGE),
    )
    figures = [Figure(f"statements, {name}", _count(engine, ann, path), "", most) for name, path, most in paths]
    figures.append(Figure("statements, form post", _count_post(engine, app, token), "", FORM_POST))
    engine.dispose()
    return figures


def _signed_in(app: Flask) -> FlaskClient:
    ann = app.test_client()
    page = ann.get("/desk/sign-in", base_url=_here(app)).text
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    form = {"email": EMAIL, "password": PASSWORD, "csrf_token": found.group(1) if found else ""}
    ann.post("/desk/sign-in", data=form, base_url=_here(app))
    return ann


def _count(engine: Engine, browser: FlaskClient, path: str) -> int:
    with _counted(engine) as said:
        answer = browser.get(path, base_url=_here(browser.application))
    if answer.status_code != 200:
        raise SystemExit(f"{path} answered {answer.status_code}")
    return len(said)


def _count_post(engine: Engine, app: Flask, token: str) -> int:
    form = contact_form(random.Random(3), body="A word about the bridge.", readers=1, token=token)  # noqa: S311
    with _counted(engine) as said:
        answer = app.test_client().post("/contact", data=form, base_url=_here(app))
    if answer.status_code != 303:
        raise SystemExit(f"the form post answered {answer.status_code}")
    return len(said)


@contextmanager
def _counted(engine: Engine) -> Iterator[list[str]]:
    said: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not statement.startswith("BEGIN"):
            said.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield said
    finally:
        event.remove(engine, "before_cursor_execute", note)


def _here(app: Flask) -> str:
    return str(app.extensions["settings"].base_url)
