"""Poison at every place among two hundred mails: all the others arrive, and each poison ends as itself.

A quarter of the mails is poisonous at once, which is harder on the others than one of them would be; four such
batches have poison at every place.
"""

from collections.abc import Callable, Iterator
from itertools import count

import pytest
from sqlalchemy import select

from helpdesk import files
from helpdesk.database import db
from helpdesk.inbound import apart
from helpdesk.inbound.apart import Apart
from helpdesk.inbound.models import InboundEmail, InboundState
from helpdesk.inbound.operations import TRIES, process_received, receive
from helpdesk.tickets.messages import Message
from tests.inbound.test_apart import read_or_misbehave
from tests.letters import letter

MAILS, EVERY = 200, 4
PATIENCE_SECONDS = 5.0
READERS = {"sqlite": (0, 2), "postgresql": (1, 3)}
HEADERS_OF_A_POISON = {"From": "Mallory <mallory@example.com>", "To": "support@example.org"}
_numbers = count()


def nested(depth: int) -> bytes:
    """Parts within parts, which end the standard parser."""
    begins = "".join(f"Content-Type: multipart/mixed; boundary=b{each}\r\n\r\n--b{each}\r\n" for each in range(depth))
    return headed("").rstrip() + b"\r\n" + begins.encode()


def headed(headers: str, body: str = "Poison.\r\n") -> bytes:
    """A mail with some headers as they are."""
    named = "".join(f"{name}: {value}\r\n" for name, value in HEADERS_OF_A_POISON.items() if name not in headers)
    return f"{named}X-Number: {next(_numbers)}\r\n{headers}\r\n{body}".encode()  # two of the same would be one


POISONS: dict[str, Callable[[], bytes]] = {
    "ends the process that reads": lambda: letter(body="crash"),
    "is gone from the disk": lambda: letter(body="gone"),
    "has parts in a thousand parts": lambda: nested(1000),
    "hoards memory": lambda: letter(body="hoard"),
    "has a sender in comments": lambda: headed(f"From: {'(' * 500}a{')' * 500} <mallory@example.com>\r\n"),
    "has a date beyond time": lambda: headed("Date: Mon, 23 Nov 20260000000000000000 10:15:00 +0100\r\n"),
    "has a subject of 20,000 words": lambda: headed(f"Subject: {' =?utf-8?q?a?=' * 20_000}\r\n"),
    "names no charset there is": lambda: headed("Content-Type: text/plain; charset=idna\r\n", "\u00ff\r\n"),
}
STALL = "stalls"


@pytest.fixture
def reader() -> Iterator[None]:
    """Mail is read apart, by a process that some mails end."""
    started = Apart(seconds=PATIENCE_SECONDS, read_one=read_or_misbehave)
    apart._started.append(started)
    yield
    apart._started.remove(started)
    started.close()


@pytest.mark.usefixtures("reader", "cast")
@pytest.mark.parametrize("turn", [0, 1])
def test_l8_poison_at_every_place_of_two_hundred_stops_no_other(engine: str, turn: int) -> None:
    kinds = dict(poisonous(READERS[engine][turn]))
    for place in range(MAILS):
        keep(place, kinds.get(place))
    for _ in range(TRIES):
        process_received()
    assert good_marks() == {f"mark-{place}-" for place in range(MAILS)} - {f"mark-{place}-" for place in kinds}
    ends = dict(zip(range(MAILS), states(), strict=True))
    assert [place for place, state in ends.items() if state is InboundState.FAILED] == [
        place for place, kind in kinds.items() if kind == "is gone from the disk"
    ]
    assert set(ends.values()) == {InboundState.ACCEPTED, InboundState.FAILED}
    assert len(kinds) == MAILS // EVERY


def poisonous(first: int) -> Iterator[tuple[int, str]]:
    """Which places hold which poison; the last of them stalls."""
    names = list(POISONS)
    places = range(first, MAILS, EVERY)
    for number, place in enumerate(places):
        yield place, STALL if place == places[-1] else names[number % len(names)]


def keep(place: int, kind: str | None) -> None:
    """Take in a mail, good or not."""
    if kind is None:
        receive(letter(body=f"mark-{place}- It opened in 1932.\r\n", from_=f"reader{place}@example.com"))
        return
    poison = receive(letter(body="stall") if kind == STALL else POISONS[kind]())
    if kind == "is gone from the disk":
        files.delete(poison.storage_key)


def good_marks() -> set[str]:
    """The marks of the mails that arrived; each stands once."""
    db.session.rollback()
    marks = [body.split()[0] for body in db.session.scalars(select(Message.body_text)) if body.startswith("mark-")]
    assert len(marks) == len(set(marks))
    return set(marks)


def states() -> list[InboundState]:
    """What became of each, in the order they came."""
    return list(db.session.scalars(select(InboundEmail.state).order_by(InboundEmail.id)))


def test_every_place_has_been_poisonous() -> None:
    assert sorted(place for firsts in READERS.values() for first in firsts for place, _ in poisonous(first)) == list(
        range(MAILS)
    )
