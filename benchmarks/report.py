"""Writes the kept results into docs/performance.md, between its markers."""

from collections.abc import Iterator
from pathlib import Path

from benchmarks.databases import POSTGRESQL, SQLITE
from benchmarks.figures import Figure, shown
from benchmarks.results import Results, load

PAGE = Path("docs/performance.md")
BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"
SIZES = (1_000, 100_000, 1_000_000)


def write() -> None:
    """Put the tables of all kept results where the page has room for them."""
    kept = [load(engine, tickets) for tickets in SIZES for engine in (SQLITE, POSTGRESQL)]
    before, _, rest = PAGE.read_text().partition(BEGIN)
    tables = "\n".join(tables_of([results for results in kept if results]))
    PAGE.write_text(f"{before}{BEGIN}\n{tables}\n{END}{rest.partition(END)[2]}")


def tables_of(kept: list[Results]) -> Iterator[str]:
    """One section for each size, its engines side by side."""
    for tickets in SIZES:
        some = [results for results in kept if results.tickets == tickets]
        if not some:
            continue
        yield f"\n### {tickets:,} tickets\n"
        yield f"`make bench TICKETS={tickets}` on {some[0].machine}; {some[0].day}."
        yield from (f"{results.seeded_sentence}." for results in some)
        yield ""
        yield from _table(some)


def _table(some: list[Results]) -> Iterator[str]:
    yield "| | Budget | " + " | ".join(_NAMES[results.engine] for results in some) + " |"
    yield "| --- | --- |" + " --- |" * len(some)
    for name in dict.fromkeys(figure.name for results in some for figure in results.figures):
        found = [next((figure for figure in results.figures if figure.name == name), None) for results in some]
        first = next(figure for figure in found if figure)
        yield f"| {name} | {_budget(first)} | " + " | ".join(map(_cell, found)) + " |"


def _budget(figure: Figure) -> str:
    if figure.budget is None:
        return ""
    return f"{'≥' if figure.is_floor else '≤'} {shown(figure.budget, figure.unit)}"


def _cell(figure: Figure | None) -> str:
    if figure is None:
        return "–"
    value = shown(figure.value, figure.unit)
    value = value if figure.is_met else f"**{value}, missed**"
    return f"{value} ({figure.detail})" if figure.detail else value


_NAMES = {SQLITE: "SQLite", POSTGRESQL: "PostgreSQL"}
