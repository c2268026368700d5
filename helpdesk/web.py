"""`helpdesk web`: gunicorn with two processes of eight threads, and a log that keeps no secrets."""

import gc
import re
import socket
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger

from helpdesk import create_app
from helpdesk.config import Settings
from helpdesk.database import db

WORKERS = 2
THREADS = 8
GRACE_SECONDS = 10
LONGEST_LINE = 8190  # in bytes, the most that gunicorn allows: links name whole addresses
ACCESS_LINE = "%(h)s %(m)s %(U)s %(s)s %(b)s %(L)s"
_SECRET = re.compile(r"/[A-Za-z0-9._~+-]{24,}")


class CarefulLogger(Logger):  # type: ignore[misc]
    """Writes no query strings, no referring pages, and no path segment that is long enough to be a token."""

    def atoms(self, resp: Any, req: Any, environ: dict[str, Any], request_time: Any) -> dict[str, Any]:
        atoms: dict[str, Any] = super().atoms(resp, req, environ, request_time)
        return {name: atoms[name] for name in "hmsbL"} | {"U": masked(str(atoms["U"]))}


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
            "logger_class": CarefulLogger,
            "limit_request_line": LONGEST_LINE,
            "accesslog": "-" if self.access_log else None,
            "access_log_format": ACCESS_LINE,
            "loglevel": "info" if self.access_log else "warning",
            "pre_fork": lambda _arbiter, _worker: get_ready_to_fork(self.application),
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        self.application = create_app(self.settings)
        return self.application


def serve(settings: Settings, *, bind: list[str], access_log: bool = True) -> None:
    """Answer web requests until SIGTERM; `bind` are addresses as gunicorn writes them, such as 127.0.0.1:5000."""
    Server(settings, bind=bind, access_log=access_log).run()


def serve_on(settings: Settings, listener: socket.socket, *, access_log: bool = False) -> None:
    """Answer web requests on a socket that is bound already."""
    listener.set_inheritable(True)
    serve(settings, bind=[f"fd://{listener.detach()}"], access_log=access_log)  # gunicorn closes it


def masked(path: str) -> str:
    """A path for the log: each segment that could be a token becomes a dot."""
    return _SECRET.sub("/…", path)


def get_ready_to_fork(app: Flask) -> None:
    """Let go of connections, and never search the code for garbage: its memory stays shared between the processes."""
    let_go_of_connections(app)
    gc.collect()
    gc.freeze()


def let_go_of_connections(app: Flask) -> None:
    """Close database connections before a fork: neither SQLite nor PostgreSQL may be used across one."""
    with app.app_context():
        db.engine.dispose()
    app.extensions["huey"].storage.close()
