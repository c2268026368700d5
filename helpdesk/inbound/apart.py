"""Mail is read in a process of its own, with a deadline and a memory limit; it is killed when it passes either.

The worker forks a small server before it has threads, and the server forks the process that reads. That one
reads mail after mail; when a mail stalls or exhausts it, the server ends it and forks the next.
"""

import gc
import os
import resource
import signal
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from helpdesk.inbound.reading import TOO_LARGE, Reading, read, unopened, unread
from helpdesk.inbound.wire import from_bytes, to_bytes

SECONDS = 10.0
MEMORY_BYTES = 512 * 1024 * 1024
CHUNK_BYTES = 1024 * 1024
CRASHED = "The mail ended the process that read it."

Read = Callable[[bytes], Reading]


class GoneError(OSError):
    """The server is gone, and with it every way to read mail in this process."""


class Apart:
    """The way to the reading process. One mail at a time; safe to share between threads."""

    def __init__(self, *, seconds: float = SECONDS, memory_bytes: int = MEMORY_BYTES, read_one: Read = read) -> None:
        self.seconds = seconds
        self.is_gone = False
        self._turn = threading.Lock()
        self._reader: socket.socket | None = None
        self._server, theirs = socket.socketpair()
        gc.freeze()  # pages that the collector does not touch stay shared
        self._pid = os.fork()
        if self._pid == 0:
            self._server.close()
            _serve(theirs, memory_bytes, read_one)
        gc.unfreeze()
        theirs.close()

    def read(self, raw: bytes) -> Reading:
        """Read a mail; one that cannot be read in time and memory says so. Raises GoneError, then for ever."""
        with self._turn:
            found = self._asked([b"r"], raw)
            found = self._asked([b"r"], raw) if found == CRASHED else found  # once may be somebody else's fault
            if isinstance(found, Reading):
                return found
            headers = self._asked([b"h", found.encode(), b"\0"], raw)
            return headers if isinstance(headers, Reading) else unopened(raw, found)

    def close(self) -> None:
        """End the server and the reading process; a mail that is being read meanwhile waits for the next worker."""
        self.is_gone = True
        self._server.close()
        with self._turn:
            self._drop()
            with suppress(ChildProcessError):
                os.waitpid(self._pid, 0)

    def _asked(self, question: list[bytes], raw: bytes) -> Reading | str:
        """The answer, or the reason why there is none."""
        ends = time.monotonic() + self.seconds
        try:
            reader = self._reader or self._new_reader()
            _send(reader, [*question, raw], ends)
            answer = _received(reader, ends)
            return from_bytes(answer[1:], raw) if answer[:1] == b"r" else answer[1:].decode()
        except TimeoutError:
            self._drop()
            return f"The mail took longer than {self.seconds:g} seconds to read."
        except GoneError:
            raise
        except (OSError, EOFError, ValueError, KeyError, TypeError):
            self._drop()
            if self.is_gone:
                raise GoneError("Reading mail ends.") from None
            return CRASHED

    def _new_reader(self) -> socket.socket:
        try:
            self._server.sendall(b"n")
            _, descriptors, _, _ = socket.recv_fds(self._server, 1, 1)
        except OSError as error:
            descriptors = []
            reason = str(error)
        else:
            reason = "end of file"
        if not descriptors:
            self.is_gone = True
            raise GoneError(f"The process that reads mail is gone: {reason}")
        self._reader = socket.socket(fileno=descriptors[0])
        return self._reader

    def _drop(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None


def _serve(control: socket.socket, memory_bytes: int, read_one: Read) -> None:
    """Fork a reading process whenever asked, ending the one before; ends with its worker."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    pid = 0
    with suppress(OSError):
        while control.recv(1):
            _end(pid)
            ours, theirs = socket.socketpair()
            pid = os.fork()
            if pid == 0:
                control.close()
                ours.close()
                _work(theirs, memory_bytes, read_one)
            theirs.close()
            socket.send_fds(control, [b"n"], [ours.fileno()])
            ours.close()
    _end(pid)
    os._exit(0)


def _end(pid: int) -> None:
    if pid:
        with suppress(ProcessLookupError, ChildProcessError):
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def _work(conversation: socket.socket, memory_bytes: int, read_one: Read) -> None:
    """Read mail after mail until the other side hangs up."""
    _limit_memory(memory_bytes)
    with suppress(OSError, EOFError):
        while True:
            _send(conversation, _answer(_received(conversation, None), read_one), None)
    os._exit(0)


def _answer(question: bytearray, read_one: Read) -> list[bytes]:
    try:
        if question[:1] == b"r":
            return [b"r", *to_bytes(read_one(bytes(question[1:])))]
        reason, _, raw = question[1:].partition(b"\0")
        return [b"r", *to_bytes(unread(bytes(raw), reason.decode()))]
    except MemoryError:
        return [b"e", TOO_LARGE.encode()]


def _limit_memory(memory_bytes: int) -> None:
    with suppress(OSError, ValueError):
        own = int(next(line.split()[1] for line in _status() if line.startswith("VmData:"))) * 1024
        resource.setrlimit(resource.RLIMIT_DATA, (own + memory_bytes,) * 2)
        Path("/proc/self/oom_score_adj").write_text("1000")


def _status() -> list[str]:
    return Path("/proc/self/status").read_text().splitlines()


def _send(conversation: socket.socket, pieces: list[bytes], ends: float | None) -> None:
    conversation.settimeout(_left(ends))
    conversation.sendall(sum(map(len, pieces)).to_bytes(8, "big"))
    for piece in pieces:
        for start in range(0, len(piece), CHUNK_BYTES):
            conversation.settimeout(_left(ends))
            conversation.sendall(memoryview(piece)[start : start + CHUNK_BYTES])


def _received(conversation: socket.socket, ends: float | None) -> bytearray:
    return _exactly(conversation, int.from_bytes(_exactly(conversation, 8, ends), "big"), ends)


def _exactly(conversation: socket.socket, size: int, ends: float | None) -> bytearray:
    content = bytearray()
    while len(content) < size:
        conversation.settimeout(_left(ends))
        piece = conversation.recv(min(CHUNK_BYTES, size - len(content)))
        if not piece:
            raise EOFError
        content += piece
    return content


def _left(ends: float | None) -> float | None:
    if ends is None:
        return None
    left = ends - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


_started: list[Apart] = []


def start() -> Callable[[], None]:
    """From now on this process reads mail apart. Returns what ends it. Call it before there are threads."""
    apart = Apart()
    _started.append(apart)
    return partial(_stop, apart)


def _stop(apart: Apart) -> None:
    _started.remove(apart)
    apart.close()


def read_mail(raw: bytes) -> Reading:
    """Read a mail: apart where that was started, else here. Raises GoneError when the way to it is lost."""
    return _started[-1].read(raw) if _started else read(raw)


def is_gone() -> bool:
    """Whether the way to the reading process is lost, so that only a new worker can read mail."""
    return bool(_started) and _started[-1].is_gone
