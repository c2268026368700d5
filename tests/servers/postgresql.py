"""A real PostgreSQL on a free loopback port, as its own user when the tests run as root."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

READY_URL = "TEST_POSTGRESQL_URL"


def find_binaries() -> Path | None:
    """The folder of initdb and postgres, newest version first; None when there is none."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)
    on_path = shutil.which("initdb")
    return versions[0].parent if versions else (Path(on_path).parent if on_path else None)


@contextmanager
def running(folder: Path, binaries: Path, *, flags: Sequence[str] = ()) -> Iterator[str]:
    """Start a server with its data below `folder`; yields the URL of a database, empty unless `folder` was used before.

    Commits are not durable, unless `flags` for the server say otherwise.
    """
    data, port = folder / "postgresql", _free_port()
    folder.chmod(0o755)
    user = _make(data, binaries)
    where = ["-h", "127.0.0.1", "-p", str(port), "-k", str(data), "-F", *flags]
    server = subprocess.Popen(
        [binaries / "postgres", "-D", str(data), *where], cwd="/", stderr=subprocess.DEVNULL, **user
    )
    try:
        _wait_for(port)
        yield f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres"
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(timeout=60)


def _make(data: Path, binaries: Path) -> dict[str, object]:
    """Prepare a new folder for the server, or find a used one; returns as whom to run it."""
    is_new = not data.exists()
    data.mkdir(exist_ok=True)
    user = _account(data)
    options = ["-D", str(data), "-A", "trust", "-U", "postgres", "--no-sync", "-E", "UTF8", "--locale", "C.UTF-8"]
    if is_new:
        subprocess.run([binaries / "initdb", *options], check=True, capture_output=True, cwd="/", **user)
    return user


def _account(data: Path) -> dict[str, object]:
    if os.geteuid() != 0:
        return {}
    account = pwd.getpwnam("postgres")
    os.chown(data, account.pw_uid, account.pw_gid)
    for parent in data.parents:
        if parent.stat().st_mode & 0o011 != 0o011 and "pytest" in str(parent):
            parent.chmod(parent.stat().st_mode | 0o011)
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int) -> None:
    for _ in range(300):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError("PostgreSQL did not start")
