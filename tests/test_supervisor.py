"""Several processes kept alive as one; the supervisors here are real processes with real children."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.processes import is_alive

PROGRAM = """
import os, sys, time
from helpdesk import supervisor
supervisor.FIRST_DELAY_SECONDS = 0.1
def part(name):
    def work():
        with open(sys.argv[1] + "/" + name, "a") as file:
            file.write(f"{os.getpid()}\\n")
        time.sleep(600)
    return work
supervisor.Supervisor({"web": part("web"), "worker": part("worker")}).run()
"""


def start(folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", PROGRAM, str(folder)], stderr=subprocess.DEVNULL)


def pids(folder: Path, name: str) -> list[int]:
    file = folder / name
    return [int(line) for line in file.read_text().split()] if file.is_file() else []


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def started(folder: Path) -> list[int]:
    wait_for(lambda: pids(folder, "web") and pids(folder, "worker"))
    return pids(folder, "web") + pids(folder, "worker")


def test_a_part_that_dies_is_started_again_and_the_other_stays(tmp_path: Path) -> None:
    supervisor = start(tmp_path)
    web, worker = started(tmp_path)
    os.kill(web, signal.SIGKILL)
    wait_for(lambda: len(pids(tmp_path, "web")) == 2)
    assert is_alive(worker)
    supervisor.terminate()
    assert supervisor.wait() == 0
    assert [pid for pid in (*pids(tmp_path, "web"), worker) if is_alive(pid)] == []


def test_terminate_stops_every_part(tmp_path: Path) -> None:
    supervisor = start(tmp_path)
    children = started(tmp_path)
    supervisor.terminate()
    assert supervisor.wait() == 0
    assert [pid for pid in children if is_alive(pid)] == []


def test_no_part_outlives_a_supervisor_that_was_killed(tmp_path: Path) -> None:
    supervisor = start(tmp_path)
    children = started(tmp_path)
    supervisor.kill()
    supervisor.wait()
    wait_for(lambda: not any(is_alive(pid) for pid in children))
