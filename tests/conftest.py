"""A migrated application with the cast, on each engine; each test begins with the same rows and commits for real."""

import contextvars
import logging
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_security import hash_password
from playwright.sync_api import Browser, expect
from werkzeug.test import TestResponse

from helpdesk import create_app
from helpdesk.agents.models import Agent
from helpdesk.config import Settings
from helpdesk.database import db
from helpdesk.schema import use_migrations
from tests import once
from tests.cast import PASSWORD, Cast, make_cast
from tests.live import CHROMIUM, chromium
from tests.servers.postgresql import Cluster

pytest_plugins = ["tests.servers.fixtures"]
ENGINES = ("sqlite", "postgresql")
once.remember()
SECRET = "a secret of the tests with 32 characters or more"


class OwnContextClient(FlaskClient):
    """Each request in a context of its own, as on a real server; what it changed is seen by the test at once."""

    def open(self, *args: Any, **options: Any) -> TestResponse:
        db.session.rollback()
        answer: TestResponse = contextvars.Context().run(super().open, *args, **options)
        db.session.rollback()
        return answer


def make_settings(data_dir: Path, **overrides: object) -> Settings:
    """Settings as an owner would give them, with nothing read from the environment."""
    values = {
        "data_dir": data_dir,
        "secret_keys": SECRET,
        "base_url": "http://localhost",
        "smtp_host": "127.0.0.1",
        "smtp_security": "none",
        "smtp_port": 9,
        "mail_from": "desk@example.org",
    }
    return Settings(**(values | overrides))  # type: ignore[arg-type]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test that touches the database on every engine, or on those that its mark `engines` names."""
    if "engine" in metafunc.fixturenames:
        marked = metafunc.definition.get_closest_marker("engines")
        metafunc.parametrize("engine", marked.args if marked else ENGINES)


@pytest.fixture(autouse=True)
def own_log() -> Iterator[None]:
    """What a command of a test sets up for the log is taken down after it."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    yield
    for handler in [*root.handlers]:
        if handler not in before and not type(handler).__module__.startswith("_pytest"):
            root.removeHandler(handler)
    root.setLevel(level)


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a migrated database and the cast, to be copied by each test."""
    folder = tmp_path_factory.mktemp("migrated")
    _migrate(make_settings(folder))
    return folder


@pytest.fixture(scope="session")
def migrated_postgresql(tmp_path_factory: pytest.TempPathFactory, postgresql: Cluster) -> str:
    """The address of a migrated database with the cast, to be copied by each test."""
    url = postgresql.create()
    _migrate(make_settings(tmp_path_factory.mktemp("migrated"), database_url=url))
    return url


@pytest.fixture
def settings(engine: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Settings]:
    """The settings of this test's own installation."""
    if engine == "sqlite":
        shutil.copytree(request.getfixturevalue("migrated_sqlite"), tmp_path / "data")
        yield make_settings(tmp_path / "data")
    else:
        cluster: Cluster = request.getfixturevalue("postgresql")
        url = cluster.create(like=request.getfixturevalue("migrated_postgresql"))
        yield make_settings(tmp_path / "data", database_url=url)
        _let_go_of_connections()
        cluster.drop(url)


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    """The application, inside its context."""
    app = create_app(settings)
    use_migrations(app)
    app.config["TESTING"] = True
    app.test_client_class = OwnContextClient
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def cast(app: Flask) -> Cast:
    """Everybody of the cast, loaded."""
    from sqlalchemy import select

    from helpdesk.sites.models import Queue, Site

    agents = {agent.first_name.lower(): agent for agent in db.session.scalars(select(Agent))}
    queues = {queue.name: queue for queue in db.session.scalars(select(Queue))}
    site = db.session.scalars(select(Site)).one()
    return Cast(site=site, queue=queues["Readers"], legal=queues["Legal"], **agents)


@pytest.fixture
def site(cast: Cast) -> object:
    """The publication."""
    return cast.site


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser without script, signed in as nobody."""
    return app.test_client()


@pytest.fixture
def sign_in(app: Flask) -> Callable[[Agent], FlaskClient]:
    """Sign an agent in through the real page; returns the browser."""

    def sign_in_as(agent: Agent) -> FlaskClient:
        browser = app.test_client()
        token = token_in(browser.get("/desk/sign-in").text)
        form = {"email": agent.email, "password": PASSWORD, "csrf_token": token}
        answer = browser.post("/desk/sign-in", data=form)
        assert answer.status_code in (302, 303), answer.text
        return browser

    return sign_in_as


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A real Chromium, one for all tests of a worker: Playwright runs only once in a thread."""
    if CHROMIUM is None:
        missing("chromium")
    expect.set_options(timeout=30_000)  # a busy machine is slow, not wrong
    with chromium() as running:
        yield running


def missing(part: str) -> NoReturn:
    """A part from Debian is not there: an error where all must run, a named skip elsewhere."""
    if os.environ.get("REQUIRE_PARTS"):
        pytest.fail(f"{part} is not installed")
    pytest.skip(f"{part} is not installed")


def _migrate(settings: Settings) -> None:
    app = create_app(settings)
    with app.app_context():
        use_migrations(app).upgrade()
        make_cast(hash_password(PASSWORD))
        db.session.remove()
        db.engine.dispose()


def _let_go_of_connections() -> None:
    """Close what every application of this test has open, those that it made by itself too."""
    for app, engines in list(db._app_engines.items()):
        app.extensions["huey"].storage.close()
        for engine in engines.values():
            engine.dispose()


def token_in(page: str) -> str:
    """The CSRF token of the first form on a page."""
    import re

    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert found is not None, page
    return found.group(1)
