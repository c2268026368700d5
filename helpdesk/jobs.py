"""The worker's tasks: three lines each, because the rows are the truth and a lost job loses nothing."""

import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from secrets import token_hex
from typing import Any

from flask import Flask, current_app
from huey import Huey, crontab

from helpdesk.config import Settings
from helpdesk.database import transactional
from helpdesk.inbound.operations import PROCESS, process_received, sweep_files
from helpdesk.intake.operations import forget_signatures
from helpdesk.job_queue import make_queue
from helpdesk.logs import within_job
from helpdesk.metrics import JOB_FAILURES
from helpdesk.outbound.models import DELIVER
from helpdesk.outbound.turns import Turns
from helpdesk.outbound.waiting import forget_waits
from helpdesk.rate_limit import forget_expired
from helpdesk.tickets.delivery import deliver_due
from helpdesk.tickets.search import merge_index
from helpdesk.tickets.uploads import sweep_uploads
from helpdesk.ticks import claim_tick

log = logging.getLogger(__name__)

DAILY_HOUR = "3"
TELL_EVERY_SECONDS = 0.5
_told: dict[str, float] = {}
_sending = threading.Lock()
turns = Turns()


def init_app(app: Flask, settings: Settings) -> None:
    """Make the queue of tasks and bind the tasks to this application."""
    queue = make_queue(settings)
    app.extensions["huey"] = queue
    app.extensions["tasks"] = {DELIVER: _in(app, queue, deliver), PROCESS: _in(app, queue, process)}
    queue.periodic_task(crontab(minute="*"), name="deliver_each_minute")(_on_tick(app, deliver))
    queue.periodic_task(crontab(minute="*"), name="process_each_minute")(_on_tick(app, process))
    queue.periodic_task(crontab(minute="*/10"), name="sweep")(_on_tick(app, sweep))
    queue.periodic_task(crontab(minute="0", hour=DAILY_HOUR), name="sweep_files")(_on_tick(app, sweep_files))


def wake(name: str) -> None:
    """Tell a worker that there is something to do now."""
    task = current_app.extensions["tasks"].get(name)
    if task is not None and _is_worth_telling(name):
        task()


def _is_worth_telling(name: str) -> bool:
    """False right after this process said the same: a worker looks at the rows each second anyway."""
    now = time.monotonic()
    is_news = now - _told.get(name, 0.0) > TELL_EVERY_SECONDS
    if is_news:
        _told[name] = now
    return is_news


def worker_name() -> str:
    """This worker, as leases name it."""
    return f"{socket.gethostname()}:{os.getpid()}:{threading.get_ident()}"


@contextmanager
def noting(job: str) -> Iterator[None]:
    """Every log line within carries the job's id; a failure is counted."""
    with within_job(token_hex(4), job=job):
        try:
            yield
        except Exception:
            JOB_FAILURES.labels(job).inc()
            log.exception("a job failed")
            raise


def deliver() -> None:
    """Send what is due; one task at a time, so that the others are free for mail that comes in."""
    if _sending.acquire(blocking=False):
        try:
            deliver_due(worker_name(), turns=turns)
        finally:
            _sending.release()


def process() -> None:
    """Read the mail that came in."""
    process_received()


def sweep() -> None:
    """Forget what has expired and merge the search index."""
    sweep_uploads()
    _tidy("sweep")


@transactional
def _tidy(_task: str) -> None:
    forget_expired()
    forget_signatures()
    forget_waits()
    merge_index()


def _in(app: Flask, queue: Huey, work: Callable[[], None]) -> Any:
    def run() -> None:
        with app.app_context(), noting(work.__name__):
            work()

    run.__name__ = work.__name__
    return queue.task()(run)


def _on_tick(app: Flask, work: Callable[[], None]) -> Callable[[], None]:
    def run() -> None:
        with app.app_context(), noting(work.__name__):
            if claim_tick(work.__name__):
                work()

    run.__name__ = f"{work.__name__}_on_tick"
    return run
