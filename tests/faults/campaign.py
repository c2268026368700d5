"""Kills, one after the other, while numbered forms, mails and replies are handed in; then the ledgers are compared."""

import random
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from helpdesk.database import db
from tests.faults import points
from tests.faults.children import KILLED
from tests.faults.errands import ERRANDS, Errand
from tests.faults.grounds import Ground, Nursery
from tests.faults.ledgers import Kind, sent_again, sorted_complaints
from tests.faults.plan import AT_ANY_MOMENT, MIGRATION, Fault, faults
from tests.faults.works import DONE
from tests.whole import rows

BATCH = 65
TRIES_AT_CHANCE = 20


@dataclass
class Figures:
    """What a run found."""

    kills: Counter[str] = field(default_factory=Counter)
    complaints: list[tuple[Kind, str]] = field(default_factory=list)
    handed_in: int = 0
    in_window: int = 0
    again_in_window: int = 0
    seconds: float = 0.0

    def add(self, other: "Figures") -> None:
        self.kills += other.kills
        self.complaints += other.complaints
        self.handed_in += other.handed_in
        self.in_window += other.in_window
        self.again_in_window += other.again_in_window
        self.seconds += other.seconds

    def count(self, kind: Kind) -> int:
        """How many complaints of a kind there are; none is what must be."""
        return sum(each is kind for each, _ in self.complaints)


def run(nursery: Nursery, count: int, *, seed: int, tell: Callable[[str], None]) -> Figures:
    """`count` kills on one engine."""
    figures, began = Figures(), time.monotonic()
    for number, batch in enumerate(faults(count, random.Random(seed), batch=BATCH)):
        with nursery.ground(f"batch-{number}") as ground:
            Battle(ground, figures, random.Random(f"{seed}-{number}")).fight(batch)
        tell(f"  {sum(figures.kills.values()):,} kills, {len(figures.complaints)} complaints")
    figures.seconds = time.monotonic() - began
    return figures


@dataclass
class Battle:
    """One batch on one desk."""

    ground: Ground
    figures: Figures
    dice: random.Random
    seconds: dict[str, float] = field(default_factory=dict)

    def fight(self, batch: list[Fault]) -> None:
        """Every fault, each followed by the work of another process; then the ledgers."""
        for fault in batch:
            self._strike(fault) if (fault.work, fault.point) != MIGRATION else self._strike_migration(fault)
            self.figures.kills[fault.point] += 1
        self.figures.handed_in += self.ground.handed_in
        caught, twice = self.ground.smtp.mails, sent_again(self.ground.smtp.mails)
        found = sorted_complaints(self.ground.taken, self.ground.replied, caught, twice)
        self.figures.complaints += found
        if found:
            self._complain(Kind.STUCK, f"that was after {batch}, and the children said: {self.ground.log()}")

    def _strike(self, fault: Fault) -> None:
        errand, before = ERRANDS[fault.work](self.ground), sent_again(self.ground.smtp.mails)
        if fault.point == AT_ANY_MOMENT:
            errand, is_good = self._killed_at_chance(fault, errand)
        else:
            is_good = self._killed_at(fault, errand)
        if errand.is_repeated and not is_good and not self._sent(errand)[1]:
            self._complain(Kind.LOST, f"{fault}: it was not taken the second time: {self.ground.log()}")
        self._go_on(fault)
        self._count_again(fault, sent_again(self.ground.smtp.mails) - before)

    def _go_on(self, fault: Fault) -> None:
        """This process is the other one, that goes on minutes later."""
        db.session.rollback()
        try:
            self.ground.works.settle()
        except Exception:  # whatever it was, it is a finding
            self._complain(Kind.STUCK, f"{fault}: nobody could go on: {traceback.format_exc()}")
        db.session.rollback()

    def _killed_at(self, fault: Fault, errand: Errand) -> bool:
        """Kill at the point, and make sure that it was there; True when the answer had been good all the same."""
        folder = self.ground.folder / "points"
        points.forget(folder, fault.point)
        points.arm(folder, fault.point, nth=fault.nth)
        code, is_good = self._sent(errand)
        if code != KILLED or not points.was_reached(folder, fault.point):
            self._complain(Kind.STUCK, f"{fault} was not reached, the child ended with {code}: {self.ground.log()}")
        points.forget(folder, fault.point)
        return is_good

    def _killed_at_chance(self, fault: Fault, errand: Errand) -> tuple[Errand, bool]:
        """Kill at some moment; where the work was done before, let there be more of it and kill again."""
        for _ in range(TRIES_AT_CHANCE):
            code, is_good = self._sent(errand, kill_after=self.dice.uniform(0, self.seconds.get(fault.work, 0.2)))
            if code == KILLED:
                return errand, is_good
            errand = ERRANDS[fault.work](self.ground)
        self._complain(Kind.STUCK, f"{fault}: it was never killed: {self.ground.log()}")
        return errand, False

    def _sent(self, errand: Errand, *, kill_after: float | None = None) -> tuple[int, bool]:
        """Exit code of the child, and whether whoever asked had a good answer."""
        began = time.monotonic()
        pid = self.ground.children.begin(errand.work, *errand.details, kill_after=kill_after)
        is_good = errand.hand_over(pid) if errand.hand_over else None
        if errand.hand_over:
            self.ground.children.terminate(pid)
        code = self.ground.children.end()
        if code == DONE:
            self.seconds[errand.work] = time.monotonic() - began
        return code, code == DONE if is_good is None else is_good

    def _strike_migration(self, fault: Fault) -> None:
        before = rows()
        db.engine.dispose()
        self._killed_at(fault, Errand("migrate"))
        if rows() != before:
            self._complain(Kind.LOST, f"{fault}: rows are others than before")
        db.engine.dispose()
        if self.ground.children.do("migrate") != DONE or rows() != before:
            self._complain(Kind.LOST, f"{fault}: the second time was not good either: {self.ground.log()}")

    def _count_again(self, fault: Fault, again: int) -> None:
        """A mail may leave twice where its answer was cut off, and only there, and only one."""
        self.figures.in_window += fault.may_repeat
        if again > fault.may_repeat:
            self._complain(Kind.SENT_AGAIN, f"{fault}: {again} mails left twice")
        else:
            self.figures.again_in_window += again

    def _complain(self, kind: Kind, sentence: str) -> None:
        self.figures.complaints.append((kind, sentence))
