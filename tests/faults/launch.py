"""Runs a helpdesk command in which an exact point may be fatal: `python -m tests.faults.launch web --bind …`.

A folder named by FAULTS is the only contact. While a file of the point's name lies in it, the pass whose number the
file holds ends the process with SIGKILL; the file is renamed before, which proves that the point was reached.
"""

import errno
import functools
import importlib
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

FOLDER = Path(os.environ.get("FAULTS", "."))
GROUP = "group"

BEFORE = {
    "before send": "helpdesk.tickets.delivery:send",
    "before record": "helpdesk.tickets.delivery:record_delivery",
    "before raw put": "helpdesk.inbound.sources.taking:receive",
    "before seen": "helpdesk.inbound.sources.mailbox:OpenMailbox.mark_seen",
    "before step": "alembic.ddl.impl:DefaultImpl._exec",
}
AFTER = {
    "after put": "helpdesk.files:put",
    "after parse": "helpdesk.inbound.operations:read_mail",
}
_in_commit = threading.Event()


def main(command: list[str]) -> None:
    """Lay all points, plant what the test asks for, and be the ordinary command."""
    cli = importlib.import_module("helpdesk.cli")
    for point, place in BEFORE.items():
        _wrap(place, functools.partial(_fatal_before, point))
    for point, place in AFTER.items():
        _wrap(place, functools.partial(_fatal_after, point))
    _wrap("helpdesk.outbound.transport:_Watched.send", _fatal_in_data)
    _wrap("helpdesk.files:put", _refusing)
    _wrap("helpdesk.database:_run_once", _fatal_around_commit)
    if "MIGRATIONS" in os.environ:
        importlib.import_module("helpdesk.paths").migrations = lambda: Path(os.environ["MIGRATIONS"])  # type: ignore[attr-defined]
    cli.main(command)


def die(point: str) -> None:
    """End here for good if this is the armed pass."""
    armed = FOLDER / point
    try:
        nth, whom = armed.read_text().split()
    except FileNotFoundError:
        return
    if _count(point) != int(nth):
        return
    armed.rename(FOLDER / f"{point} reached")
    _kill(whom)


def _kill(whom: str) -> None:
    if whom == GROUP:
        os.killpg(0, signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)


def _count(point: str) -> int:
    """How many passes there were, this one included, in all processes together."""
    handle = os.open(FOLDER / f"{point} passes", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
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


def _fatal_in_data(send: Callable[..., Any]) -> Callable[..., Any]:
    def run(self: Any, data: Any) -> None:
        is_mail = isinstance(data, bytes) and data.endswith(b"\r\n.\r\n")
        if is_mail and (FOLDER / "mid data").exists():
            send(self, data[: len(data) // 2])
            die("mid data")
            data = data[len(data) // 2 :]
        send(self, data)
        if is_mail:
            die("after the final dot")

    return run


def _refusing(put: Callable[..., Any]) -> Callable[..., Any]:
    def run(content: bytes) -> Any:
        if (FOLDER / "disk full").exists():
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
    armed = FOLDER / point
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
        armed.rename(FOLDER / f"{point} reached")
        _in_commit.set()


def _kill_when_told(whom: str) -> None:
    _in_commit.wait()
    _kill(whom)


if __name__ == "__main__":
    main(sys.argv[1:])
