"""Asking a token server of OAuth 2.0: one POST over verified TLS, bounded in time and size, that follows nobody."""

import json
import ssl
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlencode, urlsplit

from helpdesk.config import LOOPBACK
from helpdesk.errors import HelpdeskError
from helpdesk.inbound.sources.deadlines import within

TIMEOUT_SECONDS = 10.0
ALL_SECONDS = 20.0
MAX_BYTES = 64 * 1024


class NoAnswer(HelpdeskError):
    """A token server gave no answer that can be used; the message says why."""

    status = 503


@dataclass(frozen=True)
class Answer:
    """What a token server said: its status, and the object in its answer (RFC 6749 §5)."""

    status: int
    said: dict[str, Any]

    @property
    def error(self) -> str:
        """The error that it names, such as "invalid_grant"; "" for none."""
        return str(self.said.get("error") or "")[:60] if self.status >= 400 else ""

    @property
    def error_description(self) -> str:
        """Its own words for that, in one line."""
        return " ".join(str(self.said.get("error_description") or "").split())


def ask(endpoint: str, fields: dict[str, str], *, ca_file: Path | None = None) -> Answer:
    """Post `fields` to a token server. Raises NoAnswer when nothing usable comes back, or its address is none."""
    url = urlsplit(endpoint)
    if url.scheme not in ("https", "http") or not url.hostname:
        raise NoAnswer("The address of the token server must begin with https://.")
    if url.scheme == "http" and url.hostname not in LOOPBACK:
        raise NoAnswer("A token server is only asked over https://, or on this machine.")
    try:
        status, body = _post(url, urlencode({name: value for name, value in fields.items() if value}), ca_file)
    except (OSError, HTTPException, ValueError) as error:
        raise NoAnswer(f"The token server {url.hostname} does not answer: {error or type(error).__name__}") from error
    return _read(url.hostname, status, body)


def _post(url: SplitResult, body: str, ca_file: Path | None) -> tuple[int, bytes]:
    connection = _connection(url, ca_file)
    try:
        connection.connect()
        with within(connection.sock, ALL_SECONDS):
            path = (url.path or "/") + (f"?{url.query}" if url.query else "")
            headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
            connection.request("POST", path, body, headers)
            answer: HTTPResponse = connection.getresponse()
            return answer.status, answer.read(MAX_BYTES + 1)
    finally:
        connection.close()


def _connection(url: SplitResult, ca_file: Path | None) -> HTTPConnection:
    host = url.hostname or ""
    if url.scheme == "http":
        return HTTPConnection(host, url.port, timeout=TIMEOUT_SECONDS)
    context = ssl.create_default_context(cafile=ca_file)
    return HTTPSConnection(host, url.port, timeout=TIMEOUT_SECONDS, context=context)


def _read(host: str, status: int, body: bytes) -> Answer:
    if 300 <= status < 400:
        raise NoAnswer(f"The token server {host} points elsewhere (status {status}), where nobody follows.")
    if status >= 500 or status == 429:
        raise NoAnswer(f"The token server {host} does not work just now (status {status}).")
    if len(body) > MAX_BYTES:
        raise NoAnswer(f"The token server {host} says more than an answer can hold.")
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise NoAnswer(f"The token server {host} gives no answer that can be read (status {status}).")
    return Answer(status, said)
