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
    return _seen(connection) == newest()


@cache
def newest() -> frozenset[str]:
    """The names of the newest migrations that this version brings: those that no other follows."""
    named: dict[bool, set[str]] = {False: set(), True: set()}
    for step in (paths.migrations() / "versions").glob("*.py"):
        for is_earlier, name in _REVISION.findall(step.read_text()):
            named[bool(is_earlier)].add(name)
    return frozenset(named[False] - named[True])


def _seen(connection: Connection) -> frozenset[str]:
    if not inspect(connection).has_table("alembic_version"):
        return frozenset()
    return frozenset(connection.scalars(text("SELECT version_num FROM alembic_version")))
