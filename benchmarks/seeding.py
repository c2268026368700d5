"""Filling a database with tickets straight into its tables, so that it looks as if the desk had made it."""

import hashlib
import json
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from flask_security import hash_password
from sqlalchemy import text

from benchmarks import corpus, rows
from benchmarks.databases import POSTGRESQL, SECRET, Place, read_facts
from helpdesk import clock, create_app, paths
from helpdesk.agents.models import Agent
from helpdesk.agents.operations import add_agent
from helpdesk.agents.roles import Role
from helpdesk.database import Base, db, transactional
from helpdesk.schema import bring_up_to_date
from helpdesk.sites.operations import add_default_topics, add_queue, add_site
from helpdesk.tickets.models import TICKET_NUMBERS
from helpdesk.tokens import Keyring

BATCH = 20_000
SEED = 1932
AGENTS = ("Ann Archer", "Bob Bell", "Cleo Cole", "Dan Dale", "Eve Ellis", "Fay Ford", "Gus Gray", "Hal Hill")
EMAIL = "ann@example.org"
PASSWORD = "correct horse battery staple"  # noqa: S105 of a made-up person
QUEUES = 5
ANNS_QUEUES = 3
FAST_SQLITE = ("journal_mode=MEMORY", "synchronous=OFF", "foreign_keys=OFF", "cache_size=-1000000")
SAFE_SQLITE = "journal_mode=WAL"
OPTIMISE = "INSERT INTO search_message (search_message) VALUES ('optimize')"
WORDS_INDEX = "ix_search_message_words"


class Pen(Protocol):
    """Writes rows of one engine."""

    def write(self, table: str, batch: list[tuple[Any, ...]]) -> None:
        """Write rows, each with the values of COLUMNS and of `constants`."""


def seed(place: Place) -> dict[str, float]:
    """Make the seeded database unless it is there; returns seconds and bytes on disk."""
    known = read_facts(place, fingerprint())
    if known is not None:
        return known
    began = time.monotonic()
    place.make_empty()
    app = create_app(place.seeded)
    bring_up_to_date(app)
    with app.app_context():
        staff = _set_up()
        db.session.remove()
        _write_all(place, staff)
        facts = {"seconds": time.monotonic() - began, "bytes": _size(place)}
        db.session.remove()
        db.engine.dispose()
    place.seeded_facts.write_text(json.dumps(facts | {"fingerprint": fingerprint()}))
    return facts


def fingerprint() -> str:
    """Names the shape of the tables and the corpus; another one means that a kept database is of no use."""
    sources = [*sorted((paths.migrations() / "versions").glob("*.py")), *map(Path, (corpus.__file__, rows.__file__))]
    return hashlib.sha256(b"".join(source.read_bytes() for source in (*sources, Path(__file__)))).hexdigest()


def constants(table: str) -> dict[str, Any]:
    """What the models would fill in for columns that the rows leave out."""
    if table not in Base.metadata.tables:
        return {}
    filled = {}
    for column in Base.metadata.tables[table].columns:
        if column.name not in rows.COLUMNS[table] and column.default is not None:
            default: Any = column.default
            filled[column.name] = default.arg if default.is_scalar else json.dumps(default.arg(None))
    return {name: str(value) if isinstance(value, str) else value for name, value in filled.items()}


def _set_up() -> rows.Staff:
    """The people, the queues and the topics, by the desk's own verbs."""
    password = hash_password(PASSWORD)
    agents = []
    for name in AGENTS:
        email = f"{name.split()[0].lower()}@example.org"
        agents.append(add_agent(email, name=name, role=Role.AGENT, password_hash=password))
    return _publish(agents)


@transactional
def _publish(agents: list[Agent]) -> rows.Staff:
    site = add_site(
        rows.SENDER, home_url="https://blog.example.org/", url_prefixes=["https://blog.example.org/"],
        contact_text="You can also ring us on **weekdays**.",
    )  # fmt: skip
    queues = [
        add_queue(
            site, name=f"Queue {number}", intake_address=rows.intake_address(number), sender_name=rows.SENDER,
            signature=rows.SIGNATURE, members=agents if number <= ANNS_QUEUES else agents[1:],
        )
        for number in range(1, QUEUES + 1)
    ]  # fmt: skip
    topics = add_default_topics(site, queue=queues[0])
    return rows.Staff(
        agents=tuple((agent.id, agent.name, agent.email) for agent in agents),
        queues=tuple(queue.id for queue in queues),
        searched=tuple(queue.id for queue in queues[:ANNS_QUEUES]),
        topics=tuple(topic.id for topic in topics),
    )


