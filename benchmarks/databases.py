"""Where the seeded databases are kept, and the copy that one run may change."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from pydantic import SecretStr

from benchmarks.settings import BenchmarkSettings
from tests.servers import postgresql

ROOT = Path("data/bench")
SECRET = "a secret of the benchmarks with 32 characters or more"  # noqa: S105 of made-up people alone
SQLITE, POSTGRESQL = "sqlite", "postgresql"
SHARED_MEMORY = ("-c", "shared_buffers=512MB", "-c", "max_wal_size=4GB", "-c", "fsync=on")


@dataclass(frozen=True)
class Place:
    """One engine's databases for one number of tickets: below `folder`, or in the server at `url`."""

    engine: str
    tickets: int
    folder: Path
    url: str = ""

    @property
    def seeded(self) -> BenchmarkSettings:
        """Settings that lead to the seeded database, which no run changes."""
        return self._settings("seeded")

    @property
    def run(self) -> BenchmarkSettings:
        """Settings that lead to the copy of this run."""
        return self._settings("run")

    @property
    def floor(self) -> BenchmarkSettings:
        """Settings that lead to the empty database of the bare insert."""
        return self._settings("floor")

    @property
    def seeded_facts(self) -> Path:
        """What seeding took, once it is complete."""
        return self.folder / "seeded.json"

    def copy_for_run(self) -> None:
        """Make the run's own copy, and forget what the last run left."""
        for name in ("run", "floor"):
            shutil.rmtree(self.folder / name, ignore_errors=True)
        if self.engine == SQLITE:
            self.run.data_dir.mkdir(parents=True)
            shutil.copy(self.seeded.data_dir / "helpdesk.sqlite3", self.run.data_dir)
        else:
            self.sql('DROP DATABASE IF EXISTS "run"', 'DROP DATABASE IF EXISTS "floor"', 'CREATE DATABASE "floor"')
            self.sql('CREATE DATABASE "run" TEMPLATE "seeded" STRATEGY file_copy')

    def make_empty(self) -> None:
        """Begin anew: an empty place for the seeded database."""
        self.seeded_facts.unlink(missing_ok=True)
        shutil.rmtree(self.folder / "seeded", ignore_errors=True)
        if self.engine == POSTGRESQL:
            self.sql('DROP DATABASE IF EXISTS "seeded"', 'CREATE DATABASE "seeded"')

    def drop_copies(self) -> None:
        """Give the disk back."""
        for name in ("run", "floor"):
            shutil.rmtree(self.folder / name, ignore_errors=True)
            if self.engine == POSTGRESQL:
                self.sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def sql(self, *statements: str) -> None:
        """Say something to the PostgreSQL server itself."""
        address = self.url.replace("+psycopg", "")
        with psycopg.connect(address, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def _settings(self, name: str) -> BenchmarkSettings:
        url = f"{self.url.rpartition('/')[0]}/{name}" if self.engine == POSTGRESQL else ""
        return BenchmarkSettings(
            base_url="http://127.0.0.1:5000", secret_keys=[SecretStr(SECRET)], data_dir=self.folder / name,
            database_url=url, smtp_security="none", mail_from="desk@example.org", trusted_proxies=1,
        )  # fmt: skip


@contextmanager
def place_of(engine: str, tickets: int, *, root: Path = ROOT) -> Iterator[Place]:
    """The databases of an engine; starts a PostgreSQL server for as long as they are used."""
    folder = root / f"{engine}-{tickets}"
    folder.mkdir(parents=True, exist_ok=True)
    if engine == SQLITE:
        yield Place(engine, tickets, folder.resolve())
        return
    binaries = postgresql.find_binaries()
    if binaries is None:
        raise SystemExit("PostgreSQL is not installed (apt install postgresql).")
    data = folder.resolve() / "postgresql"
    data.mkdir(exist_ok=True)
    with postgresql.running_in(data, binaries, flags=SHARED_MEMORY) as url:
        yield Place(engine, tickets, folder.resolve(), url)


def has_postgresql() -> bool:
    """True when a PostgreSQL can be started here."""
    return postgresql.find_binaries() is not None


def read_facts(place: Place, fingerprint: str) -> dict[str, float] | None:
    """What seeding took; None when the database is not there or of another shape."""
    if not place.seeded_facts.is_file():
        return None
    facts: dict[str, float | str] = json.loads(place.seeded_facts.read_text())
    is_same = facts.pop("fingerprint") == fingerprint
    return {name: float(value) for name, value in facts.items()} if is_same else None
