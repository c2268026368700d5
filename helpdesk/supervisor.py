"""Several processes kept alive as one: a part that dies is started again, a signal stops all, nobody is left behind."""

import ctypes
import gc
import logging
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from types import FrameType

log = logging.getLogger(__name__)

FIRST_DELAY_SECONDS = 1.0
LONGEST_DELAY_SECONDS = 60.0
STEADY_AFTER_SECONDS = 60.0
PATIENCE_SECONDS = 15.0
LOOK_EVERY_SECONDS = 0.1
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_PR_SET_PDEATHSIG = 1


@dataclass
class Part:
    """One process: its name, its work, and how it fared so far."""

    name: str
    work: Callable[[], None]
    pid: int | None = None
    started_at: float = 0.0
    start_again_at: float = 0.0
    delay: float = FIRST_DELAY_SECONDS


class Supervisor:
    """Forks each part and watches over it. It must be made and run in a process without other threads."""

    def __init__(self, parts: dict[str, Callable[[], None]]) -> None:
        self.parts = [Part(name, work) for name, work in parts.items()]
        self._is_stopping = False

    def run(self, on_started: Callable[[], None] = lambda: None) -> None:
        """Start all parts, call `on_started` once, and stay until SIGTERM, SIGINT or SIGHUP stops all of them."""
        for signum in STOP_SIGNALS:
            signal.signal(signum, self._stop)
        try:
            self._start_due()
            on_started()
            while not self._is_stopping:
                self._reap()
                self._start_due()
                time.sleep(LOOK_EVERY_SECONDS)
        finally:
            self._stop_all()

    @property
    def is_stopping(self) -> bool:
        """True once somebody asked for the end."""
        return self._is_stopping

    def _stop(self, _signum: int, _frame: FrameType | None) -> None:
        self._is_stopping = True

    def _start_due(self) -> None:
        for part in self.parts:
            if part.pid is None and part.start_again_at <= time.monotonic() and not self._is_stopping:
                part.started_at = time.monotonic()
                part.pid = spawn(part.work)

    def _reap(self) -> None:
        for part in self.parts:
            if part.pid is not None and _has_ended(part.pid):
                self._plan_restart(part)

    def _plan_restart(self, part: Part) -> None:
        now = time.monotonic()
        if now - part.started_at > STEADY_AFTER_SECONDS:
            part.delay = FIRST_DELAY_SECONDS
        log.error("%s ended unexpectedly; starting it again in %.0f s", part.name, part.delay)
        _kill_group(part.pid, signal.SIGKILL)
        part.pid, part.start_again_at = None, now + part.delay
        part.delay = min(part.delay * 2, LONGEST_DELAY_SECONDS)

    def _stop_all(self) -> None:
        running = [part.pid for part in self.parts if part.pid is not None]
        for pid in running:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + PATIENCE_SECONDS
        waiting = list(running)
        while waiting and time.monotonic() < deadline:
            waiting = [pid for pid in waiting if not _has_ended(pid)]
            time.sleep(LOOK_EVERY_SECONDS / 2)
        for pid in running:
            _kill_group(pid, signal.SIGKILL)


def spawn(work: Callable[[], None]) -> int:
    """Run `work` in a forked process that leads a group of its own and ends when this process does; returns its pid.

    Ctrl-C in a terminal so reaches this process alone, which then stops the others in good order.
    """
    parent = os.getpid()
    sys.stdout.flush()
    sys.stderr.flush()
    gc.freeze()  # what is loaded by now stays shared: a search for garbage would write into all of it
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        os.setpgid(0, 0)
        _end_with(parent)
        for signum in STOP_SIGNALS:
            signal.signal(signum, signal.SIG_DFL)
        work()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        with suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _end_with(parent: int) -> None:
    """Ask the kernel for SIGTERM when the parent is gone, even by SIGKILL (on Linux alone)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)


def _has_ended(pid: int) -> bool:
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return True


def _kill_group(pid: int | None, signum: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        if pid is not None:
            os.killpg(pid, signum)
