"""Staff at the desk: each with an own browser."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Browser, BrowserContext, Page
from sqlalchemy import event
from werkzeug.test import TestResponse

from helpdesk.agents.models import Agent
from helpdesk.database import db
from tests.cast import PASSWORD, Cast
from tests.conftest import token_in
from tests.factories import make_ticket
from tests.live import free_port, serving


class Desk:
    """One browser at the desk. What it changed is seen by the test at once."""

    def __init__(self, app: Flask) -> None:
        self.client: FlaskClient = app.test_client()

    def get(self, path: str, **options: Any) -> TestResponse:
        """Open a page."""
        return self._ask(self.client.get, path, **options)

    def post(self, path: str, *, headers: dict[str, str] | None = None, **form: Any) -> TestResponse:
        """Send a form, with the token of this browser's session."""
        form.setdefault("csrf_token", self.token)
        return self._ask(self.client.post, path, data=form, headers=headers or {})

    def sign_in(self, email: str, password: str = PASSWORD) -> TestResponse:
        """Fill in the sign-in page."""
        return self.post("/desk/sign-in", email=email, password=password)

    @property
    def token(self) -> str:
        """The token that this session's forms carry."""
        page = self.get("/desk/account")
        return token_in((page if page.status_code == 200 else self.get("/desk/sign-in")).text)

    def _ask(self, ask: Callable[..., TestResponse], path: str, **options: Any) -> TestResponse:
        return ask(path, **options)


@pytest.fixture
def at_desk(app: Flask) -> Callable[[Agent], Desk]:
    """Sign an agent in; returns the browser."""

    def sign_in(agent: Agent) -> Desk:
        desk = Desk(app)
        assert desk.sign_in(agent.email).status_code == 302
        return desk

    return sign_in


@pytest.fixture
def ann(at_desk: Callable[[Agent], Desk], cast: Cast) -> Desk:
    """Ann's browser."""
    return at_desk(cast.ann)


@pytest.fixture
def eve(at_desk: Callable[[Agent], Desk], cast: Cast) -> Desk:
    """Eve's browser."""
    return at_desk(cast.eve)


@pytest.fixture
def carla(at_desk: Callable[[Agent], Desk], cast: Cast) -> Desk:
    """Carla's browser."""
    return at_desk(cast.carla)


@pytest.fixture
def sam(at_desk: Callable[[Agent], Desk], cast: Cast) -> Desk:
    """Sam's browser; he is a member of no queue."""
    return at_desk(cast.sam)


@pytest.fixture
def ticket(cast: Cast) -> Any:
    """Ruth's ticket about the harbour bridge."""
    return make_ticket(cast, subject="The bridge is older")


@contextmanager
def counted() -> Iterator[list[str]]:
    """The statements that reach the database meanwhile."""
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement != "BEGIN":
            statements.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


@pytest.fixture
def desk(app: Flask, cast: Cast, browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open the desk as Ann, in a window of a size and with script or without."""
    contexts: list[BrowserContext] = []
    with serving(app, free_port()) as url:

        def open_desk(path: str = "/desk/", **options: Any) -> Page:
            contexts.append(browser.new_context(base_url=url, **options))
            page = contexts[-1].new_page()
            page.goto("/desk/sign-in")
            page.get_by_label("Email address").fill(cast.ann.email)
            page.get_by_label("Password", exact=True).fill(PASSWORD)
            page.get_by_role("button", name="Sign in").click()
            page.goto(path)
            return page

        yield open_desk
        for context in contexts:
            for page in context.pages:  # a file that is cut off would be told as left open by some later test
                page.wait_for_load_state("load")
            context.close()
