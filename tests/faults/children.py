"""Children that do one piece of work each, forked from a process that has the application and nothing open.

That process has no thread and no connection, so that a child begins as a fresh process would, within milliseconds.
"""

import multiprocessing
import os
import select
import signal
import sys
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

PATIENCE_SECONDS = 60.0
KILLED = -signal.SIGKILL

Work = Callable[..., int]


class Children:
    """One child at a time, each with the name of its work and the details of it."""

    def __init__(self, works: Mapping[str, Work], log: Path) -> None:
        self._orders, theirs = multiprocessing.Pipe()
        self._pid = os.fork()
        if self._pid == 0:
            self._orders.close()
            _write_to(log)
            _serve(theirs, works)
        theirs.close()

    def begin(self, work: str, *details: Any, kill_after: float | None = None) -> int:
        """Let a child do a piece of work, and kill it after so many seconds; returns its process id."""
        self._orders.send((work, details, kill_after))
        pid: int = self._orders.recv()
        return pid

    def end(self) -> int:
        """Wait for the child; returns its exit code, negative for a signal."""
        code: int = self._orders.recv()
        return code

    def do(self, work: str, *details: Any) -> int:
        """Begin and wait."""
        self.begin(work, *details)
        return self.end()

    def terminate(self, pid: int) -> None:
        """Ask the child to end in good order, unless it has ended."""
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)

    def close(self) -> None:
        self._orders.close()
        os.waitpid(self._pid, 0)


def _serve(orders: Connection, works: Mapping[str, Work]) -> None:
    """Fork a child for every order, until nobody gives any."""
    while True:
        try:
            work, details, kill_after = orders.recv()
        except EOFError:
            os._exit(0)
        pid = os.fork()
        if pid == 0:
            orders.close()
            os._exit(_done(works[work], details))
        orders.send(pid)
        orders.send(_ended(pid, kill_after))


def _done(work: Work, details: tuple[Any, ...]) -> int:
    try:
        return work(*details)
    except BaseException:  # the log says it, and the exit code
        traceback.print_exc()
        return 1
    finally:
        sys.stderr.flush()


def _ended(pid: int, kill_after: float | None) -> int:
    handle = os.pidfd_open(pid)
    ready, _, _ = select.select([handle], [], [], PATIENCE_SECONDS if kill_after is None else kill_after)
    os.close(handle)
    if not ready:
        os.kill(pid, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _write_to(log: Path) -> None:
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for output in (1, 2):
        os.dup2(handle, output)
