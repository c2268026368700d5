"""The whole desk as processes: counts are summed over them, survive a child's end, and the log is whole lines."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from http.client import HTTPConnection
from pathlib import Path

import pytest

from helpdesk.config import SETTINGS_FILE, Settings
from tests.conftest import SECRET
from tests.processes import descendants
from tests.servers.ports import free_port, wait_for_port

TOKEN = "a-token-of-the-monitoring"
ASKED = 40


def ask(port: int, path: str, headers: dict[str, str] | None = None) -> tuple[int, str]:
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path, headers=headers or {})
    answer = connection.getresponse()
    found = answer.status, answer.read().decode()
    connection.close()
    return found


def lives_counted(port: int) -> float:
    text = ask(port, "/metrics", {"Authorization": f"Bearer {TOKEN}"})[1]
    found = re.findall(r'^helpdesk_http_requests_total\{endpoint="health.live".*\} (\S+)$', text, re.MULTILINE)
    return sum(map(float, found))


@pytest.mark.engines("sqlite")
def test_counts_are_summed_over_processes_and_survive_one(settings: Settings, tmp_path: Path) -> None:
    port, log = free_port(), tmp_path / "log"
    environment = os.environ | {
        SETTINGS_FILE: str(tmp_path / "none.env"), "HELPDESK_SECRET_KEYS": SECRET,
        "HELPDESK_BASE_URL": "http://127.0.0.1", "HELPDESK_DATA_DIR": str(settings.data_dir),
        "HELPDESK_SMTP_SECURITY": "none", "HELPDESK_METRICS_TOKEN": TOKEN, "HELPDESK_LOG": "json",
    }  # fmt: skip
    command = [str(Path(sys.executable).parent / "helpdesk"), "up", "--bind", f"127.0.0.1:{port}"]
    with log.open("w") as file:
        desk = subprocess.Popen(command, env=environment, stderr=file)
    try:
        wait_for_port(port)
        assert {ask(port, "/health/live")[0] for _ in range(ASKED)} == {200}
        assert lives_counted(port) == ASKED
        arbiter = next(pid for pid in descendants(desk.pid) if len(descendants(pid)) == 2)
        os.kill(descendants(arbiter)[0], signal.SIGKILL)
        time.sleep(2)
        assert lives_counted(port) == ASKED
        ask(port, "/health/live")
        assert lives_counted(port) == ASKED + 1
    finally:
        desk.terminate()
        desk.wait(60)
    entries = [json.loads(line) for line in log.read_text().splitlines()]
    assert [entry["event"] for entry in entries].count("request") > ASKED
    assert (TOKEN in log.read_text(), SECRET in log.read_text()) == (False, False)
