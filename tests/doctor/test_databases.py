"""The doctor about the database, its migrations and the queue of jobs."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import make_url

from helpdesk.database import db
from tests.doctor.conftest import Desk
from tests.servers.ports import free_port
from tests.servers.postgresql import Cluster

Found = Callable[..., list[tuple[str, str, str]]]
FROM_A_BACKUP = "restore the database from a backup."


@pytest.fixture
def file(desk: Desk) -> Path:
    db.session.remove()
    db.engine.dispose()
    return desk.settings.data_dir / "helpdesk.sqlite3"


@pytest.fixture
def raw(found: Found, file: Path) -> Iterator[sqlite3.Connection]:
    """The database file, opened behind the desk's back."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        yield connection


@pytest.mark.engines("sqlite")
def test_a_database_that_is_missing(found: Found, file: Path) -> None:
    for part in file.parent.glob("helpdesk.sqlite3*"):
        part.rename(part.with_name("aside" + part.suffix))
    sentence = f"There is no database at {file}; run “helpdesk setup”, or correct HELPDESK_DATABASE_URL."
    assert found(silent=("migrations", "smtp", "imap")) == [("failure", "database", sentence)]
    assert not file.exists()


@pytest.mark.engines("sqlite")
def test_a_database_that_is_no_database(found: Found, tmp_path: Path) -> None:
    other = tmp_path / "letter.txt"
    other.write_text("Dear Ruth, this is no database. " * 100)
    sentence = f"The database {other} cannot be read: file is not a database; restore it from a backup."
    assert found(database_url=f"sqlite:///{other}", silent=("migrations", "smtp", "imap")) == [
        ("failure", "database", sentence)
    ]


@pytest.mark.engines("sqlite")
def test_a_database_that_somebody_holds_is_waited_for_a_while(found: Found, raw: sqlite3.Connection) -> None:
    raw.execute("BEGIN IMMEDIATE")
    assert found() == [
        (
            "failure",
            "database",
            "The database takes no writing (database is locked): end the program that holds it, or give us the right "
            "to write to it.",
        )
    ]


@pytest.mark.engines("sqlite")
def test_a_database_that_lost_its_journal_mode(found: Found, raw: sqlite3.Connection) -> None:
    assert raw.execute("PRAGMA journal_mode=DELETE").fetchone() == ("delete",)
    assert found() == [
        (
            "warning",
            "database",
            "The database is in journal mode delete, so readers wait for writers; put it on a local disk, where the "
            "next start of the desk sets WAL.",
        )
    ]


@pytest.mark.engines("sqlite")
def test_a_database_with_a_damaged_page(found: Found, file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        size = connection.execute("PRAGMA page_size").fetchone()[0]
        root = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'topic'").fetchone()[0]
    with file.open("r+b") as pages:
        pages.seek((root - 1) * size)
        pages.write(b"\xff" * size)
    assert found() == [
        ("failure", "database", "The database file is damaged; stop the desk and restore it from a backup.")
    ]


@pytest.mark.engines("sqlite")
def test_rows_that_refer_to_nothing(found: Found, raw: sqlite3.Connection) -> None:
    raw.execute("PRAGMA foreign_keys=OFF")
    raw.execute("UPDATE queue SET site_id = 999")
    assert found() == [("failure", "database", f"Rows of the table queue refer to rows that are gone; {FROM_A_BACKUP}")]


@pytest.mark.engines("postgresql")
def test_a_postgresql_that_does_not_answer(found: Found, desk: Desk) -> None:
    port = free_port()
    url = make_url(desk.settings.database_url).set(port=port, password="a-hidden-word")
    (level, area, sentence), *rest = found(
        database_url=url.render_as_string(hide_password=False), silent=("migrations", "smtp", "imap", "jobs")
    )
    assert (level, area, rest) == ("failure", "database", [])
    assert sentence.startswith(f"PostgreSQL at 127.0.0.1:{port} cannot be reached: ")
    assert sentence.endswith("; is it running, is HELPDESK_DATABASE_URL right?")
    assert "a-hidden-word" not in sentence


@pytest.mark.engines("postgresql")
def test_a_postgresql_that_is_too_old(found: Found, desk: Desk) -> None:
    url = make_url(desk.settings.database_url)
    desk.tell("CREATE FUNCTION public.current_setting(text) RETURNS text LANGUAGE sql AS $$ SELECT '120019'::text $$")
    desk.tell(f'ALTER DATABASE "{url.database}" SET search_path = public, pg_catalog')
    assert found() == [
        ("failure", "database", f"PostgreSQL 12 at 127.0.0.1:{url.port} is too old; move to 13 or newer.")
    ]


@pytest.mark.engines("postgresql")
def test_a_postgresql_in_another_encoding(found: Found, desk: Desk, postgresql: Cluster) -> None:
    url = make_url(desk.settings.database_url).set(database="in_latin")
    postgresql._run("CREATE DATABASE in_latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'")
    try:
        new = found(database_url=url.render_as_string(hide_password=False), silent=("smtp", "imap"))
    finally:
        postgresql._run("DROP DATABASE in_latin WITH (FORCE)")
    sentence = f"The database at 127.0.0.1:{url.port} is encoded in LATIN1; make it anew with ENCODING 'UTF8'."
    assert new == [
        ("failure", "database", sentence),
        ("failure", "migrations", "The database is not up to date; run “helpdesk migrate”."),
    ]


def test_a_database_that_is_not_migrated(found: Found, desk: Desk) -> None:
    desk.tell("DELETE FROM alembic_version")
    assert found(silent=("smtp", "imap")) == [
        ("failure", "migrations", "The database is not up to date; run “helpdesk migrate”.")
    ]


def test_a_database_that_is_migrated_further_than_the_code(found: Found, desk: Desk) -> None:
    desk.tell("UPDATE alembic_version SET version_num = 'from_tomorrow'")
    sentence = (
        "The database was migrated by a newer Helpdesk (from_tomorrow); install that version or restore a backup."
    )
    assert found(silent=("smtp", "imap")) == [("failure", "migrations", sentence)]


@pytest.mark.engines("sqlite")
def test_a_queue_of_jobs_that_is_damaged(found: Found, desk: Desk) -> None:
    file = desk.settings.data_dir / "jobs.sqlite3"
    for part in file.parent.glob("jobs.sqlite3*"):
        part.unlink()
    file.write_bytes(b"no queue" * 1000)
    sentence = f"The queue of jobs {file} cannot be read: file is not a database; restart the desk, which begins a "
    assert found() == [("warning", "jobs", sentence + "new one and loses nothing.")]


@pytest.mark.engines("postgresql")
def test_a_queue_of_jobs_without_its_tables(found: Found, desk: Desk) -> None:
    desk.tell("DROP SCHEMA IF EXISTS helpdesk_jobs CASCADE")
    desk.tell("CREATE SCHEMA helpdesk_jobs")
    sentence = 'The queue of jobs cannot be read: relation "helpdesk_jobs.huey_task" does not exist; give our account '
    assert found() == [("failure", "jobs", sentence + "the schema helpdesk_jobs, or drop it and restart the desk.")]
