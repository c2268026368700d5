"""The doctor about what leaves: the key that it is signed with, and what waits in the outbox."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dns.resolver
import pytest

from helpdesk.database import db
from helpdesk.doctor import signing
from helpdesk.outbound.models import DestinationWait
from helpdesk.outbound.waiting import AUTOMATIC, LIMIT, RELAY
from tests.servers.dkim_keys import make_key, record_of
from tests.servers.dns import NameServer

pytestmark = pytest.mark.engines("sqlite")
Found = Callable[..., list[tuple[str, str, str]]]
NAME = "desk._domainkey.example.org"


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Iterator[NameServer]:
    """The DNS, as far as this machine can ask."""
    server = NameServer()
    monkeypatch.setattr(dns.resolver, "default_resolver", server.resolver)
    yield server
    server.stop()


@pytest.fixture
def key(tmp_path: Path) -> Path:
    return make_key(tmp_path)


def signs(key: Path) -> dict[str, Any]:
    return {"dkim_domain": "example.org", "dkim_selector": "desk", "dkim_key_file": key}


def test_a_key_of_ours_alone_that_is_published_is_fine(found: Found, names: NameServer, key: Path) -> None:
    names.texts[NAME] = ["some other record", record_of(key)]
    assert ill(found(**signs(key))) == []
    assert names.asked == [NAME]


def test_a_key_that_everybody_can_read(found: Found, names: NameServer, key: Path) -> None:
    names.texts[NAME] = [record_of(key)]
    key.chmod(0o644)
    sentence = f"Everybody on this machine can read {key} and sign in your name; run: chmod 640 {key}"
    assert ill(found(**signs(key))) == [("failure", "dkim", sentence)]


@pytest.mark.parametrize("records", [None, []])
def test_a_key_that_nobody_finds(found: Found, names: NameServer, key: Path, records: list[str] | None) -> None:
    if records is not None:
        names.texts[NAME] = records
    sentence = f"There is no TXT record {NAME}, so nobody can check our signatures; publish the key there."
    assert ill(found(**signs(key))) == [("failure", "dkim", sentence)]


@pytest.mark.parametrize("record", ["other", "v=DKIM1; p=", "v=DKIM1; k=rsa; p=bm8ga2V5", "hello"])
def test_another_key_is_published(found: Found, names: NameServer, key: Path, tmp_path: Path, record: str) -> None:
    names.texts[NAME] = [record_of(make_key(tmp_path, "other.pem")) if record == "other" else record]
    sentence = f"The TXT record {NAME} holds another key than {key}; publish the one that belongs to it."
    assert ill(found(**signs(key))) == [("failure", "dkim", sentence)]


def test_the_dns_does_not_answer(found: Found, names: NameServer, key: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signing, "PATIENCE_SECONDS", 0.5)
    names.stop()
    [(level, area, sentence)] = ill(found(**signs(key)))
    assert (level, area) == ("warning", "dkim")
    assert sentence.startswith(f"The DNS did not say what {NAME} holds: ")


def test_what_waits_in_the_outbox_is_told(found: Found) -> None:
    soon = datetime.now(UTC) + timedelta(minutes=10)
    wait("slow.example", soon, "451 4.7.1 greylisted")
    wait(RELAY, soon, "Connection refused")
    until = f"{soon:%H:%M} UTC"
    assert ill(found()) == [
        (
            "warning",
            "outbox",
            f"All mail waits until {until} since the mail server that sends said: Connection refused.",
        ),
        (
            "warning",
            "outbox",
            f"Mail to slow.example waits until {until} since somebody there said: 451 4.7.1 greylisted.",
        ),
    ]


def test_the_hourly_limit_is_no_fault(desk: Any) -> None:
    soon = datetime.now(UTC) + timedelta(minutes=10)
    wait(f"{LIMIT} of 100", soon, "the hourly limit of 100 mails is used up")
    told = [finding for finding in desk.findings() if finding.area == "outbox"]
    sentence = (
        f"until {soon:%H:%M} UTC for the limit of HELPDESK_SMTP_HOURLY_CAP: the hourly limit of 100 mails is used up."
    )
    assert [(finding.level.value, finding.sentence) for finding in told] == [("ok", f"Mail waits {sentence}")]


def test_receipts_that_wait_for_their_half_are_no_fault(desk: Any) -> None:
    soon = datetime.now(UTC) + timedelta(minutes=10)
    wait(f"{AUTOMATIC} of 100", soon, "half of the hourly limit of 100 mails is kept for replies")
    [told] = [finding for finding in desk.findings() if finding.area == "outbox"]
    assert (told.level.value, told.sentence) == (
        "ok",
        f"Receipts wait until {soon:%H:%M} UTC for their half of HELPDESK_SMTP_HOURLY_CAP: half of the hourly limit of 100"
        " mails is kept for replies.",
    )


def ill(found: list[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    """What is not fine."""
    return [finding for finding in found if finding[0] != "ok"]


def wait(name: str, until: datetime, reason: str) -> None:
    """Let mail to a destination wait."""
    db.session.add(DestinationWait(name=name, refusals=1, until=until, reason=reason))
    db.session.commit()
