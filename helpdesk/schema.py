"""The database's shape: bring it up to date, or say that it is not."""

import logging
from importlib import import_module
from types import ModuleType

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from helpdesk import paths
from helpdesk.database import db
from helpdesk.errors import Misconfigured
from helpdesk.versions import is_newest


def bring_up_to_date(app: Flask) -> None:
    """Run every migration that has not run yet; a database that is current costs one query."""
    if is_current(app):
        return
    logging.getLogger("alembic").setLevel(logging.WARNING)
    with app.app_context():
        use_migrations(app).upgrade(directory=str(paths.migrations()))
        db.engine.dispose()


def use_migrations(app: Flask) -> ModuleType:
    """Let an application step up and down; returns Flask-Migrate, which no web process needs and few can spare."""
    flask_migrate = import_module("flask_migrate")
    flask_migrate.Migrate(app, db, directory=str(paths.migrations()))
    return flask_migrate


def is_current(app: Flask) -> bool:
    """True when no migration waits. Raises Misconfigured when the database cannot be reached."""
    with app.app_context():
        try:
            with db.engine.connect() as connection:
                return is_newest(connection)
        except SQLAlchemyError as error:
            reason = str(getattr(error, "orig", None) or error).splitlines()[0]
            raise Misconfigured(f"The database cannot be opened: {reason}") from error


def require_current(app: Flask) -> None:
    """Raise Misconfigured with what to do when migrations wait."""
    if not is_current(app):
        raise Misconfigured("The database is not up to date. Run “helpdesk migrate” first.")
