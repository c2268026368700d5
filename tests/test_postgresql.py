"""The same tables and verbs on a real PostgreSQL."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask_migrate import downgrade, upgrade
from flask_security import hash_password
from sqlalchemy import inspect

from helpdesk import create_app
from helpdesk.database import db
from helpdesk.outbound.operations import claim_due
from helpdesk.tickets import queries
from helpdesk.tickets.models import Status, Then
from helpdesk.tickets.operations import follow_up, reply
from helpdesk.tickets.queries import Folder
from tests.cast import PASSWORD, Cast, make_cast
from tests.conftest import make_settings, missing
from tests.factories import event_kinds, follow_up_letter, make_ticket
from tests.servers import postgresql
from tests.test_migrations import differences

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def database_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A ready database from outside, else one of our own."""
    ready = os.environ.get(postgresql.READY_URL)
    binaries = postgresql.find_binaries()
    if ready:
        yield ready
    elif binaries is None:
        missing("postgresql")
    else:
        with postgresql.running(tmp_path_factory.mktemp("postgresql"), binaries) as url:
            yield url


@pytest.fixture
def app(database_url: str, tmp_path: Path) -> Iterator[Flask]:
    """The application on PostgreSQL, migrated, and taken down again."""
    app = create_app(make_settings(tmp_path / "data", database_url=database_url))
    with app.app_context():
        upgrade()
        yield app
        db.session.remove()
        downgrade(revision="base")
        db.engine.dispose()


@pytest.fixture
def cast(app: Flask) -> Cast:
    """The cast, on PostgreSQL."""
    return make_cast(hash_password(PASSWORD))


def test_models_equal_the_head_of_the_migrations(app: Flask) -> None:
    assert differences() == []


def test_every_step_goes_down_and_up_again(app: Flask) -> None:
    tables = set(inspect(db.engine).get_table_names())
    db.session.remove()
    downgrade(revision="base")
    assert set(inspect(db.engine).get_table_names()) == {"alembic_version"}
    upgrade()
    assert set(inspect(db.engine).get_table_names()) == tables


def test_the_main_verbs_work(cast: Cast) -> None:
    ticket = make_ticket(cast)
    reply(ticket, body="Which bridge?", by=cast.ann, then=Then.WAIT)
    follow_up(ticket, letter=follow_up_letter("The one at the harbour mouth."))
    assert (ticket.status, ticket.message_count) == (Status.OPEN, 3)
    assert event_kinds(ticket) == ["opened", "replied", "assigned", "followed_up"]
    assert [row.number for row in queries.list_folder(Folder.MINE, cast.ann).tickets] == [1]
    assert [row.number for row in queries.search("harbour mou", cast.ann)] == [1]
    assert [(claim.recipient_id, claim.attempt) for claim in claim_due("worker")] == [(1, 1), (2, 1)]
