"""Which migrations there are, and which a database has seen.

Both are read without Alembic, whose import takes a third of the time in which a web process starts.
"""

import re
from functools import cache

from sqlalchemy import Connection, inspect, text

from helpdesk import paths

_REVISION = re.compile(r"^(down_)?revision\b.*?=\s*[\"'](\w+)[\"']", re.MULTILINE)


def is_newest(connection: Connection) -> bool:
    """True when no migration waits for this database."""
    return heads_of(connection) == newest()


@cache
def newest() -> frozenset[str]:
    """The names of the newest migrations that this version brings: those that no other follows."""
    return known() - _named(followed=True)


@cache
def known() -> frozenset[str]:
    """The names of all migrations that this version brings."""
    return _named(followed=False)


def heads_of(connection: Connection) -> frozenset[str]:
    """The names of the migrations that the database stands at."""
    if not inspect(connection).has_table("alembic_version"):
        return frozenset()
    return frozenset(connection.scalars(text("SELECT version_num FROM alembic_version")))


def _named(*, followed: bool) -> frozenset[str]:
    steps = "\n".join(step.read_text() for step in (paths.migrations() / "versions").glob("*.py"))
    return frozenset(name for is_earlier, name in _REVISION.findall(steps) if bool(is_earlier) == followed)
