"""Mail in through real doors, beside the least that a mail costs: `python -m benchmarks.doors 200 20` prints JSON."""

import json
import os
import shutil
import subprocess
import sys
import time

from sqlalchemy import select

from benchmarks.bare_mail import bare_rate
from benchmarks.databases import Place
from benchmarks.figures import Figure
from benchmarks.intake import MAILS, Letters, said_by, threads
from benchmarks.serving import NOBODY
from benchmarks.settings import environment_of
from helpdesk import create_app
from helpdesk.database import db, transactional
from helpdesk.inbound.models import Source
from helpdesk.inbound.operations import process_received
from helpdesk.inbound.sources.imap import fetch
from helpdesk.sites.models import Queue
from tests.servers import dovecot
from tests.servers.dovecot import Account, Dovecot

FETCHED, PIPED = 200, 20
FLOOR = "FLOOR_DATABASE_URI"
COMMAND = [sys.executable, "-c", "from helpdesk.cli import main; main(['receive'])"]


def mail_doors(place: Place, *, fetched: int = FETCHED, piped: int = PIPED) -> list[Figure]:
    """How many times as long a mail takes by IMAP and by the pipe as it takes at least, in the same minute."""
    if shutil.which(dovecot.PROGRAM) is None:
        return []
    environment = environment_of(place.run, port=5000, smtp_port=NOBODY)
    environment |= {FLOOR: place.floor.database_uri, "HELPDESK_IMAP_PASSWORD": dovecot.PASSWORD}
    found = said_by("benchmarks.doors", str(fetched), str(piped), environment=environment)
    return [_figure(name, found[name], found["bare"]) for name in ("imap", "pipe")]


def main(fetched: int, piped: int) -> None:
    """Take so many mails in by each door and print what was found, as JSON."""
    app = create_app()
    with app.app_context():
        letters = Letters(threads(MAILS))
        bare = bare_rate(os.environ[FLOOR], letters.make(fetched))
        found = {"bare": bare, "imap": _by_imap(letters.make(fetched)), "pipe": _by_pipe(letters.make(piped))}
    sys.stdout.write(json.dumps(found))


def _by_imap(mails: list[bytes]) -> float:
    server = Dovecot(None)
    try:
        mailbox = server.add_mailbox()
        for mail in mails:
            mailbox.deliver(mail)
        source_id = _add_source(mailbox)
        began = time.perf_counter()
        if fetch(source_id, worker="benchmark") != len(mails):
            raise SystemExit("Not every mail was fetched.")
        return _rate(mails, began)
    finally:
        server.stop()


def _by_pipe(mails: list[bytes]) -> float:
    """As a mail server does it: a process for each mail."""
    began = time.perf_counter()
    for mail in mails:
        subprocess.run(COMMAND, input=mail, check=True)  # noqa: S603
    return _rate(mails, began)


def _rate(mails: list[bytes], began: float) -> float:
    process_received()
    db.session.remove()
    return len(mails) / (time.perf_counter() - began)


@transactional
def _add_source(mailbox: Account) -> int:
    queue = db.session.scalars(select(Queue).order_by(Queue.id).limit(1)).one()
    source = Source(name="benchmark", queue_id=queue.id, settings=mailbox.settings())
    db.session.add(source)
    db.session.flush()
    return source.id


def _figure(name: str, rate: float, bare: float) -> Figure:
    detail = f"{rate:.1f} of {bare:.0f} mails/s read and inserted bare"
    return Figure(f"mail by {name.replace('imap', 'IMAP')}", bare / rate, "×", detail=detail)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
