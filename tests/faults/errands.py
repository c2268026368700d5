"""What the driver hands in, each with marks of its own: forms, replies, and mail through every door."""

import hashlib
import hmac
import os
import smtplib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from helpdesk import clock
from helpdesk.tickets.links import reply_address
from helpdesk.tickets.replying import reply
from tests.contact.posting import PNG, filled
from tests.factories import make_ticket
from tests.faults.grounds import Ground
from tests.faults.rig import INTAKE_KEY, hidden
from tests.letters import letter

DESK = "support@example.org"
CONNECT_SECONDS, ANSWER_SECONDS = 5.0, 30.0


@dataclass(frozen=True)
class Errand:
    """A piece of work with its details. Whoever has no answer comes again when `is_repeated`.

    `hand_over` is done from outside while the child is at work, and tells whether the answer was good.
    """

    work: str
    details: tuple[Any, ...] = ()
    is_repeated: bool = True
    hand_over: Callable[[int], bool] | None = None


def form(ground: Ground) -> Errand:
    """A reader's form with a file, from an address of its own."""
    number, mark = _taken(ground)
    fields = filled(message=f"{mark} It opened in 1932.", email=f"reader{number}@example.com")
    return Errand("form", (fields, PNG, f"10.{number // 250}.{number % 250}.9"))


def answer(ground: Ground) -> Errand:
    """Ann's reply, with the page that she has open."""
    number = ground.number()
    mark = f"mark-{number}-"
    ground.replied.append(mark)
    ticket = make_ticket(ground.cast, address=f"reader{number}@example.com")
    path = f"/desk/tickets/{ticket.number}"
    fields = hidden(ground.works.ann.get(path).text, of=f"{path}/reply")
    return Errand("reply", (f"{path}/reply", fields | {"body": f"{mark} You are right.", "then": "send"}))


def http(ground: Ground) -> Errand:
    """A program's mail in a signed request."""
    raw = _mail(ground)
    return Errand("http", (raw, signed(raw)))


def pipe(ground: Ground) -> Errand:
    """A mail server's mail on standard input."""
    return Errand("pipe", (_mail(ground), "ruth@example.com", DESK))


def lmtp(ground: Ground) -> Errand:
    """A mail server's mail by LMTP."""
    raw = _mail(ground)
    return Errand("lmtp", hand_over=lambda pid: _hand_over(ground.lmtp_port, raw, pid))


def fetch(ground: Ground) -> Errand:
    """Three mails in the mailbox: a new one, an answer, and one with a file."""
    for raw in (_mail(ground), _mail(ground, to=reply_address(ground.thread)), _mail_with_file(ground)):
        ground.mailbox.deliver(raw)
    return Errand("fetch", is_repeated=False)


def deliver(ground: Ground) -> Errand:
    """Two replies in the outbox, beside the receipts of their tickets."""
    for _ in range(2):
        number = ground.number()
        ground.replied.append(f"mark-{number}-")
        ticket = make_ticket(ground.cast, address=f"reader{number}@example.com")
        reply(ticket, body=f"mark-{number}- You are right.", by=ground.cast.ann)
    return Errand("deliver", is_repeated=False)


ERRANDS: dict[str, Callable[[Ground], Errand]] = {
    "form": form, "reply": answer, "http": http, "pipe": pipe, "lmtp": lmtp, "fetch": fetch, "deliver": deliver,
}  # fmt: skip


def signed(raw: bytes) -> dict[str, str]:
    """The headers of a request that hands this mail over."""
    at = str(int(clock.now().timestamp()))
    signature = hmac.new(INTAKE_KEY.encode(), at.encode() + b"." + raw, hashlib.sha256).hexdigest()
    return {"X-Helpdesk-Timestamp": at, "X-Helpdesk-Signature": signature, "Content-Type": "message/rfc822"}


def _taken(ground: Ground) -> tuple[int, str]:
    number = ground.number()
    ground.taken.append(f"mark-{number}-")
    return number, f"mark-{number}-"


def _mail(ground: Ground, *, to: str = DESK) -> bytes:
    number, mark = _taken(ground)
    return letter(body=f"{mark} It opened in 1932.\r\n", to=to, from_=f"Ruth Reed <reader{number}@example.com>")


def _mail_with_file(ground: Ground) -> bytes:
    number, mark = _taken(ground)
    kind = {"MIME-Version": "1.0", "Content-Type": "multipart/mixed; boundary=b"}
    body = (
        f"--b\r\nContent-Type: text/plain\r\n\r\n{mark} See the plaque.\r\n--b\r\nContent-Type: text/plain\r\n"
        f'Content-Disposition: attachment; filename="plaque.txt"\r\n\r\n1932, {number}\r\n--b--\r\n'
    )
    return letter(body=body, from_=f"Ruth Reed <reader{number}@example.com>", headers=kind)


def _hand_over(port: int, raw: bytes, pid: int) -> bool:
    """One mail to a listener that begins just now; False without a good answer."""
    give_up = time.monotonic() + CONNECT_SECONDS
    while time.monotonic() < give_up:
        try:
            with smtplib.LMTP("127.0.0.1", port, timeout=ANSWER_SECONDS) as server:
                server.sendmail("ruth@example.com", [DESK], raw)
        except ConnectionRefusedError:
            if not _is_alive(pid):
                return False
            time.sleep(0.01)
        except (OSError, smtplib.SMTPException):
            return False
        else:
            return True
    return False


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
