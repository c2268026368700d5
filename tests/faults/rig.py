"""A desk whose processes can be killed at a point that was chosen before, and whoever uses it from outside."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from http.client import HTTPException
from http.cookiejar import CookieJar
from pathlib import Path

from sqlalchemy import text

from helpdesk.config import Settings
from helpdesk.database import db
from tests.conftest import SECRET
from tests.faults import points
from tests.faults.points import GROUP, SELF
from tests.journeys.conftest import answers, clean_environment, wait_until
from tests.live import free_port
from tests.servers.dovecot import PASSWORD as MAILBOX_PASSWORD

INTAKE_KEY = "k" * 40
ROOT = Path(__file__).resolve().parents[2]
LEASES = ("outbound_recipient", "inbound_email", "source")


@dataclass
class Rig:
    """The processes of one desk, with the points at which the next of them is to end."""

    settings: Settings
    folder: Path
    smtp_port: int
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    port: int = field(default_factory=free_port)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def arm(self, point: str, *, nth: int = 1, whom: str = SELF) -> None:
        """Let the `nth` pass through this point be the end of the process that makes it, or of its whole group."""
        points.arm(self.folder, point, nth=nth, whom=whom)

    def disarm(self, point: str) -> None:
        (self.folder / point).unlink()

    def was_reached(self, point: str) -> bool:
        """True when a process ended there."""
        return points.was_reached(self.folder, point)

    def start_web(self) -> subprocess.Popen[bytes]:
        """Gunicorn with its processes, ready to answer."""
        process = self.start("web", "--bind", f"127.0.0.1:{self.port}")
        wait_until(lambda: answers(f"{self.url}/contact"))
        return process

    def start_worker(self) -> subprocess.Popen[bytes]:
        return self.start("worker")

    def start(
        self, *command: str, stdin: bytes = b"", stderr: int | None = None, **environment: str
    ) -> subprocess.Popen[bytes]:
        """A helpdesk command in a process group of its own, with the points laid in it; it reads `stdin`."""
        self.folder.mkdir(exist_ok=True)
        with (self.folder / "log").open("ab") as log, tempfile.TemporaryFile() as given:
            given.write(stdin)
            given.seek(0)
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.launch", *command], env=self._environment() | environment,
                cwd=ROOT, stdin=given, stdout=log, stderr=stderr or log, start_new_session=True,
            )  # fmt: skip
        self.processes.append(process)
        return process

    def log(self) -> str:
        """What all processes said."""
        return (self.folder / "log").read_text(errors="replace")

    def wait_for_death(self, process: subprocess.Popen[bytes], point: str) -> None:
        """It ended by the kill that was laid for it, at that point and nowhere else."""
        code = process.wait(timeout=90)
        assert self.was_reached(point), self.log()
        assert code == -signal.SIGKILL

    def let_leases_run_out(self) -> None:
        """As though the minutes of every lease were over; only to be called while no worker lives."""
        let_leases_run_out()

    def stop(self) -> None:
        """End what still runs, in good order."""
        for process in self.processes:
            if process.poll() is None:
                process.terminate()
        for process in self.processes:
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def _environment(self) -> dict[str, str]:
        return clean_environment() | {
            "FAULTS": str(self.folder), "HELPDESK_SECRET_KEYS": SECRET, "HELPDESK_BASE_URL": self.url,
            "HELPDESK_DATA_DIR": str(self.settings.data_dir), "HELPDESK_DATABASE_URL": self.settings.database_url,
            "HELPDESK_SMTP_SECURITY": "none", "HELPDESK_SMTP_PORT": str(self.smtp_port),
            "HELPDESK_IMAP_PASSWORD": MAILBOX_PASSWORD, "HELPDESK_IMAP_POLL_SECONDS": "5",
            "HELPDESK_INTAKE_KEYS": INTAKE_KEY,
        }  # fmt: skip


def let_leases_run_out() -> None:
    """As though the minutes of every lease were over."""
    with db.engine.begin() as connection:
        for table in LEASES:
            past = text(f"UPDATE {table} SET lease_until = '2026-01-01 00:00:00' WHERE lease_until IS NOT NULL")
            connection.execute(past)


class Visitor:
    """A browser without script, which can be told that the connection broke."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()), _Told())

    def get(self, path: str) -> str:
        """The text of a page."""
        return self._open(path, None)[1]

    def post(self, path: str, fields: dict[str, str]) -> tuple[int, str]:
        """Status and text of the answer, the page it leads to included; (0, "") when the connection broke."""
        try:
            return self._open(path, urllib.parse.urlencode(fields).encode())
        except (urllib.error.URLError, HTTPException, OSError):
            return 0, ""

    def sign_in(self, email: str, password: str) -> None:
        fields = {"email": email, "password": password, "csrf_token": hidden(self.get("/desk/sign-in"))["csrf_token"]}
        status, page = self.post("/desk/sign-in", fields)
        assert status == 200, page

    def _open(self, path: str, body: bytes | None) -> tuple[int, str]:
        with self._opener.open(self._rig.url + path, body, timeout=90) as answer:
            return answer.status, answer.read().decode()


class _Told(urllib.request.HTTPErrorProcessor):
    """A refusal is an answer like another; a redirect is followed."""

    def http_response(self, request: urllib.request.Request, response: object) -> object:
        if 300 <= response.status < 400:  # type: ignore[attr-defined]
            return super().http_response(request, response)  # type: ignore[type-var]
        return response


def hidden(page: str, *, of: str = "") -> dict[str, str]:
    """The hidden fields of a page's forms; of those whose address holds `of`."""
    forms = re.findall(r"<form\b(.*?)</form>", page, re.S)
    found: dict[str, str] = {}
    for form in forms:
        head = form.split(">", 1)[0]
        if of in head:
            for field_ in re.findall(r"<input\b[^>]*type=\"hidden\"[^>]*>", form):
                name, value = (re.search(rf'{part}="([^"]*)"', field_) for part in ("name", "value"))
                if name and value:
                    found[name[1]] = value[1]
    return found


__all__ = ["GROUP", "SELF", "Rig", "Visitor", "hidden", "let_leases_run_out"]
