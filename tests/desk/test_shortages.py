"""When database or disk do not answer: a clear page that keeps every word, and all goes on when they are back."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import create_engine, text

from helpdesk import database
from helpdesk.database import db
from tests.cast import Cast
from tests.contact.posting import WORDS, send, tickets, value_of
from tests.desk.conftest import Desk
from tests.factories import make_ticket


@contextmanager
def locked(app: Flask, table: str, *, mode: str = "EXCLUSIVE") -> Iterator[None]:
    """Somebody else writes and does not come to an end."""
    engine = create_engine(app.extensions["settings"].database_uri)
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.connection.driver_connection.isolation_level = None
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.execute(text(f"LOCK TABLE {table} IN {mode} MODE"))
        yield
        connection.rollback() if engine.dialect.name != "sqlite" else connection.exec_driver_sql("ROLLBACK")
    engine.dispose()


@pytest.fixture
def impatient(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Locks are waited for a tenth of a second, and once."""
    monkeypatch.setattr(database, "TRIES", 1)
    statement = "PRAGMA busy_timeout=100" if db.engine.dialect.name == "sqlite" else "SET lock_timeout = '100ms'"

    @database.event.listens_for(db.engine, "begin")
    def hurry(connection: object) -> None:
        if db.engine.dialect.name != "sqlite":
            connection.exec_driver_sql(statement)  # type: ignore[attr-defined]

    if db.engine.dialect.name == "sqlite":
        db.engine.dispose()
        database.event.listen(db.engine, "connect", lambda connection, _: connection.execute(statement))


def test_a_locked_database_keeps_what_a_reader_typed_and_takes_it_a_minute_later(
    app: Flask, client: FlaskClient, cast: Cast, impatient: None
) -> None:
    with locked(app, "ticket"):
        page = send(client)
    assert (page.status_code, page.headers["Retry-After"]) == (503, "10")
    assert (value_of(page, "message"), value_of(page, "email")) == (WORDS, "ruth@example.com")
    again = dict(re.findall(r'<input type="hidden" name="([\w-]+)" value="([^"]*)">', page.text))
    action = re.search(r'<form method="post" action="([^"]+)"', page.text)
    assert action is not None
    answer = client.post(action[1], data=again | {"message": value_of(page, "message")})
    assert (answer.status_code, [ticket.messages[0].body_text for ticket in tickets()]) == (303, [WORDS])


@pytest.mark.engines("postgresql")
def test_words_are_kept_even_when_the_database_cannot_say_who_is_signed_in(
    app: Flask, cast: Cast, ann: Desk, impatient: None
) -> None:
    path, words = f"/desk/tickets/{make_ticket(cast).number}/reply", "Which bridge?\nThe old one?"
    form = {"csrf_token": ann.token, "body": words, "then": "send", "seen": "1"}
    with locked(app, "agent", mode="ACCESS EXCLUSIVE"):
        page = ann.client.post(path, data=form)
    assert (page.status_code, value_of(page, "body")) == (503, words)


def test_a_locked_database_keeps_what_an_agent_wrote(app: Flask, cast: Cast, ann: Desk, impatient: None) -> None:
    number = make_ticket(cast).number
    with locked(app, "message"):
        page = ann.post(f"/desk/tickets/{number}/reply", body="Which bridge?\nThe old one?", then="send", seen="1")
    assert (page.status_code, value_of(page, "body")) == (503, "Which bridge?\nThe old one?")


def test_a_sign_in_is_never_shown_again_on_such_a_page(
    app: Flask, client: FlaskClient, cast: Cast, impatient: None
) -> None:
    desk = Desk(app)
    token = desk.token
    with locked(app, "rate_count"):
        page = desk.post("/desk/sign-in", csrf_token=token, email="ann@example.org", password="a secret of Ann's")
    assert (page.status_code, "a secret of Ann" in page.text) == (503, False)
