"""What the log says, and what it never says: secrets, tokens, addresses, forged lines."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from helpdesk import create_app
from helpdesk.config import Settings
from helpdesk.inbound.operations import process, receive
from helpdesk.logs import formatter, secrets_of
from helpdesk.tickets.delivery import deliver_due
from tests.cast import Cast
from tests.conftest import SECRET, make_settings, token_in
from tests.letters import put, use_server
from tests.servers.smtp import SmtpServer

PLANTED = ("planted-password", "planted-query", "planted@example.com", "planted-cookie", "plantedtoken" * 3, SECRET)


@pytest.fixture
def lines(app: Flask) -> Iterator[io.StringIO]:
    """All that is logged, as JSON."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    settings = app.extensions["settings"]
    handler.setFormatter(formatter("json", secrets=secrets_of(settings)))
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield stream
    root.removeHandler(handler)
    root.setLevel(before)


def told(lines: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in lines.getvalue().splitlines()]


def test_nothing_planted_reaches_the_log(client: FlaskClient, lines: io.StringIO) -> None:
    token = token_in(client.get("/desk/sign-in?next=planted-query").text)
    form = {"email": "planted@example.com", "password": "planted-password", "csrf_token": token}
    headers = {"Cookie": "other=planted-cookie", "Authorization": "Bearer planted-password"}
    client.post("/desk/sign-in", data=form, headers=headers)
    client.get("/ticket/" + "plantedtoken" * 3 + "?email=planted@example.com")
    client.get("/desk/password/reset/" + "plantedtoken" * 3)
    assert [entry["event"] for entry in told(lines)].count("request") >= 4
    assert [secret for secret in PLANTED if secret in lines.getvalue()] == []


def test_every_line_of_a_failed_request_has_the_id_that_its_page_shows(
    app: Flask, client: FlaskClient, lines: io.StringIO
) -> None:
    def fail() -> str:
        raise RuntimeError(f"planted@example.com {SECRET}\nGET /forged")

    app.view_functions["health.live"] = fail
    fail.access = "public"  # type: ignore[attr-defined]
    answer = client.get("/health/live")
    name = answer.headers["X-Request-Id"]
    assert (answer.status_code, name in answer.text) == (500, True)
    assert [(entry["event"], entry["request_id"]) for entry in told(lines)] == [
        ("unexpected failure", name),
        ("request", name),
    ]
    assert [secret for secret in PLANTED if secret in lines.getvalue()] == []


def test_an_id_is_not_taken_from_strangers(client: FlaskClient) -> None:
    assert client.get("/health/live", headers={"X-Request-Id": "given-by-me"}).headers["X-Request-Id"] != "given-by-me"


@pytest.mark.parametrize("form", ["json", "text"])
def test_a_value_cannot_forge_a_line(form: str) -> None:
    settings = make_settings("/nowhere", smtp_password="sesame!pass", database_url="postgresql://u:dbpass99@h/d")
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter(form, secrets=secrets_of(settings)))
    log = logging.Logger("forger")
    log.addHandler(handler)
    log.error(
        "first\n2026 error\u2028x: %s", "535 sesame!pass dbpass99 ann@example.org", extra={"reason": "a\r\nb\x1b"}
    )
    assert len(stream.getvalue().splitlines()) == 1
    assert [word for word in ("sesame!pass", "dbpass99", "ann@", "\x1b") if word in stream.getvalue()] == []


def test_an_id_is_taken_from_a_trusted_proxy_when_it_is_well_formed(settings: Settings) -> None:
    client = create_app(settings.model_copy(update={"trusted_proxies": 1})).test_client()
    answers = [client.get("/health/live", headers={"X-Request-Id": name}) for name in ("from-the-proxy", "no_id!")]
    assert [answer.headers["X-Request-Id"] == "from-the-proxy" for answer in answers] == [True, False]


def test_a_mail_server_that_echoes_a_secret_is_masked(app: Flask, smtp: SmtpServer, lines: io.StringIO) -> None:
    use_server(app, smtp)
    smtp.rcpt["ruth@example.com"] = f"550 5.7.1 no {SECRET} for planted@example.com"
    put()
    deliver_due("one")
    tried = [entry for entry in told(lines) if entry["event"] == "a mail was tried"]
    assert [(entry["outcome"], entry["logger"]) for entry in tried] == [("permanent", "helpdesk.tickets.delivery")]
    assert [secret for secret in (*PLANTED, "ruth@") if secret in lines.getvalue()] == []


def test_a_hostile_mail_leaves_nothing_of_itself(cast: Cast, lines: io.StringIO) -> None:
    process(receive(b"From: planted@example.com\nSubject: =?utf-8?q?planted-query=0A{}?=\n\nplanted-password\n").id)
    assert [entry["event"] for entry in told(lines)] == ["a mail was read"]
    assert [secret for secret in PLANTED if secret in lines.getvalue()] == []
