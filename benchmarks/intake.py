"""Mail in, through the desk's own operations: `python -m benchmarks.intake 600` prints mails/s and memory as JSON."""

import json
import os
import random
import subprocess
import sys
import time
from dataclasses import dataclass
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
LONGEST_WARM = 1000
RATE, GROWTH = 50, 1.1
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 120


@dataclass(frozen=True)
class Thread:
    """A ticket that is answered: the address for answers, and the reader's own."""

    reply_address: str
    reader_address: str


def mail_intake(place: Place, mails: int = MAILS) -> list[Figure]:
    """Received and processed mails a second in a process of its own, and how much its memory grew after the warm-up."""
    found = said_by("benchmarks.intake", str(mails), environment=environment_of(place.run, port=5000, smtp_port=NOBODY))
    grown = f"from {found['before']:.0f} to {found['after']:.0f} MB in {mails - warm(mails):,} mails"
    return [
        Figure("mail intake", found["rate"], "mails/s", RATE, True, f"{mails:,} mixed mails, one process"),
        Figure("mail intake, memory", found["after"] / found["before"], "×", GROWTH, detail=grown),
    ]


def said_by(module: str, *words: str, environment: dict[str, str]) -> dict[str, float]:
    """What a module says as JSON when it runs in a process of its own."""
    line = [sys.executable, "-m", module, *words]
    said: dict[str, float] = json.loads(
        subprocess.run(line, env=environment, check=True, stdout=subprocess.PIPE).stdout  # noqa: S603
    )
    return said


def warm(mails: int) -> int:
    """After how many of them memory is looked at first."""
    return min(LONGEST_WARM, mails // 3 // BATCH * BATCH)


def main(mails: int) -> None:
    """Take mails in, a multiple of 50 of them, and print what was found, as JSON."""
    app = create_app()
    with app.app_context():
        letters = Letters(threads(MAILS))
        seconds, before = 0.0, 0.0
        for start in range(0, mails, BATCH):
            seconds += _take(letters.make(BATCH))
            before = _resident() if start + BATCH == warm(mails) else before
    sys.stdout.write(json.dumps({"rate": mails / seconds, "before": before, "after": _resident()}))


def _take(mails: list[bytes]) -> float:
    began = time.perf_counter()
    for mail in mails:
        receive(mail)
    process_received()
    db.session.remove()
    return time.perf_counter() - began


def threads(count: int) -> list[Thread]:
    """Tickets of the desk that can be answered."""
    with_reader = select(Ticket).where(Ticket.reader_id.is_not(None)).order_by(Ticket.id).limit(count)
    found = [
        Thread(reply_address(ticket), ticket.reader.address if ticket.reader else "ruth@example.com")
        for ticket in db.session.scalars(with_reader)
    ]
    db.session.remove()
    return found


class Letters:
    """New letters, answers plain and formatted, pictures, automatic answers: in the proportions of a newsroom."""

    def __init__(self, answered: list[Thread]) -> None:
        self._answered = answered
        self._prose = Prose(random.Random(11))  # noqa: S311 the same each time is what is wanted
        self._made = 0

    def make(self, count: int) -> list[bytes]:
        """The next mails, each another one."""
        return [self._next() for _ in range(count)]

    def _next(self) -> bytes:
        index, thread = self._made, self._answered[self._made % len(self._answered)]
        self._made += 1
        mail = _letter(self._prose, index)
        if index % 20 >= 9:
            _answer(mail, thread, self._prose, is_formatted=index % 3 == 0)
        if index % 20 == 18:
            mail.add_attachment(PICTURE, maintype="image", subtype="png", filename="plaque.png")
        if index % 20 == 19:
            mail["Auto-Submitted"] = "auto-replied"
        return mail.as_bytes()


def _letter(prose: Prose, index: int) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"] = f"Reader <mailer{index}@example.com>", "letters1@example.org"
    mail["Subject"], mail["Message-ID"] = prose.text()[:50], f"<{index}.{os.getpid()}@mail.example.com>"
    mail.set_content(prose.text())
    return mail


def _answer(mail: EmailMessage, thread: Thread, prose: Prose, *, is_formatted: bool) -> None:
    """Make it an answer with our words quoted below."""
    mail.replace_header("To", thread.reply_address)
    mail.replace_header("From", thread.reader_address)
    own, quoted = prose.text(), prose.text()
    mail.set_content(f"{own}\n\nOn 3 March 2026 at 10:00, Ann Archer wrote:\n> {quoted}\n")
    if is_formatted:
        html = f"<p>{own}</p><div class='gmail_quote'>On 3 March Ann wrote:<blockquote>{quoted}</blockquote></div>"
        mail.add_alternative(html, subtype="html")


def _resident() -> float:
    """The resident memory of this process, in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024 / 1024


if __name__ == "__main__":
    main(int(sys.argv[1]))
