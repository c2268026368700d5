"""How migrations run: on the application's engine, SQLite with foreign keys off and checked before the commit."""

from typing import Any

from alembic import context
from flask import current_app
from sqlalchemy import Connection, text

from helpdesk.columns import StorableText, UtcDateTime
from helpdesk.database import db

SEARCH_TABLE = "search_message"


def is_ours(_object: Any, name: str | None, kind: str, reflected: bool, compare_to: Any) -> bool:
    """Leave tables and indexes that no model describes (full-text search) alone."""
    return not (reflected and compare_to is None and (name or "").startswith((SEARCH_TABLE, "ix_" + SEARCH_TABLE)))


def render(kind: str, value: Any, _context: Any) -> str | bool:
    """Write our own types as the plain types that they are in the database."""
    plain = {UtcDateTime: "sa.DateTime(timezone=True)", StorableText: "sa.String()"}
    return plain.get(type(value), False) if kind == "type" else False


def run(connection: Connection) -> None:
    """Run all steps in one transaction and refuse to leave a broken reference behind."""
    context.configure(
        connection=connection,
        target_metadata=db.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        include_object=is_ours,
        render_item=render,
        compare_type=True,
        transactional_ddl=True,  # on SQLite too, since we say BEGIN ourselves
    )
    with context.begin_transaction():
        context.run_migrations()
        if connection.dialect.name == "sqlite" and connection.execute(text("PRAGMA foreign_key_check")).first():
            raise RuntimeError("The migration would leave rows that refer to nothing; nothing was changed.")


with current_app.app_context(), db.engine.connect() as connection:
    if connection.dialect.name == "sqlite":
        driver = connection.connection.driver_connection
        driver.execute("PRAGMA foreign_keys=OFF")
        driver.execute("PRAGMA journal_mode=WAL")
        try:
            run(connection)
        finally:
            driver.execute("PRAGMA foreign_keys=ON")
    else:
        run(connection)
