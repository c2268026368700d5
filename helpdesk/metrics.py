"""What is counted for the owner's monitoring. Processes count in files of one folder, so that sums stay right."""

import os
import re
from pathlib import Path

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram, values
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

FOLDER = "metrics"
VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)  # in seconds
_PID = re.compile(r"_(\d+)\.db$")

# Each has a label: a metric without one would open its file now, before `prepare` has said where.
REQUESTS = Counter("helpdesk_http_requests", "Requests answered.", ["endpoint", "method", "status"])
DURATION = Histogram("helpdesk_http_request_seconds", "Time to answer.", ["endpoint", "method"], buckets=BUCKETS)
TICKETS_OPENED = Counter("helpdesk_tickets_opened", "Tickets opened.", ["channel"])
MAILS_IN = Counter("helpdesk_mails_in", "Mails read.", ["outcome"])
MAILS_OUT = Counter("helpdesk_mails_out", "Tries to send a mail.", ["outcome"])
JOB_FAILURES = Counter("helpdesk_job_failures", "Jobs of the worker that failed.", ["job"])
LIMIT_HITS = Counter("helpdesk_rate_limit_hits", "Tries that passed a limit.", ["limit"])
SIGN_IN_FAILURES = Counter("helpdesk_sign_in_failures", "Sign-ins that were refused.", ["page"])


def prepare(data_dir: Path) -> None:
    """Count in the metrics folder from now on, children included, and forget what ended processes counted.

    To be called before the first count and before any fork; files of processes that still live stay.
    """
    folder = folder_in(data_dir)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for file in folder.glob("*.db"):
        found = _PID.search(file.name)
        if found is None or not _is_alive(int(found.group(1))):
            file.unlink(missing_ok=True)
    os.environ[VARIABLE] = str(folder)
    values.ValueClass = values.MultiProcessValue()  # type: ignore[no-untyped-call]


def folder_in(data_dir: Path) -> Path:
    """Where the processes of an installation count."""
    return data_dir.resolve() / FOLDER


def forget_process(pid: int) -> None:
    """A process ended: what it measured of itself goes, what it counted stays."""
    if VARIABLE in os.environ:
        mark_process_dead(pid)  # type: ignore[no-untyped-call]


def counts() -> CollectorRegistry:
    """The sums over all processes; those of this process where nobody called `prepare`."""
    if VARIABLE not in os.environ:
        return REGISTRY
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return pid != os.getpid()
