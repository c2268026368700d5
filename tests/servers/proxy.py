"""A line-reading TCP proxy before a real server, to break the conversation at one place."""

import contextlib
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

PASS, CUT, STALL, DRIP = "pass", "cut", "stall", "drip"
DRIP_EVERY_SECONDS = 0.05
Judge = Callable[[bytes], str]


def pass_all(_line: bytes) -> str:
    return PASS


@dataclass
class Proxy:
    """Hands on what both sides say. For each line of the client, `judge` says PASS, CUT (hang up) or an answer.

    An answer such as "NO not today" is given in the server's place, with the line's own tag. When the server has said
    `cut_after` bytes, `then` comes: CUT, STALL (not a byte more) or DRIP (one now and then). What is in `hide` is
    taken out of what the server says. What ends with `hold` is
    kept until the server says more, and reaches the client in one piece with it.
    """

    upstream: int
    judge: Judge = pass_all
    cut_after: int | None = None
    then: str = CUT
    hide: bytes | tuple[bytes, ...] = ()
    hold: bytes = b""
    lines: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def stop(self) -> None:
        self._stopped.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.hang_up()
        for thread in self._threads:
            thread.join(10)
        for connection in self._open:
            connection.close()

    def hang_up(self) -> None:
        """Cut every connection there is."""
        for connection in list(self._open):
            _shut(connection)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.upstream))
            self._open += [client, server]
            for work in (self._listen_to_client, self._listen_to_server):
                thread = threading.Thread(target=work, args=(client, server), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _listen_to_client(self, client: socket.socket, server: socket.socket) -> None:
        with client.makefile("rb") as lines:
            try:
                for line in lines:
                    self.lines.append(line)
                    verdict = self.judge(line)
                    if verdict == CUT:
                        break
                    if verdict == PASS:
                        server.sendall(line)
                    else:
                        client.sendall(line.split(b" ")[0] + b" " + verdict.encode() + b"\r\n")
            except OSError:
                pass
        _shut(client)
        _shut(server)

    def _listen_to_server(self, client: socket.socket, server: socket.socket) -> None:
        left = self.cut_after
        try:
            while data := server.recv(65536 if left is None else max(1, left)):
                if self.hold and data.endswith(self.hold):
                    data += server.recv(65536)
                for word in (self.hide,) if isinstance(self.hide, bytes) else self.hide:
                    data = data.replace(word, b"")
                client.sendall(data)
                left = None if left is None else left - len(data)
                if left is not None and left <= 0:
                    self._end(client, server)
                    break
        except OSError:
            pass
        _shut(client)
        _shut(server)

    def _end(self, client: socket.socket, server: socket.socket) -> None:
        """What comes when enough was said."""
        if self.then == STALL:
            self._stopped.wait()
        while self.then == DRIP and (byte := server.recv(1)) and not self._stopped.wait(DRIP_EVERY_SECONDS):
            client.sendall(byte)


def _shut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
