"""The database steps up and down with rows in every table, and its head is what the models say."""

import shutil
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import inspect, text

from helpdesk import paths
from helpdesk.database import db
from tests.cast import Cast
from tests.whole import Rows, fill_every_table, rows, sparse_tables

NEXT = """
import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = "next", "{head}", None, None

def upgrade():
    for name in {tables}:
        with op.batch_alter_table(name, recreate="{recreate}") as table:
            table.add_column(sa.Column("added", sa.Integer(), nullable=False, server_default="7"))
    {after}

def downgrade():
    for name in {tables}:
        with op.batch_alter_table(name, recreate="{recreate}") as table:
            table.drop_column("added")
"""
REFERRED_TO = ["site", "agent", "queue", "reader", "ticket", "message", "outbound_email"]


def test_models_equal_the_head_of_the_migrations(app: Flask) -> None:
    assert differences() == []


def test_every_step_goes_down_and_up_again_with_rows_in_every_table(cast: Cast) -> None:
    fill_every_table(cast)
    assert sparse_tables() == []
    before, steps = rows(), [script.revision for script in ScriptDirectory(str(paths.migrations())).walk_revisions()]
    db.session.remove()
    for revision in steps[1:]:
        downgrade(revision=revision)
    oldest = columns()
    upgrade()
    assert of_columns(rows(), oldest) == of_columns(before, oldest)
    tables = set(inspect(db.engine).get_table_names())
    downgrade(revision="base")
    assert [name for name in inspect(db.engine).get_table_names() if name != "alembic_version"] == []
    upgrade()
    assert set(inspect(db.engine).get_table_names()) == tables


def test_a_step_that_makes_tables_anew_keeps_every_row(cast: Cast, tmp_path: Path, engine: str) -> None:
    fill_every_table(cast)
    before = rows()
    db.session.remove()
    ahead = migrations_with_one_more(tmp_path, recreate="always" if engine == "sqlite" else "never")
    upgrade(directory=ahead)
    assert rows() == before
    assert db.session.execute(text("SELECT min(added), max(added) FROM ticket")).one() == (7, 7)
    db.session.remove()
    downgrade(directory=ahead)
    assert rows() == before


@pytest.mark.engines("sqlite")
def test_a_step_that_would_break_a_reference_changes_nothing(cast: Cast, tmp_path: Path) -> None:
    fill_every_table(cast)
    before = rows()
    db.session.remove()
    ahead = migrations_with_one_more(tmp_path, recreate="always", after='op.execute("DELETE FROM ticket")')
    with pytest.raises(SystemExit):
        upgrade(directory=ahead)
    assert rows() == before


@pytest.mark.engines("sqlite")
def test_sqlite_is_durable_and_checks_references(app: Flask) -> None:
    pragmas = {
        name: db.session.execute(text(f"PRAGMA {name}")).scalar()
        for name in ("journal_mode", "synchronous", "foreign_keys")
    }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def columns() -> dict[str, set[str]]:
    """The columns of each table as the database has them now."""
    now = inspect(db.engine)
    return {table: {column["name"] for column in now.get_columns(table)} for table in now.get_table_names()}


def of_columns(found: Rows, wanted: dict[str, set[str]]) -> Rows:
    """What of these rows stands in the wanted columns: a step down drops the others, with all that is in them."""
    return {
        table: [{name: value for name, value in row.items() if name in wanted[table]} for row in found[table]]
        for table in found.keys() & wanted.keys()
    }


def migrations_with_one_more(folder: Path, *, recreate: str, after: str = "pass") -> str:
    """The migrations, and one that the next version could bring."""
    ahead = folder / "migrations"
    shutil.copytree(paths.migrations(), ahead)
    head = ScriptDirectory(str(ahead)).get_current_head()
    step = NEXT.format(head=head, tables=REFERRED_TO, recreate=recreate, after=after)
    (ahead / "versions/next.py").write_text(step)
    return str(ahead)


def differences() -> list[object]:
    """What a new migration would have to change."""
    options = {"compare_type": True, "include_object": _is_ours}
    with db.engine.connect() as connection:
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), db.metadata))


def _is_ours(_object: object, name: str | None, kind: str, reflected: bool, compare_to: object) -> bool:
    return not (reflected and compare_to is None and (name or "").startswith("search_message"))
