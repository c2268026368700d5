"""`helpdesk worker`: sends what is due, reads what came in, and watches the mailboxes."""

import signal
import threading
from collections.abc import Callable
from functools import partial
from types import FrameType

from flask import Flask
from huey.consumer import Consumer
from sqlalchemy import select

from helpdesk.agents.forgotten import answer_password_requests
from helpdesk.alarms.operations import hold_back_stale
from helpdesk.database import db
from helpdesk.inbound.apart import is_gone
from helpdesk.inbound.apart import start as start_reading
from helpdesk.inbound.models import Source
from helpdesk.inbound.operations import process_received
from helpdesk.inbound.sources.imap import watch
from helpdesk.jobs import noting, turns, worker_name
from helpdesk.outbound.claiming import has_due
from helpdesk.tickets.delivery import deliver_due
from helpdesk.ticks import claim_tick

TASK_THREADS = 2
SENDING_THREADS = 2  # and one task: a third, when two wait for one slow place (MOST_TO_ONE in outbound/claiming.py)
LOOK_EVERY_SECONDS = 1.0
REST_AFTER_FAILURE_SECONDS = 10.0
NEW_MAILBOXES_EVERY_SECONDS = 30.0
PATIENCE_SECONDS = 8.0


class Worker:
    """The threads of one worker process; the rows are the truth, so that it may end at any moment."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.stop = threading.Event()
        self.due = threading.Event()
        self.threads: list[threading.Thread] = []
        self.watched: dict[int, threading.Thread] = {}
        self.consumer: Consumer = app.extensions["huey"].create_consumer(
            workers=TASK_THREADS, worker_type="thread", shutdown_timeout=PATIENCE_SECONDS
        )
        self.consumer._set_signal_handlers = lambda: None  # signals are ours

    def run(self) -> None:
        """Work until SIGTERM or SIGINT, then end in good order."""
        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, self._on_signal)
        stop_reading = start_reading()
        self._try(self.show_up)
        self.consumer.start()
        self.threads = [
            _begin("look", partial(self._repeat, self.look, every=LOOK_EVERY_SECONDS)),
            _begin("mailboxes", partial(self._repeat, self.watch_new, every=NEW_MAILBOXES_EVERY_SECONDS)),
            *(_begin(f"send-{number}", partial(self._repeat, self.send, every=0)) for number in range(SENDING_THREADS)),
        ]
        while not self.stop.wait(LOOK_EVERY_SECONDS):
            self.consumer.check_worker_health()
            self.end_if_blind()
        self.consumer.stop(graceful=True)
        for thread in (*self.threads, *self.watched.values()):
            thread.join(1)
        stop_reading()

    def show_up(self) -> None:
        """Be seen from the first moment on, not from the first full minute."""
        claim_tick("start")

    def look(self) -> None:
        """Do what the rows say is due."""
        answer_password_requests()
        if has_due():
            hold_back_stale()
            self.due.set()
        process_received()

    def send(self) -> None:
        """Send what is due, apart from all else: a mail server that takes its time holds up no mail that comes in."""
        if self.due.wait(LOOK_EVERY_SECONDS):
            self.due.clear()
            deliver_due(worker_name(), turns=turns, is_over=self.stop.is_set)

    def end_if_blind(self) -> None:
        """End when mail can no longer be read here: the supervisor starts a worker that can."""
        if is_gone():
            self.stop.set()

    def watch_new(self) -> None:
        """Watch each active mailbox that is not watched yet, or no longer."""
        for source_id in db.session.scalars(select(Source.id).where(Source.active)).all():
            if source_id not in self.watched or not self.watched[source_id].is_alive():
                self.watched[source_id] = _begin(f"mailbox-{source_id}", partial(watch, self.app, source_id, self.stop))

    def _repeat(self, work: Callable[[], None], *, every: float) -> None:
        while not self.stop.is_set():
            self.stop.wait(every if self._try(work) else REST_AFTER_FAILURE_SECONDS)

    def _try(self, work: Callable[[], None]) -> bool:
        try:
            with self.app.app_context(), noting(work.__name__):
                work()
        except Exception:  # one bad minute must not end the worker, and the line is written already
            return False
        return True

    def _on_signal(self, _signum: int, _frame: FrameType | None) -> None:
        self.stop.set()


def _begin(name: str, work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work, name=name, daemon=True)
    thread.start()
    return thread
