"""Poison at every place among two hundred mails: all the others arrive, and each poison ends as itself.

Alone it is tried at the first place, the last, and the end of a batch. For every place there are ten runs with
eighty poisons at once, which is harder on the others than one of them would be: no two places are poisonous in the same
runs, so that for any place and any other there is a run in which the one held poison and the mail at the other arrived.
"""

from collections.abc import Callable, Iterator
from itertools import combinations, count, permutations

import pytest
from sqlalchemy import select

from helpdesk import files
from helpdesk.database import db
from helpdesk.inbound import apart
from helpdesk.inbound.apart import Apart
from helpdesk.inbound.models import InboundEmail, InboundState
from helpdesk.inbound.operations import BATCH, TRIES, process_received, receive
from helpdesk.tickets.messages import Message
from tests.inbound.test_apart import read_or_misbehave
from tests.letters import letter

MAILS = 200
RUNS, RUNS_OF_A_PLACE = range(10), 4
RUNS_ON = {"sqlite": RUNS[::2], "postgresql": RUNS[1::2]}
POISONOUS_IN = list(combinations(RUNS, RUNS_OF_A_PLACE))[:MAILS]
PATIENCE_SECONDS = 5.0
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
@pytest.mark.engines("sqlite")
@pytest.mark.parametrize(
    ("place", "kind"),
    [(0, "ends the process that reads"), (BATCH - 1, STALL), (MAILS - 1, "is gone from the disk")],
)
def test_l8_of_two_hundred_mails_with_one_poison_all_others_arrive(place: int, kind: str) -> None:
    read_with_poison({place: kind})
    assert len(good_marks()) == MAILS - 1


@pytest.mark.usefixtures("reader", "cast")
@pytest.mark.parametrize("turn", range(5))
def test_l8_poison_at_every_place_of_two_hundred_stops_no_other(engine: str, turn: int) -> None:
    read_with_poison(poisonous(RUNS_ON[engine][turn]))


def read_with_poison(kinds: dict[int, str]) -> None:
    """Take in two hundred mails, with these poisons at these places, and read them as often as a mail is tried."""
    for place in range(MAILS):
        keep(place, kinds.get(place))
    for _ in range(TRIES):
        process_received()
    assert good_marks() == {f"mark-{place}-" for place in range(MAILS) if place not in kinds}
    ends = dict(enumerate(states()))
    assert len(ends) == MAILS
    assert [place for place, state in ends.items() if state is InboundState.FAILED] == [
        place for place, kind in kinds.items() if kind == "is gone from the disk"
    ]
    assert set(ends.values()) <= {InboundState.ACCEPTED, InboundState.FAILED}


def poisonous(run: int) -> dict[int, str]:
    """Which places hold which poison; in the first run of each engine the last of them stalls."""
    names = list(POISONS)
    kinds = {place: names[(place + run) % len(names)] for place, runs in enumerate(POISONOUS_IN) if run in runs}
    return kinds | ({max(kinds): STALL} if run < len(RUNS_ON) else {})


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


def test_for_any_place_and_any_other_there_is_a_run_with_poison_at_the_one_and_a_good_mail_at_the_other() -> None:
    held = [poisonous(run) for run in RUNS]
    assert all(any(one in run and other not in run for run in held) for one, other in permutations(range(MAILS), 2))
    assert all(len({run[place] for run in held if place in run}) > 1 for place in range(MAILS))
