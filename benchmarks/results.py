"""The results of a run: a table for the terminal, a file for the report, and how much dearer a large desk is."""

import json
import os
import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.databases import ROOT
from benchmarks.figures import Figure, shown

SMALL, LARGE = 1_000, 1_000_000
GROWTH = 1.3
GROWING = (
    "form post, one client", "queue page of 50", "ticket of 5 messages", "ticket of 200 messages",
    "search, 60 messages", "reply",
)  # fmt: skip


@dataclass(frozen=True)
class Results:
    """All figures of one engine at one size, and where they were taken."""

    engine: str
    tickets: int
    seeded: dict[str, float]
    figures: list[Figure]
    machine: str
    day: str

    @property
    def missed(self) -> list[Figure]:
        """The figures over their budget."""
        return [figure for figure in self.figures if not figure.is_met]

    @property
    def seeded_sentence(self) -> str:
        """What seeding took."""
        size = self.seeded["bytes"] / 1024 / 1024
        return f"{self.tickets:,} tickets on {self.engine}: seeded in {self.seeded['seconds']:.0f} s, {size:,.0f} MB"


def results_of(engine: str, tickets: int, seeded: dict[str, float], figures: list[Figure]) -> Results:
    """The figures of a run on this machine, with the growth since the small desk when that was measured."""
    return Results(engine, tickets, seeded, figures, machine(), datetime.now(UTC).strftime("%-d %B %Y"))


def growth(figures: list[Figure], small: list[Figure], *, tickets: int) -> list[Figure]:
    """How often its price at 1,000 tickets a page costs now; only the largest size has a budget for it."""
    before = {figure.name: figure.value for figure in small}
    return [
        Figure(f"{figure.name}, against 1,000 tickets", figure.value / before[figure.name], "×",
               GROWTH if tickets >= LARGE else None)
        for figure in figures
        if figure.name in GROWING and figure.name in before
    ]  # fmt: skip


def save(results: Results, *, root: Path = ROOT) -> None:
    """Keep the results for the report."""
    content: dict[str, Any] = vars(results) | {"figures": [figure.as_json() for figure in results.figures]}
    _file(results.engine, results.tickets, root).write_text(json.dumps(content, indent=1))


def load(engine: str, tickets: int, *, root: Path = ROOT) -> Results | None:
    """The kept results of an engine at a size."""
    file = _file(engine, tickets, root)
    if not file.is_file():
        return None
    content = json.loads(file.read_text())
    return Results(**(content | {"figures": [Figure(**figure) for figure in content["figures"]]}))


def table(figures: list[Figure]) -> str:
    """The figures in columns."""
    lines = [(figure.name, shown(figure.value, figure.unit), figure.verdict, figure.detail) for figure in figures]
    widths = [max(len(line[column]) for line in lines) for column in range(3)]
    return "\n".join(
        f"  {name:<{widths[0]}}  {value:>{widths[1]}}  {verdict:<{widths[2]}}  {detail}".rstrip()
        for name, value, verdict, detail in lines
    )


def machine() -> str:
    """What it was measured on, without names."""
    memory = next(line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemTotal"))
    gigabytes = int(memory.split()[1]) / 1024 / 1024
    return f"{os.cpu_count()} cores, {gigabytes:.0f} GB, {platform.system()}, Python {platform.python_version()}"


def _file(engine: str, tickets: int, root: Path) -> Path:
    return root / f"results-{engine}-{tickets}.json"
