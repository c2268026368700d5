"""The database: is it there, is it whole, and has it the shape that this version wants?"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing

from sqlalchemy import make_url, text
from sqlalchemy.exc import SQLAlchemyError

from helpdesk import versions
from helpdesk.doctor.findings import PATIENCE_SECONDS, Checkup, Finding, bad, fine, look, reason_of

AREA = "database"
OLDEST_POSTGRESQL = 13
CHECK_SECONDS = 10.0
STEPS_BETWEEN_LOOKS = 100_000


def check_database(checkup: Checkup) -> Iterator[Finding]:
    """SQLite: file, lock, WAL, whole, references. PostgreSQL: reachable, version, encoding."""
    return _check_sqlite(checkup) if checkup.is_sqlite else _check_postgresql(checkup)


def check_migrations(checkup: Checkup) -> Iterator[Finding]:
    """Every migration that this version brings has run, and no other."""
    heads = heads_of(checkup)
    if heads is None:
        return
    if heads == versions.newest():
        yield fine("migrations", "Every migration has run.")
    elif heads <= versions.known():
        yield bad("migrations", "The database is not up to date; run “helpdesk migrate”.")
    else:
        newer = ", ".join(sorted(heads - versions.known()))
        sentence = f"The database was migrated by a newer Helpdesk ({newer}); install that version or restore a backup."
        yield bad("migrations", sentence)


def heads_of(checkup: Checkup) -> frozenset[str] | None:
    """The migrations the database stands at; None when it cannot be asked, which `check_database` tells."""
    if checkup.is_sqlite and not checkup.database_file.is_file():
        return None
    try:
        with checkup.engine.connect() as connection:
            return versions.heads_of(connection)
    except SQLAlchemyError:
        return None


def is_migrated(checkup: Checkup) -> bool:
    """True when the tables are there to be read."""
    heads = heads_of(checkup)
    return heads is not None and heads == versions.newest()


def _check_sqlite(checkup: Checkup) -> Iterator[Finding]:
    file = checkup.database_file
    if not file.is_file():
        yield bad(AREA, f"There is no database at {file}; run “helpdesk setup”, or correct HELPDESK_DATABASE_URL.")
        return
    try:
        with closing(sqlite3.connect(file, timeout=PATIENCE_SECONDS, isolation_level=None)) as connection:
            yield from _examine_sqlite(connection)
    except sqlite3.Error as error:
        yield bad(AREA, f"The database {file} cannot be read: {reason_of(error)}; restore it from a backup.")


def _examine_sqlite(connection: sqlite3.Connection) -> Iterator[Finding]:
    connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    problems = [*_locks(connection), *_mode(connection), *(list(_damage(connection)) or _lost_references(connection))]
    yield from problems or [fine(AREA, f"SQLite {sqlite3.sqlite_version} can be read and written, and is whole.")]


def _locks(connection: sqlite3.Connection) -> Iterator[Finding]:
    try:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
    except sqlite3.OperationalError as error:
        sentence = f"The database takes no writing ({reason_of(error)}): end the program that holds it, or give us "
        yield bad(AREA, sentence + "the right to write to it.")


def _mode(connection: sqlite3.Connection) -> Iterator[Finding]:
    mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
    if mode != "wal":
        sentence = f"The database is in journal mode {mode}, so readers wait for writers; put it on a local disk, "
        yield look(AREA, sentence + "where the next start of the desk sets WAL.")


def _damage(connection: sqlite3.Connection) -> Iterator[Finding]:
    until = time.monotonic() + CHECK_SECONDS
    connection.set_progress_handler(lambda: time.monotonic() > until, STEPS_BETWEEN_LOOKS)
    try:
        said = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.OperationalError as error:
        said = "ok" if "interrupted" in str(error) else str(error)
    except sqlite3.DatabaseError as error:
        said = str(error)
    finally:
        connection.set_progress_handler(None, 0)
    if said != "ok":
        yield bad(AREA, "The database file is damaged; stop the desk and restore it from a backup.")


def _lost_references(connection: sqlite3.Connection) -> Iterator[Finding]:
    for (table,) in connection.execute('SELECT DISTINCT "table" FROM pragma_foreign_key_check ORDER BY 1').fetchall():
        yield bad(AREA, f"Rows of the table {table} refer to rows that are gone; restore the database from a backup.")


def _check_postgresql(checkup: Checkup) -> Iterator[Finding]:
    url = make_url(checkup.settings.database_uri)
    where = f"{url.host or 'the local socket'}:{url.port or 5432}"
    try:
        with checkup.engine.connect() as connection:
            version = connection.scalar(text("SELECT current_setting('server_version_num')::int / 10000"))
            encoding = connection.scalar(text("SHOW server_encoding"))
    except SQLAlchemyError as error:
        said = reason_of(error)
        said = said.replace(url.password, "…") if url.password else said
        yield bad(
            AREA, f"PostgreSQL at {where} cannot be reached: {said}; is it running, is HELPDESK_DATABASE_URL right?"
        )
        return
    if version < OLDEST_POSTGRESQL:
        yield bad(AREA, f"PostgreSQL {version} at {where} is too old; move to {OLDEST_POSTGRESQL} or newer.")
    if encoding != "UTF8":
        yield bad(AREA, f"The database at {where} is encoded in {encoding}; make it anew with ENCODING 'UTF8'.")
    if version >= OLDEST_POSTGRESQL and encoding == "UTF8":
        yield fine(AREA, f"PostgreSQL {version} at {where} answers.")
