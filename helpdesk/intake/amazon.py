"""Asking Amazon: a host that the settings determine, over verified TLS, briefly, and following nothing."""

import ssl
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from http.client import HTTPException, HTTPSConnection

from flask import current_app

from helpdesk import clock
from helpdesk.inbound.sources.deadlines import within

TIMEOUT_SECONDS = 5
ALL_SECONDS = 10.0  # SNS waits for 15
MOST_BYTES = 64 * 1024
KEPT_FOR = timedelta(days=1)
MOST_KEPT = 8


class NoAnswer(OSError):
    """Amazon does not answer, or not as itself; the same may be tried again."""


def connect(host: str) -> HTTPSConnection:
    """A connection that is not open yet; the certificate must be valid for `host` and of a known authority."""
    return HTTPSConnection(host, timeout=TIMEOUT_SECONDS, context=ssl.create_default_context())


class Amazon:
    """Asks, and remembers a few certificates for a day. `connect` makes a connection to a host."""

    def __init__(self, connect: Callable[[str], HTTPSConnection] = connect) -> None:
        self._connect = connect
        self._lock = threading.Lock()
        self._certificates: dict[str, tuple[datetime, bytes]] = {}

    def get(self, host: str, path: str) -> bytes | None:
        """What is there, in 64 KB at most; None when Amazon says that there is no such thing. Raises NoAnswer."""
        connection = self._connect(host)
        try:
            connection.connect()
            with within(connection.sock, ALL_SECONDS):
                connection.request("GET", path)
                answer = connection.getresponse()
                content = answer.read(MOST_BYTES + 1)
        except (OSError, HTTPException) as error:
            raise NoAnswer(f"{host} does not answer.") from error
        finally:
            connection.close()
        if answer.status == 429 or answer.status >= 500:
            raise NoAnswer(f"{host} answers with {answer.status}.")
        return content if answer.status == 200 and len(content) <= MOST_BYTES else None

    def certificate(self, host: str, path: str) -> bytes | None:
        """The same, from memory if possible; one at a time, so that strangers occupy one thread with it at most."""
        if not self._lock.acquire(timeout=TIMEOUT_SECONDS):
            raise NoAnswer(f"{host} did not answer others yet.")
        try:
            return self._remembered(host + path) or self._fetched(host, path)
        finally:
            self._lock.release()

    def _remembered(self, name: str) -> bytes | None:
        until, content = self._certificates.get(name, (clock.now(), None))
        return content if clock.now() < until else None

    def _fetched(self, host: str, path: str) -> bytes | None:
        content = self.get(host, path)
        if content is not None:
            self._certificates.pop(host + path, None)
            self._certificates[host + path] = clock.now() + KEPT_FOR, content
            for oldest in [*self._certificates][:-MOST_KEPT]:
                del self._certificates[oldest]
        return content


def amazon() -> Amazon:
    """What this application asks with."""
    current: Amazon = current_app.extensions.setdefault("amazon", Amazon())
    return current
