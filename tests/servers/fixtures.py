"""The real servers as fixtures; a missing one is an error under CI and a named skip elsewhere."""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.servers import dovecot as dovecots
from tests.servers import postfix as postfixes
from tests.servers import postgresql as postgresqls
from tests.servers.certificates import Certificate, make_certificate
from tests.servers.dovecot import Account, Dovecot
from tests.servers.postfix import Postfix
from tests.servers.postgresql import Cluster
from tests.servers.proxy import Proxy
from tests.servers.s3 import S3
from tests.servers.smtp import SilentServer, SmtpServer, start_smtp
from tests.servers.tokens import TokenServer


@dataclass(frozen=True)
class Certificates:
    """One that is good when trusted, and three that never are."""

    good: Certificate
    stranger: Certificate
    expired: Certificate
    elsewhere: Certificate


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Certificates for localhost and 127.0.0.1: good, unknown, expired, and one for another host."""
    need("openssl")
    folder = tmp_path_factory.mktemp("certificates")
    return Certificates(
        good=make_certificate(folder, "good"),
        stranger=make_certificate(folder, "stranger"),
        expired=make_certificate(folder, "expired", days=-1),
        elsewhere=make_certificate(folder, "elsewhere", names="DNS:mail.example.com"),
    )


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Cluster]:
    """A real PostgreSQL: a ready one from outside, else one of our own."""
    ready, binaries = os.environ.get(postgresqls.READY_URL), postgresqls.find_binaries()
    if ready:
        yield Cluster(ready)
    elif binaries is None:
        need("postgres")
    else:
        with postgresqls.running(binaries) as url:
            yield Cluster(url)


@pytest.fixture
def s3() -> Iterator[S3]:
    """An S3-compatible store."""
    store = S3()
    yield store
    store.stop()


@pytest.fixture
def start_smtp_server() -> Iterator[Callable[..., SmtpServer]]:
    """Start SMTP servers: `start_smtp_server("starttls", certificate)`; plain without arguments."""
    controllers = []

    def start(security: str = "none", certificate: Certificate | None = None, **how: Any) -> SmtpServer:
        server = SmtpServer(security, **how)
        controllers.append(start_smtp(server, certificate))
        return server

    yield start
    for controller in controllers:
        controller.stop()


@pytest.fixture
def smtp(start_smtp_server: Callable[..., SmtpServer]) -> SmtpServer:
    """A plain SMTP server on this machine."""
    return start_smtp_server()


@pytest.fixture
def silent_server() -> Iterator[SilentServer]:
    """A server that takes connections and never says a word."""
    server = SilentServer()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def dovecot(certificates: Certificates) -> Iterator[Dovecot]:
    """A real IMAP server with a good certificate."""
    yield from _dovecot(certificates.good)


@pytest.fixture
def start_dovecot() -> Iterator[Callable[..., Dovecot]]:
    """Start IMAP servers with other certificates, or with none."""
    servers: list[Dovecot] = []

    def start(certificate: Certificate | None, **options: str) -> Dovecot:
        need("dovecot")
        servers.append(Dovecot(certificate, **options))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def start_token_server() -> Iterator[Callable[..., TokenServer]]:
    """Start token servers of OAuth: `start_token_server(rotates=True)`."""
    servers: list[TokenServer] = []

    def start(**how: Any) -> TokenServer:
        servers.append(TokenServer(**how))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def mailbox(dovecot: Dovecot) -> Account:
    """A new, empty mailbox on a real IMAP server."""
    return dovecot.add_mailbox()


@pytest.fixture
def start_postfix() -> Iterator[Callable[..., Postfix]]:
    """Start mail servers: `start_postfix(main="…", transport="…")`."""
    servers: list[Postfix] = []

    def start(**files: str) -> Postfix:
        need(postfixes.PROGRAM)
        if not postfixes.may_run():
            pytest.skip("only root can run Postfix, so this test has no real server to talk to")
        servers.append(Postfix(**files))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def proxy_to() -> Iterator[Callable[..., Proxy]]:
    """Stand between us and a server: `proxy_to(port, judge=…)`."""
    proxies: list[Proxy] = []

    def start(port: int, **how: Any) -> Proxy:
        proxies.append(Proxy(port, **how))
        return proxies[-1]

    yield start
    for proxy in proxies:
        proxy.stop()


def need(program: str) -> None:
    """Skip the test by name where a program is missing; fail it where it must be there."""
    if shutil.which(program) or Path(f"/usr/sbin/{program}").exists():
        return
    sentence = f"{program} is not installed, so this test has no real server to talk to"
    if os.environ.get("CI") == "true":
        pytest.fail(sentence)
    pytest.skip(sentence)


def _dovecot(certificate: Certificate) -> Iterator[Dovecot]:
    need(dovecots.PROGRAM)
    server = Dovecot(certificate)
    yield server
    server.stop()
