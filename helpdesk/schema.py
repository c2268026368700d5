"""The database's shape: bring it up to date, or say that it is not."""

import logging
from functools import cache

import flask_migrate
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from helpdesk import paths
from helpdesk.database import db
from helpdesk.errors import Misconfigured


def bring_up_to_date(app: Flask) -> None:
    """Run every migration that has not run yet; a database that is current costs one query."""
    if is_current(app):
        return
    logging.getLogger("alembic").setLevel(logging.WARNING)
    with app.app_context():
        flask_migrate.upgrade(directory=str(paths.migrations()))
        db.engine.dispose()


def is_current(app: Flask) -> bool:
    """True when no migration waits. Raises Misconfigured when the database cannot be reached."""
    with app.app_context():
        try:
            with db.engine.connect() as connection:
                return heads_of(connection) == newest()
        except SQLAlchemyError as error:
            reason = str(getattr(error, "orig", None) or error).splitlines()[0]
            raise Misconfigured(f"The database cannot be opened: {reason}") from error


def require_current(app: Flask) -> None:
    """Raise Misconfigured with what to do when migrations wait."""
    if not is_current(app):
        raise Misconfigured("The database is not up to date. Run “helpdesk migrate” first.")


def heads_of(connection: Connection) -> set[str]:
    """The names of the migrations that the database stands at."""
    return set(MigrationContext.configure(connection).get_current_heads())


@cache
def newest() -> frozenset[str]:
    """The names of the newest migrations that this version brings."""
    return frozenset(ScriptDirectory(str(paths.migrations())).get_heads())
