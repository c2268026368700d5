"""A token server of OAuth 2.0 as small as can be: refresh tokens, device codes, and introspection for a mail server."""

import itertools
import json
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.servers.certificates import Certificate

CLIENT_ID, CLIENT_SECRET = "the-desk", "a-client-secret-of-the-desk"
Said = tuple[int, Any]


@dataclass
class TokenServer:
    """Hands out access tokens for `username`; what it knows can be changed while it runs.

    `rotates` gives a new refresh token each time and takes the old one back. `instead` answers in the place of the
    token endpoint: a status and an object, text or bytes.
    """

    username: str = ""
    certificate: Certificate | None = None
    rotates: bool = False
    lasts: int | None = 3600
    instead: Said | None = None
    waits_for: threading.Event | None = None
    refresh_tokens: set[str] = field(default_factory=lambda: {"refresh-0"})
    access_tokens: set[str] = field(default_factory=set)
    device_answers: list[str] = field(default_factory=list)
    asked: list[dict[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        if self.certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.certificate.chain, self.certificate.key)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        if self.waits_for:
            self.waits_for.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    @property
    def url(self) -> str:
        return f"{'https' if self.certificate else 'http'}://127.0.0.1:{self.port}"

    def settings(self, **others: Any) -> dict[str, Any]:
        """The part "oauth" of a source's settings."""
        places = {"token_endpoint": f"{self.url}/token", "device_endpoint": f"{self.url}/device"}
        return places | {"client_id": CLIENT_ID, "scope": "mail"} | others

    def revoke(self) -> None:
        """Take back all that was given."""
        self.refresh_tokens.clear()
        self.access_tokens.clear()

    def answer(self, path: str, fields: dict[str, str]) -> Said:
        if path == "/introspect":
            is_good = fields.get("token") in self.access_tokens
            return 200, {"active": is_good, "username": self.username} if is_good else {"active": False}
        with self._lock:
            self.asked.append(fields)
            if path == "/device":
                return 200, {
                    "device_code": "device-1", "user_code": "ABCD-EFGH", "interval": 0, "expires_in": 60,
                    "verification_uri": "https://login.example.org/device",
                }  # fmt: skip
            return self._token(fields)

    def _token(self, fields: dict[str, str]) -> Said:
        if self.waits_for:
            self.waits_for.wait(60)
        if self.instead:
            return self.instead
        if (fields.get("client_id"), fields.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            return 401, {"error": "invalid_client", "error_description": f"No such client: {fields}"}
        if fields["grant_type"] == "refresh_token":
            return self._refreshed(fields["refresh_token"])
        if fields["grant_type"] == "authorization_code":
            return 200, self._given()
        told = self.device_answers.pop(0) if self.device_answers else ""
        return (400, {"error": told}) if told else (200, self._given())

    def _refreshed(self, refresh_token: str) -> Said:
        if refresh_token not in self.refresh_tokens:
            return 400, {"error": "invalid_grant", "error_description": f"Token {refresh_token} has been revoked."}
        if not self.rotates:
            return 200, self._given() | {"refresh_token": refresh_token}
        self.refresh_tokens.discard(refresh_token)
        return 200, self._given()

    def _given(self) -> dict[str, Any]:
        number = next(self._numbers)
        access, refresh = f"access-token-number-{number}", f"refresh-{number}"
        self.access_tokens.add(access)
        self.refresh_tokens.add(refresh)
        lasts = {} if self.lasts is None else {"expires_in": self.lasts}
        return {"access_token": access, "token_type": "Bearer", "refresh_token": refresh} | lasts


def _handler(server: TokenServer) -> Callable[..., BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._say({})

        def do_POST(self) -> None:
            self._say(_flat(self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()))

        def _say(self, fields: dict[str, str]) -> None:
            url = urlsplit(self.path)
            bearer = self.headers.get("Authorization", "").removeprefix("Bearer ").strip()
            status, said = server.answer(url.path, _flat(url.query) | fields | ({"token": bearer} if bearer else {}))
            body = said if isinstance(said, bytes) else json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            if 300 <= status < 400:
                self.send_header("Location", f"{server.url}/elsewhere")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            pass

    return Handler


def _flat(query: str) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(query, keep_blank_values=True).items()}
