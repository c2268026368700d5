"""One place that commits: all or nothing, joined when nested, tried again when it lost a race."""

import sqlite3
import threading
from datetime import UTC, datetime, timedelta, timezone

import pytest
from flask import Flask
from sqlalchemy import Engine, NullPool, create_engine, event, text
from sqlalchemy.exc import IntegrityError, OperationalError, StatementError

from helpdesk import create_app
from helpdesk.config import Settings
from helpdesk.database import db, transactional, wake
from helpdesk.readers.models import Reader, ReaderAddress
from helpdesk.sites.models import Site
from tests.cast import Cast


@transactional
def rename(site: Site, *, name: str, then_fail: bool = False) -> Site:
    site.name = name
    wake("deliver")
    if then_fail:
        raise ValueError("no")
    return site


@transactional
def rename_twice(site: Site) -> None:
    rename(site, name="Inner")
    site.name = "Outer"
    raise ValueError("no")


@pytest.fixture
def woken(app: Flask) -> list[str]:
    calls: list[str] = []
    app.extensions["wake"] = calls.append
    return calls


def test_a_verb_commits_and_then_wakes_the_worker(cast: Cast, woken: list[object]) -> None:
    rename(cast.site, name="New")
    db.session.rollback()
    assert (cast.site.name, woken) == ("New", ["deliver"])


def test_a_failing_verb_changes_nothing_and_wakes_nobody(cast: Cast, woken: list[object]) -> None:
    with pytest.raises(ValueError, match="no"):
        rename(cast.site, name="New", then_fail=True)
    assert (cast.site.name, woken) == ("The Tidewater Post", [])


def test_a_verb_within_a_verb_joins_it(cast: Cast, woken: list[object]) -> None:
    with pytest.raises(ValueError, match="no"):
        rename_twice(cast.site)
    assert (cast.site.name, woken) == ("The Tidewater Post", [])


def test_a_lost_race_is_tried_again(cast: Cast) -> None:
    tries = []

    @transactional
    def lose_once(site: Site) -> str:
        tries.append(site.name)
        if len(tries) == 1:
            raise IntegrityError("INSERT", {}, sqlite3.IntegrityError("UNIQUE"))
        return "won"

    assert (lose_once(cast.site), len(tries)) == ("won", 2)


def test_a_race_lost_three_times_is_told(cast: Cast) -> None:
    tries = []

    @transactional
    def lose(site: Site) -> None:
        tries.append(site)
        raise IntegrityError("INSERT", {}, sqlite3.IntegrityError("UNIQUE"))

    with pytest.raises(IntegrityError):
        lose(cast.site)
    assert len(tries) == 3


def test_another_fault_of_the_database_is_not_tried_again(cast: Cast) -> None:
    tries = []

    @transactional
    def break_it(site: Site) -> None:
        tries.append(site)
        raise OperationalError("SELECT", {}, sqlite3.OperationalError("no such table"))

    with pytest.raises(OperationalError):
        break_it(cast.site)
    assert len(tries) == 1


def test_two_writers_at_once_both_get_through(app: Flask, cast: Cast) -> None:
    site_id = cast.site.id
    db.session.remove()

    @transactional
    def count_up(site: Site) -> None:
        site.reopen_days += 1

    def work() -> None:
        with app.app_context():
            for _ in range(20):
                count_up(db.session.get_one(Site, site_id))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert db.session.get_one(Site, site_id).reopen_days == 30 + 60


@pytest.mark.engines("sqlite")
def test_no_process_changes_the_journal_when_it_begins(settings: Settings) -> None:
    """Only the migration sets WAL: to change the journal takes the whole database, and waits for no other process."""
    statements: list[str] = []

    def listen(connection: sqlite3.Connection, _record: object) -> None:
        connection.set_trace_callback(statements.append)

    event.listen(Engine, "connect", listen)
    try:
        app = create_app(settings)
        assert app.test_client().get("/contact").status_code == 200
        with app.app_context():
            db.engine.dispose()
    finally:
        event.remove(Engine, "connect", listen)
    assert "PRAGMA synchronous=FULL" in statements
    assert [said for said in statements if "journal_mode" in said.lower()] == []


def test_times_are_aware_and_utc_and_a_naive_one_is_refused(cast: Cast) -> None:
    east = timezone(timedelta(hours=5, minutes=30))
    cast.site.created_at = datetime(2026, 11, 23, 14, 30, tzinfo=east)
    db.session.commit()
    assert (cast.site.created_at, cast.site.created_at.tzinfo) == (datetime(2026, 11, 23, 9, 0, tzinfo=UTC), UTC)
    cast.site.created_at = datetime(2026, 11, 23)  # noqa: DTZ001
    with pytest.raises(StatementError, match="naive"):
        db.session.commit()


def test_the_database_refuses_two_readers_with_one_address(cast: Cast) -> None:
    for _ in range(2):
        reader = Reader(address="ruth@example.com", created_at=datetime.now(UTC))
        reader.addresses = [ReaderAddress(address="ruth@example.com")]
        db.session.add(reader)
    with pytest.raises(IntegrityError):
        db.session.commit()


@pytest.mark.engines("postgresql")
def test_a_connection_that_broke_while_idle_is_made_anew(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    def connection() -> int:
        pid = db.session.scalar(text("SELECT pg_backend_pid()"))
        db.session.rollback()
        return int(pid or 0)

    monkeypatch.setattr("helpdesk.database.IDLE_SECONDS", 0)
    before = connection()
    assert connection() == before
    hand = create_engine(db.engine.url, poolclass=NullPool)
    with hand.connect() as another:
        another.execute(text("SELECT pg_terminate_backend(:pid, 10000)"), {"pid": before})
    assert connection() not in (0, before)
