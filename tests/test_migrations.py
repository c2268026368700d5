"""The database steps up and down, and its head is what the models say."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import inspect, text

from helpdesk.database import db


def test_models_equal_the_head_of_the_migrations(app: Flask) -> None:
    assert differences() == []


def test_every_step_goes_down_and_up_again(app: Flask) -> None:
    tables = set(inspect(db.engine).get_table_names())
    db.session.remove()
    downgrade(revision="base")
    assert [name for name in inspect(db.engine).get_table_names() if name != "alembic_version"] == []
    upgrade()
    assert set(inspect(db.engine).get_table_names()) == tables


def test_sqlite_is_durable_and_checks_references(app: Flask) -> None:
    pragmas = {
        name: db.session.execute(text(f"PRAGMA {name}")).scalar()
        for name in ("journal_mode", "synchronous", "foreign_keys")
    }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def differences() -> list[object]:
    """What a new migration would have to change."""
    options = {"compare_type": True, "include_object": _is_ours}
    with db.engine.connect() as connection:
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), db.metadata))


def _is_ours(_object: object, name: str | None, kind: str, reflected: bool, compare_to: object) -> bool:
    return not (reflected and compare_to is None and (name or "").startswith("search_message"))