def _write_all(place: Place, staff: rows.Staff) -> None:
    chance = random.Random(SEED)  # noqa: S311 the same each time is what is wanted
    keyring = Keyring.of([SECRET])
    scribe = rows.Scribe(staff, keyring=keyring, tickets=place.tickets, now=clock.now(), chance=chance)
    with db.engine.connect() as connection:
        pen = _PostgresqlPen(connection) if place.engine == POSTGRESQL else _SqlitePen(connection)
        _write(pen, scribe, place.tickets, chance)
        pen.finish(scribe.last)


def _write(pen: Pen, scribe: rows.Scribe, tickets: int, chance: random.Random) -> None:
    waiting: dict[str, list[tuple[Any, ...]]] = {table: [] for table in rows.COLUMNS}
    for table, row in _everything(scribe, tickets, chance):
        waiting[table].append(row)
        if len(waiting["message"]) >= BATCH:
            _flush(pen, waiting)
    _flush(pen, waiting)


def _everything(scribe: rows.Scribe, tickets: int, chance: random.Random) -> Iterator[rows.Row]:
    yield from scribe.articles()
    for story in corpus.stories(tickets, chance):
        yield from scribe.ticket(story)


def _flush(pen: Pen, waiting: dict[str, list[tuple[Any, ...]]]) -> None:
    for table, batch in waiting.items():
        if batch:
            pen.write(table, batch)
            batch.clear()


class _SqlitePen:
    """One large transaction without a journal on disk: a seed that breaks is made anew."""

    def __init__(self, connection: Any) -> None:
        self.raw = connection.connection.driver_connection
        for pragma in FAST_SQLITE:
            self.raw.execute(f"PRAGMA {pragma}")
        self.raw.execute("BEGIN")

    def write(self, table: str, batch: list[tuple[Any, ...]]) -> None:
        extra = constants(table)
        names = [*rows.COLUMNS[table], *extra]
        if table == "search_message":
            names[0] = "rowid"
        marks = ", ".join("?" * len(names))
        tail = tuple(extra.values())
        statement = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})"  # noqa: S608 our own names
        self.raw.executemany(statement, (row + tail for row in batch))

    def finish(self, _last: dict[str, int]) -> None:
        """Merge the search index, as the worker's sweep would have by now, and close the file in good order."""
        self.raw.execute(OPTIMISE)
        self.raw.execute("COMMIT")
        self.raw.execute(f"PRAGMA {SAFE_SQLITE}")
        self.raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")


class _PostgresqlPen:
    """COPY without triggers; the word index is made at the end, and the statistics that autovacuum would keep."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        for statement in ("SET TIME ZONE 'UTC'", "SET session_replication_role = replica", f"DROP INDEX {WORDS_INDEX}"):
            connection.execute(text(statement))

    def write(self, table: str, batch: list[tuple[Any, ...]]) -> None:
        extra = constants(table)
        names, tail = [*rows.COLUMNS[table], *extra], tuple(extra.values())
        cursor = self.connection.connection.driver_connection.cursor()
        with cursor.copy(f"COPY {table} ({', '.join(names)}) FROM STDIN") as copy:
            for row in batch:
                copy.write_row(row + tail)

    def finish(self, last: dict[str, int]) -> None:
        """The word index, the sequences, and a vacuum."""
        connection = self.connection
        connection.execute(text("SET maintenance_work_mem = '512MB'"))
        connection.execute(text(f"CREATE INDEX {WORDS_INDEX} ON search_message USING gin (words)"))
        for table, number in last.items():
            if number and table not in ("search_message", "ticket", "reader"):
                connection.execute(text(f"SELECT setval('{table}_id_seq', {number})"))
        for table in ("ticket", "reader"):
            connection.execute(text(f"SELECT setval('{table}_id_seq', (SELECT max(id) FROM {table}))"))  # noqa: S608
        connection.execute(text(f"SELECT setval('{TICKET_NUMBERS.name}', (SELECT max(number) FROM ticket))"))  # noqa: S608
        connection.commit()
        raw = connection.connection.driver_connection
        raw.autocommit = True
        raw.execute("VACUUM ANALYZE")
        raw.autocommit = False


def _size(place: Place) -> float:
    if place.engine == POSTGRESQL:
        return float(db.session.scalar(text("SELECT pg_database_size(current_database())")) or 0)
    return float((place.seeded.data_dir / "helpdesk.sqlite3").stat().st_size)
