"""Mail in, through the desk's own operations: `python -m benchmarks.intake` prints mails/s and memory as JSON."""

import json
import os
import random
import subprocess
import sys
import time
from email.message import EmailMessage
from pathlib import Path

from sqlalchemy import select

from benchmarks.corpus import Prose
from benchmarks.databases import Place
from benchmarks.figures import Figure
from benchmarks.serving import NOBODY
from benchmarks.settings import environment_of
from helpdesk import create_app
from helpdesk.database import db
from helpdesk.inbound.operations import process_received, receive
from helpdesk.tickets.links import reply_address
from helpdesk.tickets.models import Ticket

MAILS = 600
BATCH = 50
WARM = 200
RATE, GROWTH = 50, 1.1
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 120


def mail_intake(place: Place) -> list[Figure]:
    """Received and processed mails a second in a process of its own, and how much its memory grew after the warm-up."""
    environment = environment_of(place.run, port=5000, smtp_port=NOBODY)
    words = [sys.executable, "-m", "benchmarks.intake"]
    said = subprocess.run(words, env=environment, check=True, stdout=subprocess.PIPE).stdout  # noqa: S603
    found = json.loads(said)
    grown = f"from {found['before']:.0f} to {found['after']:.0f} MB in {MAILS - WARM} mails"
    return [
        Figure("mail intake", found["rate"], "mails/s", RATE, True, f"{MAILS} mixed mails, one process"),
        Figure("mail intake, memory", found["after"] / found["before"], "×", GROWTH, detail=grown),
    ]


def main() -> None:
    """Take the mails in and print what was found, as JSON."""
    app = create_app()
    with app.app_context():
        mails = _mails()
        seconds, before = 0.0, 0.0
        for start in range(0, MAILS, BATCH):
            began = time.perf_counter()
            for mail in mails[start : start + BATCH]:
                receive(mail)
            process_received()
            db.session.remove()
            seconds += time.perf_counter() - began
            before = _resident() if start + BATCH == WARM else before
    sys.stdout.write(json.dumps({"rate": MAILS / seconds, "before": before, "after": _resident()}))


def _mails() -> list[bytes]:
    """New letters, answers plain and formatted, pictures, automatic answers: in the proportions of a newsroom."""
    chance = random.Random(11)  # noqa: S311 the same each time is what is wanted
    prose = Prose(chance)
    tickets = list(db.session.scalars(select(Ticket).where(Ticket.reader_id.is_not(None)).limit(MAILS)))
    mails = []
    for index in range(MAILS):
        ticket = tickets[index % len(tickets)]
        mail = _letter(prose, index)
        if index % 20 >= 9:
            _answer(mail, ticket, prose)
        if index % 20 == 18:
            mail.add_attachment(PICTURE, maintype="image", subtype="png", filename="plaque.png")
        if index % 20 == 19:
            mail["Auto-Submitted"] = "auto-replied"
        mails.append(mail.as_bytes())
    db.session.remove()
    return mails


def _letter(prose: Prose, index: int) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"] = f"Reader <mailer{index}@example.com>", "letters1@example.org"
    mail["Subject"], mail["Message-ID"] = prose.text()[:50], f"<{index}.{os.getpid()}@mail.example.com>"
    mail.set_content(prose.text())
    return mail


def _answer(mail: EmailMessage, ticket: Ticket, prose: Prose) -> None:
    """Make it an answer with our words quoted below; every third formatted as well."""
    mail.replace_header("To", reply_address(ticket))
    mail.replace_header("From", ticket.reader.address if ticket.reader else "ruth@example.com")
    own, quoted = prose.text(), prose.text()
    mail.set_content(f"{own}\n\nOn 3 March 2026 at 10:00, Ann Archer wrote:\n> {quoted}\n")
    if ticket.id % 3 == 0:
        html = f"<p>{own}</p><div class='gmail_quote'>On 3 March Ann wrote:<blockquote>{quoted}</blockquote></div>"
        mail.add_alternative(html, subtype="html")


def _resident() -> float:
    """The resident memory of this process, in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024 / 1024


if __name__ == "__main__":
    main()
