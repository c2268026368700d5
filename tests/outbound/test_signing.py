"""Our DKIM signature, verified as whoever receives the mail does."""

from pathlib import Path
from typing import Any

import dkim
import pytest
from flask import Flask

from helpdesk.config import load_settings
from helpdesk.errors import Misconfigured
from helpdesk.outbound import signing
from helpdesk.outbound.models import DeliveryState
from helpdesk.tickets.delivery import deliver_due
from tests.letters import put, states, use_server
from tests.outbound.test_letters import LONG
from tests.servers.dkim_keys import make_key, record_of
from tests.servers.smtp import SmtpServer

NAME = "desk._domainkey.example.org."
SECRET = "k" * 32


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key of 2048 bits."""
    return make_key(tmp_path_factory.mktemp("dkim"))


@pytest.fixture
def signing_app(app: Flask, smtp: SmtpServer, key: Path) -> Flask:
    """The application, which signs and sends to the test's server."""
    use_server(app, smtp)
    settings = app.extensions["smtp_settings"].model_copy(
        update={"dkim_domain": "example.org", "dkim_selector": "desk", "dkim_key_file": key}
    )
    app.extensions["smtp_settings"] = settings
    signing.init_app(app, settings)
    return app


def is_good(raw: bytes, key: Path) -> bool:
    """What a receiver finds with the record that the owner published."""
    return bool(dkim.verify(raw, dnsfunc=lambda name, timeout=5: published(name, key)))


def published(name: bytes, key: Path) -> bytes:
    assert name.decode() == NAME
    return record_of(key).encode()


@pytest.mark.usefixtures("signing_app")
@pytest.mark.parametrize(
    "mail",
    [
        {}, {"body": f"{LONG}\n\n.\nFrom here\n  \n\n\n"}, {"subject": ""}, {"subject": "Größe " * 80},
        {"to": "zoë@example.com"},
        {"headers": {"In-Reply-To": "<a@b>", "References": "<a@b> <c@d>", "Auto-Submitted": "auto-replied"}},
    ],
)  # fmt: skip
def test_what_leaves_carries_a_signature_that_holds(smtp: SmtpServer, key: Path, mail: dict[str, Any]) -> None:
    put(**mail)
    deliver_due("one")
    [caught] = smtp.mails
    assert caught.raw.startswith(b"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.org")
    assert is_good(caught.raw, key)
    assert max(map(len, caught.raw.split(b"\r\n"))) <= 998


@pytest.mark.usefixtures("signing_app")
def test_the_headers_that_matter_are_signed_and_none_can_be_added(smtp: SmtpServer, key: Path) -> None:
    put(headers={"In-Reply-To": "<a@b>", "References": "<a@b>", "Auto-Submitted": "auto-replied"})
    deliver_due("one")
    raw = smtp.mails[0].raw
    names = "".join(smtp.mails[0].parsed["DKIM-Signature"].partition("h=")[2].partition(";")[0].split())
    assert sorted(names.split(":")) == sorted(
        ["from", "from", "to", "to", "subject", "subject", "date", "message-id", "in-reply-to", "references",
         "reply-to", "mime-version", "content-type", "auto-submitted"]
    )  # fmt: skip
    assert not is_good(raw.replace(b"You are right.", b"You are wrong."), key)
    for added in (b"From: eve@example.com\r\n", b"Subject: other\r\n", b"To: eve@example.com\r\n"):
        assert not is_good(raw.replace(b"\r\n\r\n", b"\r\n" + added + b"\r\n", 1), key), added


@pytest.mark.usefixtures("signing_app")
def test_a_key_that_is_gone_while_we_run_stops_no_mail(smtp: SmtpServer, tmp_path: Path, key: Path) -> None:
    moved = key.rename(tmp_path / "moved.pem")
    try:
        put()
        deliver_due("one")
        assert states() == [(None, DeliveryState.SENT)]
        assert is_good(smtp.mails[0].raw, moved)
    finally:
        moved.rename(key)


def test_without_a_key_nothing_is_signed(app: Flask, smtp: SmtpServer) -> None:
    use_server(app, smtp)
    put()
    deliver_due("one")
    assert b"DKIM" not in smtp.mails[0].raw


@pytest.mark.parametrize("form", [{"traditional": True}, {"bits": 1024}])
def test_every_usual_form_of_a_key_is_read(tmp_path: Path, form: dict[str, Any]) -> None:
    file = make_key(tmp_path, **form)
    load_settings(secret_keys=SECRET, dkim_domain="example.org", dkim_selector="desk", dkim_key_file=file)


def test_a_key_that_cannot_be_used_is_told_before_anything_starts(tmp_path: Path) -> None:
    gone, wrong, short = tmp_path / "gone.pem", tmp_path / "wrong.pem", make_key(tmp_path, bits=768)
    wrong.write_text("no key")
    for file, sentence in (
        (gone, f"{gone} cannot be read: No such file or directory"),
        (wrong, f"{wrong} holds no RSA key in PEM without a password"),
        (short, f"the key in {short} has fewer than 1024 bits; make one of 2048"),
    ):
        given = {"dkim_domain": "example.org", "dkim_selector": "desk", "dkim_key_file": file}
        assert refusal(**given) == f"HELPDESK_SETTINGS: {sentence}"
    together = "HELPDESK_SETTINGS: give dkim_domain, dkim_selector and dkim_key_file together, or none of them"
    assert refusal(dkim_domain="example.org") == together


def refusal(**settings: object) -> str:
    with pytest.raises(Misconfigured) as error:
        load_settings(secret_keys=SECRET, **settings)
    return error.value.message
