"""`python -m tests.faults`: kill processes of a desk at work, and end with 1 when anything was lost or doubled."""

import contextlib
import logging
import secrets
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import click

from tests.faults import campaign, points
from tests.faults.campaign import Figures
from tests.faults.grounds import Nursery
from tests.faults.ledgers import Kind
from tests.servers import postgresql as postgresqls
from tests.servers.dovecot import Dovecot
from tests.servers.postgresql import Cluster

ENGINES = ("sqlite", "postgresql")


@click.command()
@click.option("--kills", default=300, show_default=True, help="How many, on all engines together.")
@click.option("--engine", type=click.Choice(ENGINES), multiple=True, default=ENGINES, help="Both, if not given.")
@click.option("--postgresql", "url", default="", help="The address of a PostgreSQL that is ready; else one is started.")
@click.option("--seed", type=int, default=None, help="The same seed gives the same kills; at random if not given.")
def main(kills: int, engine: tuple[str, ...], url: str, seed: int | None) -> None:
    """Kill, let others go on, compare what was handed in with files, tickets and mails."""
    seed = secrets.randbelow(10**6) if seed is None else seed
    logging.disable(logging.WARNING)
    points.lay()
    total = Figures()
    for place, name in enumerate(engine):
        count = kills // len(engine) + (place < kills % len(engine))
        click.echo(f"{count:,} kills on {name}, seed {seed} …")
        with _nursery(name, url) as nursery:
            total.add(campaign.run(nursery, count, seed=seed + place, tell=click.echo))
    click.echo(report(total))
    sys.exit(bool(total.complaints))


def report(figures: Figures) -> str:
    """The figures of a run, as docs/reliability.md shows them."""
    kinds = (Kind.LOST, Kind.DOUBLED, Kind.SENT_AGAIN, Kind.STUCK, Kind.LEFT)
    lines = [f"{point:34}{count:7,}" for point, count in sorted(figures.kills.items())]
    lines += ["", f"{'handed in':34}{figures.handed_in:7,}"]
    lines += [f"{kind.value:34}{figures.count(kind):7,}" for kind in kinds]
    lines += [f"{'sent again, within its window':34}{figures.again_in_window:7,} of {figures.in_window:,} kills there"]
    lines += [f"{'seconds':34}{figures.seconds:7,.0f} for {sum(figures.kills.values()):,} kills"]
    return "\n".join([*lines, *(f"\n{kind.value}: {sentence}" for kind, sentence in figures.complaints)])


@contextlib.contextmanager
def _nursery(engine: str, url: str) -> Iterator[Nursery]:
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="helpdesk-faults-")))
        dovecot = Dovecot(None)
        stack.callback(dovecot.stop)
        cluster = Cluster(url or stack.enter_context(_own_postgresql())) if engine == "postgresql" else None
        nursery = Nursery(folder, dovecot, cluster)
        stack.callback(nursery.close)
        yield nursery


@contextlib.contextmanager
def _own_postgresql() -> Iterator[str]:
    binaries = postgresqls.find_binaries()
    if binaries is None:
        raise click.ClickException("PostgreSQL is not installed; choose --engine sqlite.")
    with postgresqls.running(binaries) as url:
        yield url


if __name__ == "__main__":
    main()
