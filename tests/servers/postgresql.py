"""A real PostgreSQL on a free loopback port, as its own user when the tests run as root, and databases copied in it."""

import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, NullPool, create_engine, make_url, text
from sqlalchemy.exc import OperationalError

READY_URL = "TEST_POSTGRESQL_URL"


def find_binaries() -> Path | None:
    """The folder of initdb and postgres, newest version first; None when there is none."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)
    on_path = shutil.which("initdb")
    return versions[0].parent if versions else (Path(on_path).parent if on_path else None)


class Cluster:
    """The databases of one server: made empty or as a copy of another, and dropped again."""

    def __init__(self, url: str) -> None:
        self._url: URL = make_url(url)
        self._names = (f"helpdesk_{os.getpid()}_{number}" for number in itertools.count())

    def create(self, *, like: str | None = None) -> str:
        """A new database, a copy of the one at address `like` if there is one; returns its address."""
        name = next(self._names)
        template = f' TEMPLATE "{make_url(like).database}"' if like else ""
        self._run(f'CREATE DATABASE "{name}"{template}')
        return self._url.set(database=name).render_as_string(hide_password=False)

    def drop(self, url: str) -> None:
        """Remove a database, whoever is still connected to it."""
        self._run(f'DROP DATABASE "{make_url(url).database}" WITH (FORCE)')

    def _run(self, statement: str) -> None:
        engine = create_engine(self._url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
        with engine.connect() as connection:
            connection.execute(text(statement))


@contextmanager
def running(binaries: Path) -> Iterator[str]:
    """Start a server with its data in a folder of its own; yields the address of an empty database."""
    # Not below the folders of pytest: another run of it closes them to other users, PostgreSQL's among them.
    with (
        tempfile.TemporaryDirectory(prefix="helpdesk-postgresql-") as folder,
        running_in(Path(folder), binaries) as url,
    ):
        yield url


@contextmanager
def running_in(data: Path, binaries: Path, *, flags: Sequence[str] = (), port: int | None = None) -> Iterator[str]:
    """Start a server with its data in this very folder, empty or used before; yields the address of a database.

    Its commits are not durable, unless `flags` say otherwise. It listens on a free port unless `port` names one.
    """
    folder, port, user = str(data), port or _free_port(), _account(data)
    if not (data / "PG_VERSION").exists():
        options = ["-D", folder, "-A", "trust", "-U", "postgres", "--no-sync", "-E", "UTF8", "--locale", "C.UTF-8"]
        subprocess.run([binaries / "initdb", *options], check=True, capture_output=True, cwd="/", **user)
    where = ["-h", "127.0.0.1", "-p", str(port), "-k", folder, "-F", *flags]
    with (data / "server.log").open("wb") as log:
        server = subprocess.Popen([binaries / "postgres", "-D", folder, *where], cwd="/", stderr=log, **user)
    url = f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres"
    try:
        _wait_for(url)
        yield url
    finally:
        server.send_signal(signal.SIGINT)  # end at once, whoever is still connected
        server.wait(timeout=60)


def _account(data: Path) -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    account = pwd.getpwnam("postgres")
    os.chown(data, account.pw_uid, account.pw_gid)
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(url: str) -> None:
    engine = create_engine(url, poolclass=NullPool)
    for _ in range(300):
        try:
            engine.connect().close()
        except OperationalError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError("PostgreSQL did not start")
