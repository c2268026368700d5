"""`helpdesk mail selftest`: a worker, a mail server that sends, one that delivers, and a real mailbox."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from helpdesk.cli import main
from helpdesk.config import Settings
from helpdesk.database import db
from helpdesk.inbound.models import InboundEmail, InboundState, Source
from helpdesk.outbound.models import OutboundRecipient
from helpdesk.outbound.pausing import pause_sending
from helpdesk.tickets.models import Ticket
from tests.cast import Cast
from tests.conftest import SECRET
from tests.journeys.conftest import clean_environment
from tests.servers.dovecot import PASSWORD, Account
from tests.servers.ports import free_port
from tests.servers.smtp import CaughtMail, SmtpServer

pytestmark = pytest.mark.engines("sqlite")
Selftest = Callable[..., tuple[int, list[str]]]
TAKEN = "was taken by the mail server that sends, and did not come in within N seconds."
PLUS_LOST = (
    "So only addresses with a plus are lost: switch plus addressing on where the mailbox is, or set "
    "HELPDESK_PLUS_ADDRESSING=false."
)


@pytest.fixture
def environment(
    settings: Settings, cast: Cast, smtp: SmtpServer, mailbox: Account, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> dict[str, str]:
    """A desk whose mailbox is where the mail server delivers; nothing runs yet."""
    db.session.add(Source(name="readers", queue=cast.queue, settings=mailbox.settings()))
    db.session.commit()
    smtp.deliver = lambda mail: mailbox.deliver(mail.raw)
    own = {
        "HELPDESK_SECRET_KEYS": SECRET, "HELPDESK_DATA_DIR": str(settings.data_dir), "HELPDESK_SMTP_SECURITY": "none",
        "HELPDESK_DATABASE_URL": settings.database_url, "HELPDESK_SMTP_PORT": str(smtp.port),
        "HELPDESK_IMAP_PASSWORD": PASSWORD, "HELPDESK_MAIL_FROM": "desk@example.org",
    }  # fmt: skip
    monkeypatch.chdir(tmp_path)
    return own


@pytest.fixture
def selftest(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Selftest]:
    """Run the command beside a worker; returns its exit code and what it says, without tokens and seconds."""
    workers: list[subprocess.Popen[bytes]] = []

    def run(*arguments: str, worker: bool = True, **changed: str) -> tuple[int, list[str]]:
        for name, value in (environment | changed).items():
            monkeypatch.setenv(name, value)
        if worker:
            command = [str(Path(sys.executable).with_name("helpdesk")), "worker"]
            everything = clean_environment() | environment | changed
            workers.append(subprocess.Popen(command, env=everything, stderr=subprocess.DEVNULL))
        code = 0
        try:
            main(["mail", "selftest", *arguments])
        except SystemExit as end:
            code = int(end.code or 0)
        return code, [_plain(line) for line in capsys.readouterr().out.splitlines()]

    yield run
    for started in workers:
        started.terminate()
        started.wait(timeout=30)


def test_a_mail_goes_round_and_becomes_no_ticket(selftest: Selftest, smtp: SmtpServer) -> None:
    said = selftest("--wait", "60")
    assert said == (0, ["A mail to support+TOKEN@example.org came back in after N seconds."])
    db.session.rollback()
    [email] = db.session.scalars(select(InboundEmail))
    assert (email.state, email.source.name if email.source else None) == (InboundState.SELFTEST, "readers")
    assert db.session.query(Ticket).count() == 0
    assert [(mail.envelope_from, mail.recipients) for mail in smtp.mails] == [
        ("desk@example.org", (to(smtp.mails[0]),))
    ]


def test_without_plus_addressing_it_goes_to_the_plain_address(selftest: Selftest, smtp: SmtpServer) -> None:
    smtp.has_plus = False
    assert selftest("--wait", "60", HELPDESK_PLUS_ADDRESSING="false") == (
        0, ["A mail to support@example.org came back in after N seconds."],
    )  # fmt: skip


def test_an_address_with_a_plus_that_is_refused_is_named(selftest: Selftest, smtp: SmtpServer) -> None:
    smtp.has_plus = False
    assert selftest("--wait", "60") == (1, [
        "The mail to support+TOKEN@example.org was refused by the mail server that sends: 550 5.1.1 no such user",
        "A mail to support@example.org came back in after N seconds.",
        PLUS_LOST,
    ])  # fmt: skip
    db.session.rollback()
    assert [to.handled_by for to in db.session.scalars(select(OutboundRecipient))] == ["helpdesk mail selftest", None]


def test_an_address_with_a_plus_that_is_swallowed_is_named(
    selftest: Selftest, smtp: SmtpServer, mailbox: Account
) -> None:
    selftest("--wait", "60")  # the worker is at work now, so that two seconds are enough
    smtp.deliver = lambda mail: None if "+" in to(mail) else mailbox.deliver(mail.raw)
    code, (first, second, third) = selftest("--wait", "5", worker=False)
    assert (code, first) == (1, f"The mail to support+TOKEN@example.org {TAKEN}")
    assert (second, third) == ("A mail to support@example.org came back in after N seconds.", PLUS_LOST)


def test_mail_that_never_comes_in_is_told_with_what_the_mailbox_says(selftest: Selftest, smtp: SmtpServer) -> None:
    selftest("--wait", "60")
    smtp.deliver = None
    code, lines = selftest("--wait", "2", worker=False)
    assert (code, len(lines)) == (1, 3)
    assert lines[2].startswith("So no mail to support@example.org comes in at all")


def test_a_mailbox_that_does_not_let_us_in_is_told(selftest: Selftest) -> None:
    code, lines = selftest("--wait", "20", HELPDESK_IMAP_PASSWORD="wrong")
    assert code == 1
    assert any(line.startswith("The mailbox “readers” cannot be read: ") for line in lines)


def test_nothing_is_running(selftest: Selftest) -> None:
    said = "No worker took the mail out of the outbox; is “helpdesk up” running?"
    assert selftest("--wait", "0.5", worker=False) == (1, [said])
    assert db.session.query(OutboundRecipient).count() == 0


def test_the_mail_server_is_gone(selftest: Selftest) -> None:
    code, lines = selftest("--wait", "30", HELPDESK_SMTP_PORT=str(free_port()))
    assert (code, len(lines)) == (1, 1)
    assert re.fullmatch(
        "The mail server that sends did not take the mail: .*refused; “helpdesk doctor” says more.", lines[0]
    )
    db.session.rollback()
    assert db.session.query(OutboundRecipient).count() == 0


def test_sending_is_paused(selftest: Selftest) -> None:
    pause_sending("Carla Cole")
    assert selftest(worker=False) == (1, ["Sending is paused; resume it on the page “Mail” first."])


def test_there_is_no_such_queue(selftest: Selftest) -> None:
    assert selftest("--queue", "Nowhere", worker=False) == (1, [])


def to(mail: CaughtMail) -> str:
    return mail.recipients[0]


def _plain(line: str) -> str:
    return re.sub(r"[\d.]+ seconds", "N seconds", re.sub(r"\+[a-z2-7]{37}@", "+TOKEN@", line))
