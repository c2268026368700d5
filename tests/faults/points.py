"""Named points at which a process ends with SIGKILL, laid over the application's own code.

A folder is the only contact. While a file of the point's name lies in it, the pass whose number the file holds is
the end of the process that makes it; the file is renamed before, which proves that the point was reached.
"""

import errno
import functools
import importlib
import os
import signal
import stat
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

SELF, GROUP = "self", "group"

BEFORE = {
    "before send": "helpdesk.tickets.delivery:send",
    "before record": "helpdesk.tickets.delivery:record_delivery",
    "before raw put": "helpdesk.inbound.sources.taking:receive",
    "after raw fsync": "os:replace",
    "after rename": "helpdesk.file_stores:_sync",
    "before seen": "helpdesk.inbound.sources.mailbox:OpenMailbox.mark_seen",
    "before step": "alembic.ddl.impl:DefaultImpl._exec",
}
AFTER = {
    "after put": "helpdesk.files:put",
    "after parse": "helpdesk.inbound.operations:read_mail",
    "after imap connect": "helpdesk.inbound.sources.mailbox:_connected",
    "after select": "helpdesk.inbound.sources.mailbox:OpenMailbox.select",
    "after smtp connect": "helpdesk.outbound.transport:_host",
    "after mail": "helpdesk.outbound.transport:_Watched.mail",
    "after rcpt": "helpdesk.outbound.transport:_Watched.rcpt",
}
_in_commit = threading.Event()
_folder = Path(os.environ.get("FAULTS", "."))


def use(folder: Path) -> None:
    """From now on this process, and those forked from it, look into another folder."""
    global _folder  # noqa: PLW0603
    folder.mkdir(exist_ok=True)
    _folder = folder


def arm(folder: Path, point: str, *, nth: int = 1, whom: str = SELF) -> None:
    """Let the `nth` pass through this point be the end of the process that makes it, or of its whole group."""
    folder.mkdir(exist_ok=True)
    (folder / point).write_text(f"{nth} {whom}")


def forget(folder: Path, point: str) -> None:
    """As though nobody had ever come by here."""
    for trace in (point, f"{point} reached", f"{point} passes"):
        (folder / trace).unlink(missing_ok=True)


def was_reached(folder: Path, point: str) -> bool:
    """True when a process ended there."""
    return (folder / f"{point} reached").exists()


def let_pass(folder: Path, seconds: float) -> None:
    """Let the clocks of all processes with points go so much faster, once and for all."""
    folder.mkdir(exist_ok=True)
    (folder / "passing").write_text(str(seconds))
    (folder / "passing").rename(folder / "passed")


def lay() -> None:
    """Put all points into this process."""
    for point, place in BEFORE.items():
        _wrap(place, functools.partial(_fatal_before, point))
    for point, place in AFTER.items():
        _wrap(place, functools.partial(_fatal_after, point))
    _wrap("helpdesk.clock:now", _moved)
    _wrap("os:fsync", _fatal_before_sync)
    _wrap("imaplib:IMAP4.read", _fatal_in_fetch)
    _wrap("helpdesk.outbound.transport:_Watched.send", _fatal_in_data)
    _wrap("helpdesk.files:put", _refusing)
    _wrap("helpdesk.database:_run_once", _fatal_around_commit)


def die(point: str) -> None:
    """End here for good if this is the armed pass."""
    armed = _folder / point
    try:
        nth, whom = armed.read_text().split()
    except FileNotFoundError:
        return
    if _count(point) != int(nth):
        return
    armed.rename(_folder / f"{point} reached")
    _kill(whom)


def _kill(whom: str) -> None:
    if whom == GROUP:
        os.killpg(0, signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)


def _count(point: str) -> int:
    """How many passes there were, this one included, in all processes together."""
    handle = os.open(_folder / f"{point} passes", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        os.write(handle, b".")
        return os.lseek(handle, 0, os.SEEK_CUR)
    finally:
        os.close(handle)


def _wrap(place: str, wrapper: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    owner, name = _find(place)
    setattr(owner, name, functools.wraps(getattr(owner, name))(wrapper(getattr(owner, name))))


def _find(place: str) -> tuple[Any, str]:
    module, _, path = place.partition(":")
    owner: Any = importlib.import_module(module)
    *outer, name = path.split(".")
    for part in outer:
        owner = getattr(owner, part)
    return owner, name


def _fatal_before(point: str, function: Callable[..., Any]) -> Callable[..., Any]:
    def run(*args: Any, **kwargs: Any) -> Any:
        die(point)
        return function(*args, **kwargs)

    return run


def _fatal_after(point: str, function: Callable[..., Any]) -> Callable[..., Any]:
    def run(*args: Any, **kwargs: Any) -> Any:
        result = function(*args, **kwargs)
        die(point)
        return result

    return run


def _moved(now: Callable[[], datetime]) -> Callable[[], datetime]:
    def run() -> datetime:
        try:
            return now() + timedelta(seconds=float((_folder / "passed").read_text()))
        except FileNotFoundError:
            return now()

    return run


def _fatal_before_sync(fsync: Callable[[int], None]) -> Callable[[int], None]:
    def run(handle: int) -> None:
        if stat.S_ISREG(os.fstat(handle).st_mode):
            die("after raw write")
        fsync(handle)

    return run


def _fatal_in_fetch(read: Callable[..., bytes]) -> Callable[..., bytes]:
    def run(self: Any, size: int) -> bytes:
        begun = read(self, size // 2)
        die("mid fetch")
        return begun + read(self, size - size // 2)

    return run


def _fatal_in_data(send: Callable[..., Any]) -> Callable[..., Any]:
    def run(self: Any, data: Any) -> None:
        is_mail = isinstance(data, bytes) and data.endswith(b"\r\n.\r\n")
        if is_mail and (_folder / "mid data").exists():
            send(self, data[: len(data) // 2])
            die("mid data")
            data = data[len(data) // 2 :]
        send(self, data)
        if is_mail:
            die("after the final dot")

    return run


def _refusing(put: Callable[..., Any]) -> Callable[..., Any]:
    def run(content: bytes) -> Any:
        if (_folder / "disk full").exists():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return put(content)

    return run


def _fatal_around_commit(run_once: Callable[..., Any]) -> Callable[..., Any]:
    def run(operation: Callable[..., Any], subject: Any, /, *args: Any, **kwargs: Any) -> Any:
        name = operation.__name__

        @functools.wraps(operation)
        def act(*args: Any, **kwargs: Any) -> Any:
            result = operation(*args, **kwargs)
            importlib.import_module("helpdesk.database").db.session.flush()
            die(f"{name} before commit")
            _die_within_commit(f"{name} in commit")
            return result

        result = run_once(act, subject, *args, **kwargs)
        die(f"{name} after commit")
        return result

    return run


def _die_within_commit(point: str) -> None:
    """Let another thread kill us as soon as the engine's COMMIT lets go of the interpreter."""
    armed = _folder / point
    try:
        nth, whom = armed.read_text().split()
    except FileNotFoundError:
        return
    if _count(point) != int(nth):
        return
    event = importlib.import_module("sqlalchemy").event
    engine = importlib.import_module("helpdesk.database").db.engine
    threading.Thread(target=_kill_when_told, args=(whom,), daemon=True).start()

    @event.listens_for(engine, "commit")
    def commit(_connection: Any) -> None:
        armed.rename(_folder / f"{point} reached")
        _in_commit.set()


def _kill_when_told(whom: str) -> None:
    _in_commit.wait()
    _kill(whom)
