"""A real SMTP server in the test process: it keeps what it takes and answers as it is told."""

import asyncio
import socket
import ssl
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult

from tests.servers.certificates import Certificate
from tests.servers.ports import free_port

STALL, DROP, DRIP = "stall", "drop", "drip"
LOGIN = ("desk", "a password nobody guesses")


@dataclass(frozen=True)
class CaughtMail:
    """One mail as the server took it."""

    raw: bytes
    envelope_from: str
    recipients: tuple[str, ...]
    peer: tuple[str, int]

    @property
    def parsed(self) -> EmailMessage:
        """The mail as a mail program reads it."""
        mail = message_from_bytes(self.raw, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        return mail


@dataclass
class SmtpServer:
    """What it was told to answer, and what it saw.

    `rcpt` are answers by recipient or his domain; `data_command` and `data` are answers to DATA and to the final dot, in
    order, and all is well when there are none left. An answer STALL says nothing more (to RCPT: until `awake` is set),
    DROP closes the connection, and DRIP begins an answer that never ends. After `hang_up_after` mails it hangs up;
    `on_mail` is called for each one it took.
    """

    security: str = "none"
    rcpt: dict[str, str] = field(default_factory=dict)
    data_command: deque[str] = field(default_factory=deque)
    data: deque[str] = field(default_factory=deque)
    mails: list[CaughtMail] = field(default_factory=list)
    seen: list[bytes] = field(default_factory=list)
    logins: list[tuple[str, str]] = field(default_factory=list)
    peers: set[tuple[str, int]] = field(default_factory=set)
    port: int = 0
    has_utf8: bool = True
    hang_up_after: int = 0
    on_mail: Callable[[], object] = lambda: None
    resets: int = 0
    awake: threading.Event = field(default_factory=threading.Event)

    async def handle_EHLO(  # noqa: N802
        self, _server: Any, session: Any, _envelope: Any, hostname: str, answers: list[str]
    ) -> list[str]:
        self.peers.add(session.peer)
        session.host_name = hostname
        return answers

    async def handle_RCPT(  # noqa: N802
        self, server: Any, _session: Any, envelope: Any, address: str, _options: list[str]
    ) -> str:
        answer = self.rcpt.get(address, self.rcpt.get(address.rpartition("@")[2], "250 OK"))
        while answer == STALL and not self.awake.is_set():
            await asyncio.sleep(0.05)
        while answer == DRIP:
            await server.push("250-still thinking")
            await asyncio.sleep(0.05)
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return "451 4.4.1 nobody answered" if answer == STALL else answer

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.seen.append(envelope.content)
        answer = self.data.popleft() if self.data else "250 OK"
        if answer == STALL:
            await asyncio.sleep(3600)
        if answer == DROP:
            server.transport.abort()
            return "421 gone"
        if answer.startswith("250"):
            caught = CaughtMail(envelope.content, envelope.mail_from, tuple(envelope.rcpt_tos), session.peer)
            self.mails.append(caught)
            await asyncio.get_running_loop().run_in_executor(None, self.on_mail)
        return answer

    async def handle_RSET(self, _server: Any, _session: Any, _envelope: Any) -> str:  # noqa: N802
        self.resets += 1
        return "250 OK"

    def authenticate(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        login = (data.login.decode(), data.password.decode())
        self.logins.append(login)
        return AuthResult(success=login == LOGIN, handled=login == LOGIN)


class _Session(SMTP):
    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        """Refuse before any byte of the mail was sent, when told to."""
        answers = self.event_handler.data_command
        if answers:
            await self.push(answers.popleft())
        else:
            await super().smtp_DATA(arg)
        mails = [mail for mail in self.event_handler.mails if self.session and mail.peer == self.session.peer]
        if 0 < self.event_handler.hang_up_after <= len(mails):
            self.transport.close()


class _Controller(Controller):
    def factory(self) -> SMTP:
        return _Session(self.handler, **self.SMTP_kwargs)


def start_smtp(server: SmtpServer, certificate: Certificate | None = None) -> Controller:
    """Let it listen on a free loopback port, with STARTTLS or TLS and a login when its `security` says so.

    One that listened before does so on the same port.
    """
    server.port = server.port or free_port()
    controller = _Controller(server, hostname="127.0.0.1", port=server.port, **_options(server, certificate))
    controller.start()
    return controller


def _options(server: SmtpServer, certificate: Certificate | None) -> dict[str, Any]:
    if certificate is None:
        return {
            "authenticator": server.authenticate, "auth_require_tls": False, "enable_SMTPUTF8": server.has_utf8,
        }  # fmt: skip
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate.chain, certificate.key)
    login = {"authenticator": server.authenticate}
    if server.security == "starttls":
        return {"tls_context": context, "require_starttls": True, "auth_required": True, **login}
    return {"ssl_context": context, "auth_require_tls": False, **login}


class SilentServer:
    """It takes connections and never says a word."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._connections: list[socket.socket] = []
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
        for connection in self._connections:
            connection.close()

    def _accept(self) -> None:
        while True:
            try:
                self._connections.append(self._listener.accept()[0])
            except OSError:
                return
