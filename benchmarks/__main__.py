"""`python -m benchmarks`: measure the desk, print a table, and end with 1 when a figure is over its budget."""

import signal
import sys

import click

from benchmarks import report
from benchmarks.databases import POSTGRESQL, SQLITE, has_postgresql
from benchmarks.intake import MAILS
from benchmarks.results import Results, save, table
from benchmarks.running import PARTS, run

OVER_BUDGET = 1
STOPPED = 143


@click.command()
@click.option("--tickets", default=1000, show_default=True, help="How many tickets the desk holds.")
@click.option(
    "--engine", type=click.Choice([SQLITE, POSTGRESQL]), multiple=True, help="Both that are there, if not given."
)
@click.option("--only", type=click.Choice(PARTS), multiple=True, help="Take these figures alone; nothing is kept.")
@click.option("--mails", default=MAILS, show_default=True, help="How many mails one process reads, in fifties.")
@click.option("--report", "is_report", is_flag=True, help="Write the kept results into docs/performance.md.")
def main(tickets: int, engine: tuple[str, ...], only: tuple[str, ...], mails: int, is_report: bool) -> None:
    """Measure the desk against a floor of the same run."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(STOPPED))  # the servers are stopped on the way out
    if is_report:
        report.write()
        return
    engines = engine or ((SQLITE, POSTGRESQL) if has_postgresql() else (SQLITE,))
    done = []
    for name in engines:
        click.echo(f"{tickets:,} tickets on {name} …")
        done.append(run(name, tickets, parts=only or PARTS, mails=mails, tell=click.echo))
        if not only:
            save(done[-1])
    sys.exit(conclude(done))


def conclude(done: list[Results]) -> int:
    """Print every table; 1 when some figure is over its budget, else 0."""
    for results in done:
        click.echo(f"\n{results.seeded_sentence}\n{table(results.figures)}")
    missed = [f"{results.engine}: {figure.name}" for results in done for figure in results.missed]
    click.echo(f"\nOver budget: {', '.join(missed)}" if missed else "\nEvery figure keeps its budget.")
    return OVER_BUDGET if missed else 0


if __name__ == "__main__":
    main()
