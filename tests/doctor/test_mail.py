"""The doctor about mail: the server that sends, the mailboxes, and LMTP."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from tests.doctor.conftest import Desk
from tests.servers.dovecot import Account, Dovecot
from tests.servers.fixtures import Certificates
from tests.servers.ports import free_port, wait_for_port
from tests.servers.proxy import Proxy
from tests.servers.smtp import LOGIN, SmtpServer
from tests.servers.tokens import CLIENT_SECRET, TokenServer

pytestmark = pytest.mark.engines("sqlite")
Found = Callable[..., list[tuple[str, str, str]]]
StartSmtp = Callable[..., SmtpServer]
ChangeMailbox = Callable[[dict[str, Any]], None]
UNKNOWN = "comes from somebody unknown; name its authority, or get a public one."


def smtp_of(server: SmtpServer, **others: Any) -> dict[str, Any]:
    return {"smtp_security": server.security, "smtp_port": server.port} | others


def test_nobody_listens_where_mail_is_sent(found: Found) -> None:
    port = free_port()
    assert found(smtp_port=port) == [
        ("failure", "smtp", f"Nobody listens at 127.0.0.1:{port}; check host and port, and that the server runs.")
    ]


def test_there_is_no_such_mail_host(found: Found) -> None:
    assert found(smtp_host="mail.invalid", smtp_security="starttls") == [
        ("failure", "smtp", "There is no host called mail.invalid; check its name and the name server.")
    ]


def test_the_mail_server_says_nothing(found: Found, silent_server: Any) -> None:
    port = silent_server.port
    assert found(smtp_port=port, smtp_timeout_seconds=1) == [
        ("failure", "smtp", f"127.0.0.1:{port} does not answer in time; check host, port and firewall.")
    ]


@pytest.mark.parametrize(
    ("which", "what"),
    [
        ("stranger", UNKNOWN),
        ("expired", "has expired; renew it there."),
        ("elsewhere", "is for another name; use the name that is in it."),
    ],
)
def test_a_certificate_of_the_mail_server(
    which: str, what: str, found: Found, start_smtp_server: StartSmtp, certificates: Certificates
) -> None:
    certificate = getattr(certificates, which)
    server = start_smtp_server("starttls", certificate)
    authority = None if which == "stranger" else certificate.chain
    assert found(**smtp_of(server, smtp_ca_file=authority)) == [
        ("failure", "smtp", f"The certificate of 127.0.0.1:{server.port} {what}")
    ]


def test_the_mail_server_has_no_starttls(found: Found) -> None:
    (level, area, sentence), *rest = found(smtp_security="starttls")
    assert (level, area, rest) == ("failure", "smtp", [])
    assert sentence.endswith(" offers no STARTTLS; check HELPDESK_SMTP_PORT and HELPDESK_SMTP_SECURITY.")


def test_the_mail_server_speaks_no_tls_on_this_port(found: Found, smtp: SmtpServer) -> None:
    assert found(smtp_security="tls") == [
        ("failure", "smtp", f"127.0.0.1:{smtp.port} does not speak TLS as we were told to; check port and security.")
    ]


def test_a_wrong_password_for_the_mail_server(
    found: Found, start_smtp_server: StartSmtp, certificates: Certificates
) -> None:
    server = start_smtp_server("starttls", certificates.good)
    told = smtp_of(server, smtp_ca_file=certificates.good.chain, smtp_username=LOGIN[0])
    right, wrong = {"smtp_password": SecretStr(LOGIN[1])}, {"smtp_password": SecretStr("wrong")}
    assert found(**told, **right) == [("ok", "smtp", "The mail server that sends lets us in over verified TLS.")]
    sentence = f"127.0.0.1:{server.port} refused our login; check HELPDESK_SMTP_USERNAME and HELPDESK_SMTP_PASSWORD."
    assert found(**told, **wrong) == [("failure", "smtp", sentence)]


def test_a_mail_server_that_wants_no_login(found: Found, smtp: SmtpServer, proxy_to: Callable[..., Proxy]) -> None:
    port = proxy_to(smtp.port, hide=b"250-AUTH LOGIN PLAIN\r\n").port
    sentence = f"127.0.0.1:{port} offers no login here; leave HELPDESK_SMTP_USERNAME empty, or use TLS."
    assert found(smtp_port=port, smtp_username="desk", smtp_password=SecretStr("a word")) == [
        ("failure", "smtp", sentence)
    ]


def test_a_test_mail_that_is_accepted(found: Found, smtp: SmtpServer) -> None:
    assert found(test_mail_to="carla@example.org") == [
        ("ok", "smtp", "The test mail from desk@example.org to carla@example.org was accepted; see that it arrives.")
    ]
    assert [(mail.envelope_from, mail.recipients) for mail in smtp.mails] == [
        ("desk@example.org", ("carla@example.org",))
    ]


def test_a_test_mail_that_is_refused(found: Found, smtp: SmtpServer) -> None:
    smtp.rcpt["carla@example.org"] = "550 not from you"
    sentence = "The test mail from desk@example.org to carla@example.org was refused: 550 not from you; may we send as "
    assert found(test_mail_to="carla@example.org") == [("failure", "smtp", sentence + "desk@example.org?")]
    assert smtp.mails == []


def test_the_mail_server_turns_us_away(found: Found, greeter: Callable[[bytes], int]) -> None:
    port = greeter(b"554 5.7.1 not for you\r\n")
    sentence = f"127.0.0.1:{port} did not let us in: (554, b'5.7.1 not for you'); check the HELPDESK_SMTP_ settings."
    assert found(smtp_port=port) == [("failure", "smtp", sentence)]


def test_no_mailbox_at_all_is_fine(found: Found, desk: Desk) -> None:
    desk.tell("DELETE FROM source")
    assert found() == [("ok", "imap", "No mailbox is read.")]


def test_a_wrong_password_for_the_mailbox(found: Found, mailbox: Account) -> None:
    sentence = f"The mailbox Inbox refused the login of {mailbox.username}; check its user name and "
    assert found(imap_password=SecretStr("wrong")) == [("failure", "imap", sentence + "HELPDESK_IMAP_PASSWORD.")]


def test_a_mailbox_without_a_password(found: Found) -> None:
    sentence = "The mailbox Inbox has no password; set HELPDESK_IMAP_PASSWORD or HELPDESK_IMAP_PASSWORDS."
    assert found(imap_password=SecretStr("")) == [("failure", "imap", sentence)]


def test_a_mailbox_that_signs_in_with_tokens(
    found: Found,
    desk: Desk,
    change_mailbox: ChangeMailbox,
    start_token_server: Callable[..., TokenServer],
    start_dovecot: Callable[..., Dovecot],
) -> None:
    tokens = start_token_server(rotates=True)
    account = start_dovecot(None, introspection_url=f"{tokens.url}/introspect").add_mailbox()
    tokens.username = account.username
    change_mailbox(account.settings(oauth=tokens.settings()))
    secrets = {"imap_client_secret": SecretStr(CLIENT_SECRET), "imap_refresh_token": SecretStr("refresh-0")}
    for _ in range(2):
        tokens.access_tokens.clear()
        assert found(**secrets) == []  # the refresh token that came instead was kept
    tokens.revoke()
    [(level, area, sentence)] = found(**secrets)
    assert (level, area) == ("failure", "imap")
    assert sentence.startswith("The mailbox Inbox cannot be read: We have no permission to read this mailbox any more")
    assert "refresh-" not in sentence


def test_a_mailbox_without_its_folder(found: Found, mailbox: Account, change_mailbox: ChangeMailbox) -> None:
    change_mailbox(mailbox.settings(folder="Letters"))
    sentence = "The mailbox Inbox has no folder Letters; make it there, or name another one."
    assert found() == [("failure", "imap", sentence)]


def test_a_mailbox_that_does_not_tell_of_new_mail(
    found: Found, mailbox: Account, change_mailbox: ChangeMailbox, proxy_to: Callable[..., Proxy]
) -> None:
    change_mailbox(mailbox.settings(port=proxy_to(mailbox.port, hide=b" IDLE").port))
    sentence = "The server of the mailbox Inbox has no IDLE, so new mail is seen every 60 seconds only; lower "
    assert found() == [("warning", "imap", sentence + "HELPDESK_IMAP_POLL_SECONDS if that is too slow.")]


def test_a_mailbox_with_an_unknown_certificate(found: Found, mailbox: Account, change_mailbox: ChangeMailbox) -> None:
    port = mailbox.server.tls_port
    change_mailbox(mailbox.settings(port=port, security="tls"))
    sentence = f"The mailbox Inbox cannot be read: The certificate of 127.0.0.1:{port} {UNKNOWN}"
    assert found() == [("failure", "imap", sentence)]


def test_a_mailbox_on_a_port_that_speaks_no_tls(found: Found, mailbox: Account, change_mailbox: ChangeMailbox) -> None:
    change_mailbox(mailbox.settings(security="tls"))
    where = f"127.0.0.1:{mailbox.port}"
    sentence = (
        f"The mailbox Inbox cannot be read: {where} does not speak TLS as we were told to; check port and security."
    )
    assert found() == [("failure", "imap", sentence)]


def test_a_mailbox_where_nobody_listens(found: Found, mailbox: Account, change_mailbox: ChangeMailbox) -> None:
    port = free_port()
    change_mailbox(mailbox.settings(port=port))
    sentence = f"The mailbox Inbox cannot be read: Nobody listens at 127.0.0.1:{port}; check host and port, and that "
    assert found() == [("failure", "imap", sentence + "the server runs.")]


def test_a_mailbox_in_the_clear_far_away(found: Found, mailbox: Account, change_mailbox: ChangeMailbox) -> None:
    change_mailbox(mailbox.settings(host="mail.example.com"))
    sentence = (
        "The mailbox Inbox cannot be read: Without TLS a mailbox is only read on this machine; use tls or starttls."
    )
    assert found() == [("failure", "imap", sentence + "; check its settings.")]


@pytest.fixture
def greeter() -> Iterator[Callable[[bytes], int]]:
    """Somebody who says one line to each caller."""
    listeners: list[socket.socket] = []

    def start(line: bytes) -> int:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)
        threading.Thread(target=_greet, args=(listener, line), daemon=True).start()
        return int(listener.getsockname()[1])

    yield start
    for listener in listeners:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def _greet(listener: socket.socket, line: bytes) -> None:
    while True:
        try:
            caller, _ = listener.accept()
        except OSError:
            return
        with closing(caller):
            caller.sendall(line)


def test_nobody_takes_mail_by_lmtp(found: Found) -> None:
    bind = f"127.0.0.1:{free_port()}"
    sentence = f"Nobody takes mail at {bind}; start “helpdesk lmtp”, or “helpdesk up” again."
    assert found(lmtp_bind=bind) == [("warning", "lmtp", sentence)]


def test_another_program_has_the_lmtp_port(found: Found, greeter: Callable[[bytes], int]) -> None:
    port = greeter(b"220 ftp.example.org FTP\r\n")
    bind = f"127.0.0.1:{port}"
    sentence = f"Another program listens at {bind}; end it, or choose another HELPDESK_LMTP_BIND."
    assert found(lmtp_bind=bind) == [("failure", "lmtp", sentence)]


def test_a_server_of_smtp_has_the_lmtp_port(found: Found, smtp: SmtpServer) -> None:
    bind = f"127.0.0.1:{smtp.port}"
    sentence = f"Another program listens at {bind}; end it, or choose another HELPDESK_LMTP_BIND."
    assert found(lmtp_bind=bind) == [("failure", "lmtp", sentence)]


def test_the_lmtp_port_says_nothing(found: Found, silent_server: Any) -> None:
    bind = f"127.0.0.1:{silent_server.port}"
    sentence = f"{bind} does not answer: timed out; check HELPDESK_LMTP_BIND."
    assert found(lmtp_bind=bind) == [("failure", "lmtp", sentence)]


def test_our_own_lmtp_is_recognised(found: Found, desk: Desk) -> None:
    bind = f"127.0.0.1:{free_port()}"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HELPDESK_")} | {
        "HELPDESK_SECRET_KEYS": desk.settings.secret_keys[0].get_secret_value(),
        "HELPDESK_DATA_DIR": str(desk.settings.data_dir),
        "HELPDESK_LMTP_BIND": bind,
    }
    command = [str(Path(sys.executable).with_name("helpdesk")), "lmtp"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as server:
        try:
            wait_for_port(int(bind.rpartition(":")[2]))
            assert found(lmtp_bind=bind) == [("ok", "lmtp", f"Mail is taken at {bind}.")]
        finally:
            server.terminate()
