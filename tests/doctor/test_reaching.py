"""The doctor about the desk's own address, its proxies and its clock."""

import sys
import zoneinfo
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import make_url
from werkzeug.serving import BaseWSGIServer

from helpdesk import clock, create_app, tokens
from helpdesk.doctor import probe
from tests.doctor.conftest import Desk, Front
from tests.servers.fixtures import Certificates
from tests.servers.ports import free_port
from tests.servers.smtp import SmtpServer

pytestmark = pytest.mark.engines("sqlite")
Found = Callable[..., list[tuple[str, str, str]]]
NTP = "let both follow a time server (NTP)."


def test_a_base_url_that_does_not_resolve(found: Found) -> None:
    sentence = "The name desk.invalid of HELPDESK_BASE_URL does not resolve; correct it or its DNS."
    assert found(base_url="https://desk.invalid", silent=("proxy",)) == [("failure", "address", sentence)]


def test_a_base_url_where_nobody_listens(found: Found) -> None:
    port = free_port()
    sentence = f"The desk is not reached at http://127.0.0.1:{port}: Nobody listens at 127.0.0.1:{port}; check host "
    assert found(base_url=f"http://127.0.0.1:{port}", silent=("proxy",)) == [
        ("warning", "address", sentence + "and port, and that the server runs.")
    ]


def test_a_base_url_where_something_is_no_web_server(found: Found, smtp: SmtpServer) -> None:
    url = f"http://127.0.0.1:{smtp.port}"
    (level, area, sentence), *rest = found(base_url=url, silent=("proxy",))
    assert (level, area, rest) == ("warning", "address", [])
    assert sentence.startswith(f"The desk is not reached at {url}: 220 ")
    assert sentence.endswith("; check HELPDESK_BASE_URL and the web server.")


def test_a_base_url_with_a_certificate_that_nobody_knows(
    found: Found, desk: Desk, serve: Callable[..., BaseWSGIServer], certificates: Certificates
) -> None:
    port = free_port()
    pair = (str(certificates.stranger.chain), str(certificates.stranger.key))
    serve(desk.front, port, ssl_context=pair)
    sentence = f"The desk is not reached at https://127.0.0.1:{port}: The certificate of 127.0.0.1:{port} comes from "
    assert found(base_url=f"https://127.0.0.1:{port}", silent=("proxy",)) == [
        ("warning", "address", sentence + "somebody unknown; name its authority, or get a public one.")
    ]


def test_a_base_url_that_answers_something_else(found: Found, desk: Desk) -> None:
    desk.front.live = "503 Service Unavailable"
    sentence = f"{desk.settings.base_url}/health/live answers 503 instead of 200; is it our desk, and is it well?"
    assert found(silent=("proxy",)) == [("warning", "address", sentence)]


def test_a_base_url_that_another_program_serves(found: Found, desk: Desk) -> None:
    desk.front.is_desk = False
    sentence = f"{desk.settings.base_url} is served by another program, or by a desk with other settings; correct "
    assert found() == [("failure", "proxy", sentence + "HELPDESK_BASE_URL or the proxy, and restart the desk.")]


def test_a_proxy_that_hides_the_host_name(found: Found, desk: Desk) -> None:
    desk.front.environ = {"HTTP_HOST": "backend.example.com"}
    sentence = "The proxy does not hand on the host name it was asked for; let it pass the Host header."
    assert found() == [("failure", "proxy", sentence)]


def test_a_proxy_that_changes_the_port(found: Found, desk: Desk) -> None:
    desk.front.environ = {"HTTP_HOST": "127.0.0.1:8000"}
    host = desk.settings.base_url.removeprefix("http://")
    sentence = f"The desk is asked for 127.0.0.1:8000 instead of {host}; let the proxy pass the Host header."
    assert found() == [("failure", "proxy", sentence)]


def test_fewer_proxies_trusted_than_there_are(found: Found, desk: Desk) -> None:
    desk.front.environ = {"HTTP_X_FORWARDED_FOR": "203.0.113.7, 10.0.0.1"}
    sentence = "2 proxies say who asks and 0 are trusted, so readers look like one person; set "
    assert found() == [("failure", "proxy", sentence + "HELPDESK_TRUSTED_PROXIES=2 if all of them are yours.")]


def test_more_proxies_trusted_than_there_are(found: Found) -> None:
    sentence = "1 proxies are trusted and 0 say who asks, so readers can choose their address; set "
    assert found(trusted_proxies=1) == [
        ("failure", "proxy", sentence + "HELPDESK_TRUSTED_PROXIES=0, or let each send X-Forwarded-For.")
    ]


def test_a_proxy_that_does_not_tell_of_https(
    desk: Desk, serve: Callable[..., BaseWSGIServer], certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.good.chain))
    url = f"https://127.0.0.1:{free_port()}"
    front = Front(create_app(desk.settings.model_copy(update={"base_url": url})).wsgi_app)
    pair = (str(certificates.good.chain), str(certificates.good.key))
    serve(front, int(url.rpartition(":")[2]), ssl_context=pair)
    healthy = desk.findings(base_url=url)
    front.environ = {"wsgi.url_scheme": "http"}
    broken = desk.findings(base_url=url)
    sentence = "The desk takes its visitors to come over http although its address is https; let the proxy send "
    assert {finding.level.value for finding in healthy} == {"ok"}
    assert [(finding.level, finding.sentence) for finding in broken if finding not in healthy] == [
        ("failure", sentence + "X-Forwarded-Proto, and set HELPDESK_TRUSTED_PROXIES=1 or as many as there are.")
    ]


def test_a_web_server_with_another_time(found: Found, desk: Desk) -> None:
    desk.front.seconds_off = -300
    assert found() == [("warning", "clock", f"Our clock is more than a minute off that of the web server; {NTP}")]


@pytest.mark.engines("postgresql")
def test_a_database_with_another_time(found: Found, desk: Desk) -> None:
    desk.tell(
        "CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql "
        "AS $$ SELECT now() - interval '1 hour' $$"
    )
    name = make_url(desk.settings.database_url).database
    desk.tell(f'ALTER DATABASE "{name}" SET search_path = public, pg_catalog')
    assert found() == [("warning", "clock", f"Our clock is more than a minute off that of the database; {NTP}")]


@pytest.fixture
def without_zones(found: Found, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine without tzdata."""
    paths = zoneinfo.TZPATH
    monkeypatch.setitem(sys.modules, "tzdata", None)
    zoneinfo.reset_tzpath(to=[])
    zoneinfo.ZoneInfo.clear_cache()
    yield
    zoneinfo.reset_tzpath(to=paths)


def test_a_machine_without_time_zones(found: Found, without_zones: None) -> None:
    assert found() == [("failure", "clock", "There is no time zone database; install the tzdata package.")]


def test_the_question_about_proxies_is_answered_to_the_doctor_alone(app: Flask, client: FlaskClient) -> None:
    base, ring = app.extensions["settings"].base_url, tokens.keyring()
    with clock.at(clock.now() - timedelta(seconds=61)):
        late = probe.issue(ring)
    wrong = ("", "abc", late, ring.issue(tokens.Kind.SETUP, b"12345678"))
    assert [client.get(f"/health/proxy?token={token}", base_url=base).status_code for token in wrong] == [404] * 4
    answer = client.get(f"/health/proxy?token={probe.issue(ring)}", base_url=base)
    said: Any = answer.json
    host = base.removeprefix("http://")
    assert said == {"remote": "127.0.0.1", "scheme": "http", "host": host, "forwarded": 0}
