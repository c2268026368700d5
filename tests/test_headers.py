"""What every response says about itself, and which hosts are answered at all."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from helpdesk import create_app
from helpdesk.config import Settings
from tests.conftest import make_settings


def test_every_page_forbids_foreign_code_and_frames(client: FlaskClient) -> None:
    for path in ("/contact", "/desk/sign-in", "/nowhere", "/static/reader.css"):
        with client.get(path) as answer:
            headers = answer.headers
        policy = headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'; base-uri 'none'" in policy
        assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "evil.example:80"])
def test_class_55_another_host_is_refused(client: FlaskClient, host: str) -> None:
    assert client.get("/contact", headers={"Host": host}).status_code == 400
    answer = client.post("/desk/password/forgotten", headers={"Host": host}, data={"email": "ann@example.org"})
    assert answer.status_code == 400


def test_class_55_a_forwarded_host_is_not_believed(client: FlaskClient) -> None:
    page = client.get("/contact", headers={"X-Forwarded-Host": "evil.example", "X-Forwarded-For": "203.0.113.1"})
    assert (page.status_code, "evil.example" in page.text) == (200, False)


def test_the_desk_is_never_stored_by_a_browser(client: FlaskClient) -> None:
    assert client.get("/desk/sign-in").headers["Cache-Control"] == "no-store"


def test_behind_tls_the_cookie_is_locked_to_the_host(app: Flask, settings: Settings) -> None:
    secure = create_app(make_settings(settings.data_dir, base_url="https://desk.example.org"))
    with secure.app_context():
        answer = secure.test_client().get("/desk/sign-in", base_url="https://desk.example.org")
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-helpdesk=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"


def test_reader_pages_set_no_cookie_and_never_touch_the_session(client: FlaskClient) -> None:
    answer = client.get("/contact")
    assert (answer.status_code, "Set-Cookie" in answer.headers, "Cookie" in answer.headers.get("Vary", "")) == (
        200,
        False,
        False,
    )
