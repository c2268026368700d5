"""The doctor about what mail servers refuse: our senders, our addresses, the plus in them; and about mailboxes over TLS
and with a limit.
"""

from collections.abc import Callable
from typing import Any

import pytest

from tests.doctor.conftest import Desk
from tests.doctor.test_mail import ChangeMailbox, Found
from tests.letters import letter
from tests.servers.dovecot import Account, Dovecot
from tests.servers.fixtures import Certificates
from tests.servers.proxy import PASS, Proxy
from tests.servers.smtp import SmtpServer

pytestmark = pytest.mark.engines("sqlite")
StartDovecot = Callable[..., Dovecot]
QUOTA = """
mail_plugins = quota
protocol imap {
  mail_plugins = quota imap_quota
}
plugin {
  quota = count:Mailbox
  quota_rule = *:storage=100K
  quota_vsizes = yes
}
"""
ROOM = "delete old mail there, which the desk has kept, or get more room."


def test_a_mail_server_that_refuses_our_sender(found: Found, smtp: SmtpServer) -> None:
    smtp.senders["desk@example.org"] = "553 5.7.1 Sender address rejected: not owned by user"
    said = (
        "The mail server that sends takes no mail from desk@example.org: 553 5.7.1 Sender address rejected: not owned "
    )
    sentence = said + "by user; let our login there send as it, or change HELPDESK_MAIL_FROM."
    assert found() == [("failure", "smtp", sentence)]
    assert smtp.seen == []


def test_a_mail_server_that_refuses_the_address_of_a_queue_as_sender(found: Found, smtp: SmtpServer) -> None:
    smtp.senders["support@example.org"] = "550 5.7.60 not allowed to send as this sender"
    said = "The mail server that sends takes no mail from support@example.org: 550 5.7.60 not allowed to send as this "
    sentence = said + "sender; let our login there send as it, or give the queue another address."
    assert found() == [("failure", "smtp", sentence)]


def test_a_mail_server_that_refuses_the_bounce_address(found: Found, smtp: SmtpServer) -> None:
    def ask() -> list[tuple[str, str, str]]:
        return found(bounce_address="bounce@example.com")

    assert ask() == []
    smtp.rcpt["bounce+probe@example.com"] = "550 5.1.1 no such user"
    [(level, area, sentence)] = ask()
    assert (level, area) == ("failure", "smtp")
    assert sentence.startswith("bounce@example.com takes mail, but an address with a plus such as bounce+probe@example")
    smtp.senders["bounce@example.com"] = "553 5.7.1 not owned by user"
    said = (
        "The mail server that sends takes no mail from bounce@example.com: 553 5.7.1 not owned by user; let our login "
    )
    assert ask() == [("failure", "smtp", said + "there send as it, or change HELPDESK_BOUNCE_ADDRESS.")]


def test_a_mail_server_that_refuses_addresses_with_a_plus(found: Found, smtp: SmtpServer) -> None:
    smtp.has_plus = False
    sentence = (
        "{0}@example.org takes mail, but an address with a plus such as {0}+probe@example.org is refused: 550 5.1.1 no "
        "such user; switch plus addressing on where the mailbox is, or set HELPDESK_PLUS_ADDRESSING=false."
    )
    assert found() == [("failure", "smtp", sentence.format(name)) for name in ("support", "legal")]
    assert found(plus_addressing=False) == [
        ("ok", "smtp", "The mail server that sends takes mail from our addresses and to them; whether it comes in, “helpdesk "
         "mail selftest” finds out."),
    ]  # fmt: skip
    assert smtp.mails == []


def test_a_mail_server_that_does_not_know_our_mailbox(found: Found, smtp: SmtpServer) -> None:
    smtp.rcpt["legal@example.org"] = "550 5.1.1 User unknown"
    said = "The mail server that sends takes no mail from desk@example.org to legal@example.org: 550 5.1.1 User unknown"
    assert found() == [("failure", "smtp", f"{said}; does that mailbox exist?")]


def test_a_mail_server_that_does_not_relay_for_us(found: Found, smtp: SmtpServer) -> None:
    smtp.rcpt["legal@example.org"] = "554 5.7.1 Relay access denied"
    said = "The mail server that sends takes no mail from desk@example.org to legal@example.org: 554 5.7.1 Relay access"
    assert found() == [("failure", "smtp", f"{said} denied; sign in there: HELPDESK_SMTP_USERNAME")]


