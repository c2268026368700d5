"""Kills at every named point and at any moment, on each engine; `make faults N=10000` does the same for a release."""

import re
import subprocess
import sys

from tests.faults.plan import AT_ANY_MOMENT, MIGRATION, PLAN
from tests.faults.rig import ROOT
from tests.journeys.conftest import clean_environment
from tests.servers import dovecot as dovecots
from tests.servers import postgresql as postgresqls
from tests.servers.fixtures import need

KILLS = 125


def test_kills_at_every_point_lose_and_double_nothing(engine: str) -> None:
    need(dovecots.PROGRAM)
    if engine == "postgresql" and postgresqls.find_binaries() is None:
        need("postgres")
    command = [sys.executable, "-m", "tests.faults", "--kills", str(KILLS), "--engine", engine]
    done = subprocess.run(
        command, cwd=ROOT, env=clean_environment(), capture_output=True, text=True, timeout=900, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    counts = {name.strip(): int(number) for name, number in re.findall(r"^(.{34}) *(\d+)", done.stdout, re.MULTILINE)}
    points = {point for places in PLAN.values() for point in places} | {AT_ANY_MOMENT, MIGRATION[1]}
    assert {point for point in points if not counts.get(point)} == set()
    assert sum(counts[point] for point in points) == KILLS
    assert [counts[kind] for kind in ("lost", "doubled", "sent again", "stuck", "left lying")] == [0] * 5
