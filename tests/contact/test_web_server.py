"""The real web server in front of the pages: what a neighbour on the same machine says does not move the desk."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from http.client import HTTPConnection

import pytest

from helpdesk.config import SETTINGS_FILE, Settings
from tests.conftest import SECRET
from tests.live import free_port

SERVE = "from helpdesk.web import serve; from helpdesk.config import load_settings; import sys; "
FORGED = {
    "SCRIPT_NAME": "/evil", "PATH_INFO": "/desk/sign-in", "X-Forwarded-Proto": "https", "X-Forwarded-Ssl": "on",
    "X-Forwarded-Host": "evil.example.com", "X-Forwarded-Prefix": "/evil", "X-Forwarded-Port": "8443",
}  # fmt: skip


@pytest.fixture
def port(settings: Settings) -> Iterator[int]:
    """A web server of its own processes, without a trusted proxy."""
    port = free_port()
    environment = os.environ | {
        SETTINGS_FILE: str(settings.data_dir / "none.env"), "HELPDESK_SECRET_KEYS": SECRET,
        "HELPDESK_BASE_URL": "http://127.0.0.1", "HELPDESK_DATA_DIR": str(settings.data_dir),
        "HELPDESK_SMTP_SECURITY": "none", "HELPDESK_DATABASE_URL": settings.database_uri, "FORWARDED_ALLOW_IPS": "*",
    }  # fmt: skip
    program = SERVE + f"serve(load_settings(), bind=['127.0.0.1:{port}'], access_log=False)"
    server = subprocess.Popen([sys.executable, "-c", program], env=environment)
    try:
        yield port
    finally:
        server.terminate()
        server.wait(60)


def location(port: int, headers: dict[str, str]) -> tuple[int, str | None]:
    """Where the first page leads, asked until the server is there."""
    for _ in range(300):
        connection = HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            connection.request("GET", "/", headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.getheader("Location")
        except ConnectionRefusedError:
            time.sleep(0.2)
        finally:
            connection.close()
    raise TimeoutError("the web server did not start")


def test_class_55_headers_that_servers_pass_to_programs_are_not_taken_from_a_request(port: int) -> None:
    assert location(port, {}) == (303, "/contact")
    assert location(port, FORGED) == (303, "/contact")
