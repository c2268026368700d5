"""Runs a helpdesk command in which an exact point may be fatal: `python -m tests.faults.launch web --bind …`.

A folder named by FAULTS is the only contact; see `points`.
"""

import importlib
import os
import sys
from pathlib import Path

from tests.faults import points


def main(command: list[str]) -> None:
    """Lay all points, and be the ordinary command."""
    cli = importlib.import_module("helpdesk.cli")
    points.lay()
    if "MIGRATIONS" in os.environ:
        importlib.import_module("helpdesk.paths").migrations = lambda: Path(os.environ["MIGRATIONS"])  # type: ignore[attr-defined]
    cli.main(command)


if __name__ == "__main__":
    main(sys.argv[1:])
