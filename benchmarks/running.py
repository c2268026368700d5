"""One run: seed or find the database, copy it, and take all figures on the copy."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial

from benchmarks.databases import Place, place_of
from benchmarks.doors import mail_doors
from benchmarks.figures import Figure, measured
from benchmarks.intake import MAILS, mail_intake
from benchmarks.resources import cold_start, memory, weights
from benchmarks.results import SMALL, Results, growth, load, results_of
from benchmarks.seeding import seed
from benchmarks.serving import desk, floor, prepare_floor
from benchmarks.statements import statements
from benchmarks.timings import Clockwork

PARTS = ("statements", "pages", "writing", "weights", "memory", "start", "intake")

Tell = Callable[[str], None]


def run(
    engine: str, tickets: int, *, parts: tuple[str, ...] = PARTS, mails: int = MAILS, tell: Tell = print
) -> Results:
    """Take the figures of these parts."""
    with place_of(engine, tickets) as place:
        seeded = seed(place)
        place.copy_for_run()
        try:
            prepare_floor(place)
            figures = list(_figures(place, parts, mails, tell))
        finally:
            place.drop_copies()
    small = load(engine, SMALL)
    grown = growth(figures, small.figures, tickets=tickets) if small and tickets > SMALL else []
    return results_of(engine, tickets, seeded, figures + grown)


def _figures(place: Place, parts: tuple[str, ...], mails: int, tell: Tell) -> Iterator[Figure]:
    if "statements" in parts:
        yield from statements(place)
    if {"pages", "writing", "weights"} & set(parts):
        yield from _timings(place, parts, tell)
    if "memory" in parts:
        tell("  memory …")
        yield from memory(place)
    if "start" in parts:
        tell("  cold start …")
        yield measured(partial(cold_start, place))
    if "intake" in parts:
        tell("  mail intake …")
        yield from mail_intake(place, mails)
        yield from mail_doors(place)


def _timings(place: Place, parts: tuple[str, ...], tell: Tell) -> Iterator[Figure]:
    with ExitStack() as servers:
        server, control = servers.enter_context(desk(place)), servers.enter_context(floor(place))
        clockwork = Clockwork(place, desk=server.port, floor=control.port)
        for measure in _wanted(clockwork, parts):
            tell(f"  {(measure.__doc__ or '').strip().rstrip('.')} …")
            yield measured(measure)
        if "weights" in parts:
            yield from weights(place, clockwork.ann)


def _wanted(clockwork: Clockwork, parts: tuple[str, ...]) -> list[Callable[[], Figure]]:
    pages = [
        clockwork.queue_page, clockwork.short_ticket, clockwork.long_ticket, clockwork.search, clockwork.search_page,
        clockwork.form_page,
    ]  # fmt: skip
    writing = [clockwork.reply, clockwork.form_post, clockwork.crowd]
    return (pages if "pages" in parts else []) + (writing if "writing" in parts else [])