def test_a_mail_server_that_wants_to_be_asked_later_is_looked_at(found: Found, smtp: SmtpServer) -> None:
    smtp.rcpt["legal@example.org"] = "451 4.7.1 Greylisted"
    [(level, area, sentence)] = found()
    assert (level, area) == ("warning", "smtp")
    assert "451 4.7.1 Greylisted" in sentence


@pytest.mark.parametrize(
    ("which", "what"),
    [
        ("stranger", "comes from somebody unknown; name its authority, or get a public one."),
        ("expired", "has expired; renew it there."),
        ("elsewhere", "is for another name; use the name that is in it."),
    ],
)
@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_a_certificate_of_the_mailbox(
    which: str, what: str, security: str, found: Found, desk: Desk, certificates: Certificates,
    start_dovecot: StartDovecot, change_mailbox: ChangeMailbox,
) -> None:  # fmt: skip
    certificate = getattr(certificates, which)
    server = start_dovecot(certificate)
    authority = None if which == "stranger" else str(certificate.chain)
    port = server.tls_port if security == "tls" else server.port
    change_mailbox(server.add_mailbox().settings(port=port, security=security, ca_file=authority))
    said = f"The mailbox Inbox cannot be read: The certificate of 127.0.0.1:{port} {what}"
    assert found() == [("failure", "imap", said)]


def test_a_mailbox_without_starttls(found: Found, start_dovecot: StartDovecot, change_mailbox: ChangeMailbox) -> None:
    account = start_dovecot(None).add_mailbox()
    change_mailbox(account.settings(security="starttls"))
    said = f"The mailbox Inbox cannot be read: 127.0.0.1:{account.port} offers no STARTTLS; use tls, as a rule on port 993."
    assert found() == [("failure", "imap", said)]


def test_a_mailbox_on_a_host_that_does_not_exist(found: Found, mailbox: Account, change_mailbox: ChangeMailbox) -> None:
    change_mailbox(mailbox.settings(host="imap.invalid", security="tls"))
    said = "The mailbox Inbox cannot be read: There is no host called imap.invalid; check its name and the name server."
    assert found() == [("failure", "imap", said)]


def test_a_mailbox_whose_server_says_nothing(
    found: Found, mailbox: Account, change_mailbox: ChangeMailbox, silent_server: Any
) -> None:
    change_mailbox(mailbox.settings(port=silent_server.port, timeout_seconds=1))
    where = f"127.0.0.1:{silent_server.port}"
    said = f"The mailbox Inbox cannot be read: {where} does not answer in time; check host, port and firewall."
    assert found() == [("failure", "imap", said)]


def test_a_mailbox_that_gets_full(found: Found, start_dovecot: StartDovecot, change_mailbox: ChangeMailbox) -> None:
    account = start_dovecot(None, more=QUOTA).add_mailbox()
    change_mailbox(account.settings())
    assert found() == [("ok", "imap", "The mailbox Inbox is 0 % full (0 of 100 kB).")]
    account.deliver(letter(body="x" * 70 + "\r\n", times=1220))
    [(level, area, sentence)] = found()
    assert (level, area, sentence) == ("warning", "imap", f"The mailbox Inbox is 86 % full (86 of 100 kB); {ROOM}")
    account.deliver(letter(body="x" * 70 + "\r\n", times=180))
    [(level, area, sentence)] = found()
    assert (level, area) == ("failure", "imap")
    assert sentence.endswith(f"of 100 kB), so its server refuses mail; {ROOM}")


def test_a_mailbox_that_says_it_is_over_its_quota(
    found: Found, mailbox: Account, change_mailbox: ChangeMailbox, proxy_to: Callable[..., Proxy]
) -> None:
    full = proxy_to(mailbox.port, judge=lambda line: "NO [OVERQUOTA] Quota exceeded" if b"SELECT" in line else PASS)
    change_mailbox(mailbox.settings(port=full.port))
    assert found() == [("failure", "imap", f"The mailbox Inbox is over its quota; {ROOM}")]
