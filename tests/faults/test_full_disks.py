"""The disk is full, at every write there is: what cannot be kept is refused, and comes in when there is room again."""

import errno
import os
import resource
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from helpdesk.config import Settings
from helpdesk.database import db
from helpdesk.inbound.operations import process_received
from helpdesk.tickets.delivery import deliver_due
from tests.cast import Cast
from tests.faults.doors import DOORS
from tests.faults.ledgers import complaints
from tests.faults.rig import let_leases_run_out
from tests.letters import use_server
from tests.servers.smtp import SmtpServer

WRITES_OF_A_FILE = ((tempfile, "mkstemp"), (os, "fsync"), (os, "replace"))  # the folders are synced too
PAGE, LARGE = 4096, "64m"
MOST = 200
REFUSALS = 3
Shortage = Callable[[int], AbstractContextManager[None]]


@pytest.mark.parametrize(("door", "writes"), [("form", 5), ("pipe", 5), ("reading", 10)])
def test_l23_no_room_at_any_write_of_a_file_loses_nothing(
    app: Flask, cast: Cast, client: FlaskClient, smtp: SmtpServer, door: str, writes: int
) -> None:
    use_server(app, smtp)
    marks, refused = hand_in(client, door, no_room_at)
    assert refused == writes
    assert everything_comes_in(marks, smtp) == []


@pytest.mark.parametrize("door", DOORS)
def test_l23_no_file_may_grow_further_and_nothing_is_lost(
    app: Flask, cast: Cast, client: FlaskClient, smtp: SmtpServer, settings: Settings, door: str
) -> None:
    use_server(app, smtp)
    marks, refused = hand_in(client, door, lambda more: files_end_at(settings, more))
    assert refused > 0
    assert everything_comes_in(marks, smtp) == []


@pytest.mark.parametrize("door", DOORS)
def test_l23_a_small_disk_that_is_full_loses_nothing_and_takes_all_when_it_is_larger(
    small_disk: Shortage, app: Flask, cast: Cast, client: FlaskClient, smtp: SmtpServer, door: str
) -> None:
    use_server(app, smtp)
    marks, refused = hand_in(client, door, small_disk)
    assert refused > 0
    assert everything_comes_in(marks, smtp) == []


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize("door", DOORS)
def test_l23_no_page_may_be_added_to_the_database_and_nothing_is_lost(
    app: Flask, cast: Cast, client: FlaskClient, smtp: SmtpServer, door: str
) -> None:
    use_server(app, smtp)
    marks, refused = list[str](), 0
    while refused < REFUSALS and len(marks) < MOST:
        marks.append(f"mark-{len(marks)}-")
        attempt = DOORS[door](client, marks[-1])
        with no_more_pages():
            was_taken = attempt()
        refused += not was_taken
        let_leases_run_out()
        assert was_taken or attempt()
    assert refused == REFUSALS
    assert everything_comes_in(marks, smtp) == []


def hand_in(client: FlaskClient, door: str, shortage: Shortage) -> tuple[list[str], int]:
    """Come by this door with ever less of a shortage, and again without it, until it is taken at once.

    Returns the marks, and how often it was refused.
    """
    marks: list[str] = []
    for less in range(MOST):
        marks.append(f"mark-{less}-")
        attempt = DOORS[door](client, marks[-1])
        with shortage(less):
            was_taken = attempt()
        db.session.rollback()
        if was_taken:
            return marks, less
        let_leases_run_out()
        assert attempt()
    raise AssertionError("it was never taken at once")


def everything_comes_in(marks: list[str], smtp: SmtpServer) -> list[str]:
    """What the ledgers say once all mail is read and all receipts have left."""
    process_received()
    deliver_due("one")
    return complaints(taken=marks, replied=[], caught=smtp.mails)


@contextmanager
def no_room_at(place: int) -> Iterator[None]:
    """The write with this number, counted from 0, finds the disk full."""
    passes = iter(range(MOST))

    def refusing(write: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **kwargs: Any) -> Any:
            if next(passes) == place:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return write(*args, **kwargs)

        return run

    with pytest.MonkeyPatch.context() as patch:
        for module, name in WRITES_OF_A_FILE:
            patch.setattr(module, name, refusing(getattr(module, name)))
        yield


@contextmanager
def files_end_at(settings: Settings, more: int) -> Iterator[None]:
    """No file may grow beyond what the database's log has and so many pages."""
    log = Path(settings.data_dir / "helpdesk.sqlite3-wal")
    room = (log.stat().st_size if log.exists() else 0) + more * PAGE
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
def small_disk(settings: Settings) -> Iterator[Shortage]:
    """A disk of its own for all that the desk keeps, with few pages left; files that end where none may be mounted."""
    folder = settings.data_dir
    before = folder.with_name("before")
    folder.mkdir(exist_ok=True)
    folder.rename(before)
    folder.mkdir()
    is_mounted = mount(folder, f"size={LARGE}", "-t", "tmpfs")
    shutil.copytree(before, folder, dirs_exist_ok=True)
    (folder / "anything").write_bytes(b"\0" * PAGE)  # a disk of the size 0 would have no end
    settings.keep_free_bytes = 0  # or a form would take no files long before the disk is full
    yield (lambda more: disk_ends_at(folder, more)) if is_mounted else (lambda more: files_end_at(settings, more))
    if is_mounted:
        subprocess.run(["umount", "--lazy", folder], check=True)


@contextmanager
def disk_ends_at(folder: Path, more: int) -> Iterator[None]:
    """The disk mounted there has room for so many pages more than it holds."""
    disk = os.statvfs(folder)
    assert mount(folder, f"remount,size={(disk.f_blocks - disk.f_bfree + more) * disk.f_frsize}")
    try:
        yield
    finally:
        assert mount(folder, f"remount,size={LARGE}")


def mount(folder: Path, options: str, *kind: str) -> bool:
    """False where the kernel lets nobody mount anything, root neither."""
    line = ["mount", *kind, "-o", options, "none", folder]
    return subprocess.run(line, capture_output=True, check=False).returncode == 0


@contextmanager
def no_more_pages() -> Iterator[None]:
    """The database may not become larger."""

    def limit(connection: Any, _record: object) -> None:
        [pages] = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")

    engine = db.engine
    db.session.rollback()
    engine.dispose()
    event.listen(engine, "connect", limit)
    try:
        yield
    finally:
        event.remove(engine, "connect", limit)
        db.session.rollback()
        engine.dispose()
