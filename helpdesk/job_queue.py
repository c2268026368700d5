"""Where the worker's tasks wait: in PostgreSQL when the database is there, else in a file of their own.

A task is only a hint that some row wants attention, so losing all of them loses nothing.
"""

import logging
import sqlite3
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from huey import Huey, PostgresHuey, SqliteHuey, storage
from huey.serializer import SignedSerializer
from huey.storage import PostgresStorage
from sqlalchemy import make_url

from helpdesk.config import Settings

log = logging.getLogger(__name__)

NAME = "helpdesk"
FILE = "jobs.sqlite3"
SCHEMA = "helpdesk_jobs"
TASKS = "huey_task"
CONNECT_SECONDS = 10


def make_queue(settings: Settings) -> Huey:
    """The queue of tasks that belongs to the database of these settings."""
    options = {"serializer": SignedSerializer(secret=settings.secret_keys[0].get_secret_value()), "results": False}
    url = make_url(settings.database_uri)
    if url.get_backend_name() == "postgresql":
        dsn = url.set(drivername="postgresql").render_as_string(hide_password=False)
        return InPostgresql(NAME, dsn=dsn, create_tables=False, connect_timeout=CONNECT_SECONDS, **options)
    try:
        return _in_file(settings.data_dir / FILE, options)
    except sqlite3.DatabaseError:
        log.exception("%s cannot be read; a new one is begun", FILE)
        _put_aside(settings.data_dir / FILE)
        return _in_file(settings.data_dir / FILE, options)


class OwnSchema(PostgresStorage):  # type: ignore[misc]
    """Keeps its tables in a schema apart from ours, and makes them when it first connects, not when it is made."""

    def __init__(self, *args: Any, **options: Any) -> None:
        with suppress(ImportError):  # of which Huey tells better
            storage.psycopg = import_module("psycopg")  # hidden from it until now
        super().__init__(*args, **options)

    def _create_connection(self) -> Any:
        connection = self._connect()
        connection.execute(f"SET search_path TO {SCHEMA}")
        if connection.execute("SELECT to_regclass('huey_counter')").fetchone()[0] is None:
            self._make_tables(connection)
        return connection

    def _make_tables(self, connection: Any) -> None:
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [SCHEMA])
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
            for statement in self.ddl:
                connection.execute(statement)


class InPostgresql(PostgresHuey):  # type: ignore[misc]
    """Huey on the desk's own PostgreSQL."""

    storage_class = OwnSchema


def _in_file(path: Path, options: dict[str, Any]) -> Huey:
    return SqliteHuey(NAME, filename=str(path), **options)


def _put_aside(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        damaged = path.with_name(path.name + suffix)
        if damaged.exists():
            damaged.rename(damaged.with_name(f"{damaged.name}.damaged"))
