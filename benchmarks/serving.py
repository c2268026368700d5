"""Starting the desk and the floor as an owner would, on free ports of this machine, and looking at their memory."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller

from benchmarks.databases import Place
from benchmarks.driving import Browser
from benchmarks.settings import environment_of
from helpdesk import create_app
from helpdesk.addresses import normalise
from helpdesk.articles.models import Article
from helpdesk.database import db, transactional
from helpdesk.readers.operations import recognise
from helpdesk.schema import bring_up_to_date
from helpdesk.sites.models import Site
from helpdesk.sites.operations import add_default_topics, add_queue, add_site
from tests.processes import descendants
from tests.servers.ports import free_port

READY_WITHIN_SECONDS = 60
NOBODY = 9
WEB, UP = "web", "up"


@dataclass(frozen=True)
class Server:
    """A running process with its children, and the port it answers on."""

    process: subprocess.Popen[bytes]
    port: int

    def memory(self) -> float:
        """The proportional set size of all its processes, in MB of 1024² bytes."""
        return sum(map(_pss, [self.process.pid, *descendants(self.process.pid)])) / 1024


@contextmanager
def desk(place: Place, *, command: str = WEB, smtp_port: int = NOBODY) -> Iterator[Server]:
    """`helpdesk web`, or `helpdesk up` with its worker, on the run's database; yields once it answers."""
    port = free_port()
    environment = environment_of(place.run, port=port, smtp_port=smtp_port)
    words = ["-c", "from helpdesk.cli import main; main()", command, "--bind", f"127.0.0.1:{port}"]
    with _running(words, environment, port, place.folder / f"{command}.log") as server:
        yield server


@contextmanager
def floor(place: Place, *, inserts: bool = True) -> Iterator[Server]:
    """The static page, and the bare insert unless `inserts` is False; yields once it answers."""
    port, environment = free_port(), dict(os.environ)
    if inserts:
        environment |= {"FLOOR_DATA_DIR": str(place.floor.data_dir), "FLOOR_DATABASE_URL": place.floor.database_url}
    with _running(["-m", "benchmarks.floor", str(port)], environment, port, place.folder / "floor.log") as server:
        yield server


def prepare_floor(place: Place) -> None:
    """Migrate the floor's database and give it one of everything that a ticket refers to."""
    app = create_app(place.floor)
    bring_up_to_date(app)
    with app.app_context():
        _one_of_everything("The floor")
        db.session.remove()
        db.engine.dispose()


@contextmanager
def caught_mail() -> Iterator[int]:
    """A mail server that takes everything and keeps nothing; yields its port."""
    port = free_port()
    controller = Controller(_Sink(), hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield port
    finally:
        controller.stop()


class _Sink:
    async def handle_DATA(self, *_: Any) -> str:  # noqa: N802 the name is aiosmtpd's
        await asyncio.sleep(0)
        return "250 taken"


@transactional
def _one_of_everything(name: str) -> Site:
    site = add_site(name, home_url="https://blog.example.org/", url_prefixes=["https://blog.example.org/"])
    queue = add_queue(site, name=name, intake_address=normalise("letters@example.org"), sender_name=name)
    add_default_topics(site, queue=queue)
    reader = recognise("ruth@example.com", name="Ruth Reed")
    db.session.add(Article(site_id=site.id, canonical_url="https://blog.example.org/a/", created_at=reader.created_at))
    return site


@contextmanager
def _running(words: list[str], environment: dict[str, str], port: int, log: Path) -> Iterator[Server]:
    with log.open("wb") as file:
        process = subprocess.Popen([sys.executable, *words], env=environment, stdout=file, stderr=file)  # noqa: S603
    try:
        _wait(process, port, log)
        yield Server(process, port)
    finally:
        process.terminate()
        process.wait(READY_WITHIN_SECONDS)


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + READY_WITHIN_SECONDS
    while time.monotonic() < until and process.poll() is None:
        with Browser(port) as visitor:
            try:
                visitor.get("/")
            except OSError:
                time.sleep(0.01)
            else:
                return
    raise SystemExit(f"The server did not start:\n{log.read_text()[-3000:]}")


def _pss(pid: int) -> int:
    """Memory of one process in kB, shared pages divided among those who share them."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
