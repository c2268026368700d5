"""Which migrations there are, and which a database has seen."""

from functools import cache

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from helpdesk import paths


def is_newest(connection: Connection) -> bool:
    """True when no migration waits for this database."""
    return heads_of(connection) == newest()


def heads_of(connection: Connection) -> frozenset[str]:
    """The names of the migrations that the database stands at."""
    return frozenset(MigrationContext.configure(connection).get_current_heads())


@cache
def newest() -> frozenset[str]:
    """The names of the newest migrations that this version brings."""
    return frozenset(ScriptDirectory(str(paths.migrations())).get_heads())
