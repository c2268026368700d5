"""`helpdesk web`: gunicorn with two processes of eight threads."""

import gc
import logging
import socket
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger

from helpdesk import create_app, metrics
from helpdesk.config import Settings
from helpdesk.database import db

WORKERS = 2
THREADS = 8
GARBAGE = (20_000, 20, 20)  # a page of 200 messages must not be searched for it a dozen times
GRACE_SECONDS = 10
LONGEST_LINE = 8190  # in bytes, the most that gunicorn allows: links name whole addresses


class RoutedLogger(Logger):  # type: ignore[misc]
    """Hands gunicorn's own events to our log; each request is told there by the application itself."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True


class Server(BaseApplication):  # type: ignore[misc]
    """Gunicorn around our application, configured here instead of by a file."""

    def __init__(self, settings: Settings, *, bind: list[str], access_log: bool) -> None:
        self.settings, self.bind, self.access_log = settings, bind, access_log
        super().__init__()

    def load_config(self) -> None:
        options = {
            "bind": self.bind,
            "workers": WORKERS,
            "threads": THREADS,
            "worker_class": "gthread",
            "preload_app": True,
            "graceful_timeout": GRACE_SECONDS,
            "control_socket_disable": True,
            "forwarded_allow_ips": "",  # what a proxy says is read in one place alone, and its hops are counted there
            "logger_class": RoutedLogger,
            "limit_request_line": LONGEST_LINE,
            "accesslog": None,
            "loglevel": "info" if self.access_log else "warning",
            "child_exit": lambda _arbiter, worker: metrics.forget_process(worker.pid),
            "pre_fork": lambda _arbiter, _worker: get_ready_to_fork(self.application),
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        self.application = create_app(self.settings)
        return self.application


def serve(settings: Settings, *, bind: list[str], access_log: bool = True) -> None:
    """Answer web requests until SIGTERM; `bind` are addresses as gunicorn writes them, such as 127.0.0.1:5000."""
    if not access_log:
        logging.getLogger("helpdesk.request_log").setLevel(logging.WARNING)
    Server(settings, bind=bind, access_log=access_log).run()


def serve_on(settings: Settings, listener: socket.socket, *, access_log: bool = False) -> None:
    """Answer web requests on a socket that is bound already."""
    listener.set_inheritable(True)
    serve(settings, bind=[f"fd://{listener.detach()}"], access_log=access_log)  # gunicorn closes it


def get_ready_to_fork(app: Flask) -> None:
    """Let go of connections, and never search the code for garbage: its memory stays shared between the processes."""
    let_go_of_connections(app)
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE)


def let_go_of_connections(app: Flask) -> None:
    """Close database connections before a fork: neither SQLite nor PostgreSQL may be used across one."""
    with app.app_context():
        db.engine.dispose()
    app.extensions["huey"].storage.close()
