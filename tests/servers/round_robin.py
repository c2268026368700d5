"""A front that hands each request to the next of several web servers, whoever asks."""

import itertools
import re
import socket
import threading
from collections import Counter

_CONNECTION = re.compile(rb"\r\nConnection:[^\r\n]*", re.IGNORECASE)


class RoundRobin:
    """Listens on a free port; `served` counts the requests that each server got."""

    def __init__(self, ports: list[int]) -> None:
        self.served: Counter[int] = Counter()
        self._next = itertools.cycle(ports)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self) -> None:
        """Take no more requests."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._hand_on, args=(client,), daemon=True).start()

    def _hand_on(self, client: socket.socket) -> None:
        """One connection carries one request, so that the next goes to another server."""
        with client:
            head = _head_of(client)
            if not head:
                return
            port = next(self._next)
            self.served[port] += 1
            with socket.create_connection(("127.0.0.1", port)) as server:
                server.sendall(_closing(head))
                threading.Thread(target=_pump, args=(client, server), daemon=True).start()
                _pump(server, client)


def _head_of(client: socket.socket) -> bytes:
    said = b""
    while b"\r\n\r\n" not in said:
        more = _heard(client)
        if not more:
            return b""
        said += more
    return said


def _closing(said: bytes) -> bytes:
    head, _, rest = said.partition(b"\r\n\r\n")
    return _CONNECTION.sub(b"", head) + b"\r\nConnection: close\r\n\r\n" + rest


def _pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while more := _heard(source):
            target.sendall(more)
    except OSError:
        return


def _heard(source: socket.socket) -> bytes:
    try:
        return source.recv(65536)
    except OSError:
        return b""
