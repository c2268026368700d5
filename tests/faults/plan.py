"""Where processes are killed: the points of each piece of work, and how many passes one piece makes there."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

AT_ANY_MOMENT = "at any moment"
MIGRATION = ("migrate", "before step")
STEPS_OF_A_MIGRATION = 7
MAY_REPEAT = {"after the final dot", "before record", "record_delivery before commit", "record_delivery in commit"}


def _around(operation: str, most: int = 1) -> dict[str, int]:
    return {f"{operation} {moment} commit": most for moment in ("before", "in", "after")}


def _in_files(most: int = 1) -> dict[str, int]:
    return {"after raw write": most, "after raw fsync": most, "after rename": 2 * most, "after put": most}


PLAN: dict[str, dict[str, int]] = {
    "form": _in_files() | _around("receive_form"),
    "reply": _around("reply"),
    "http": _in_files() | _around("_record"),
    "pipe": _in_files() | _around("_record"),
    "lmtp": _in_files() | _around("_record"),
    "fetch": {
        "after imap connect": 1, "after select": 1, "mid fetch": 3, "before raw put": 3, "before seen": 3,
        "_claim before commit": 1, "_claim after commit": 1, "after parse": 3,
    } | _in_files(3) | _around("_record", 3) | _around("act", 3),
    "deliver": {
        "claim_next before commit": 1, "claim_next after commit": 1, "before send": 1, "after smtp connect": 1,
        "after mail": 4, "after rcpt": 4, "mid data": 4, "after the final dot": 4, "before record": 4,
    } | _around("record_delivery", 4),
}  # fmt: skip


@dataclass(frozen=True)
class Fault:
    """One kill: during which work, where, and in which pass."""

    work: str
    point: str
    nth: int = 1

    @property
    def may_repeat(self) -> bool:
        """True when a mail may have reached the mail server without our knowing (RFC 1047)."""
        return self.point in MAY_REPEAT or (self.work, self.point) == ("deliver", AT_ANY_MOMENT)


def faults(count: int, dice: random.Random, *, batch: int) -> Iterator[list[Fault]]:
    """`count` faults in batches: every point in turn, in an order of chance; each batch ends with a migration."""
    endless = _endless(dice)
    while count > 0:
        size = min(batch, count)
        yield [*(next(endless) for _ in range(size - 1)), Fault(*MIGRATION, dice.randint(1, STEPS_OF_A_MIGRATION))]
        count -= size


def _endless(dice: random.Random) -> Iterator[Fault]:
    while True:
        turn = [(work, point, most) for work, places in PLAN.items() for point, most in places.items()]
        turn += [(work, AT_ANY_MOMENT, 1) for work in PLAN]
        dice.shuffle(turn)
        yield from (Fault(work, point, dice.randint(1, most)) for work, point, most in turn)
