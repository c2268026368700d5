"""The floor: one static Flask page, and a bare insert of the rows of a form post, behind the desk's own gunicorn.

The page knows nothing of the desk, so that its start is that of Flask alone.
"""

import os
import sys
from typing import Any

from flask import Flask, render_template_string
from gunicorn.app.base import BaseApplication

WORKERS = 2
THREADS = 8
PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>{{ title }}</title></head>
<body>
<h1>{{ title }}</h1>
<ul>{% for word in words %}<li>{{ word }}</li>{% endfor %}</ul>
</body>
</html>
"""
TITLE = "A page without a database"
WORDS = TITLE.split()


class Floor(BaseApplication):  # type: ignore[misc]
    """Gunicorn with the desk's numbers of processes and threads."""

    def __init__(self, app: Flask, port: int) -> None:
        self.app, self.port = app, port
        super().__init__()

    def load_config(self) -> None:
        """Set what the desk sets."""
        options = {
            "bind": [f"127.0.0.1:{self.port}"], "workers": WORKERS, "threads": THREADS, "worker_class": "gthread",
            "preload_app": True, "control_socket_disable": True, "loglevel": "warning", "pre_fork": self.let_go,
        }  # fmt: skip
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """The application, before the fork."""
        return self.app

    def let_go(self, _arbiter: Any, _worker: Any) -> None:
        """Close database connections before a fork."""
        for release in self.app.extensions.get("before_fork", ()):
            release()


def static_page() -> Flask:
    """An application of one page."""
    app = Flask("floor")

    @app.get("/")
    def page() -> str:
        return render_template_string(PAGE, title=TITLE, words=WORDS)

    return app


def main(port: int) -> None:
    """Answer on a port of this machine until SIGTERM; with a data folder in the environment the insert is there too."""
    app = static_page()
    if "FLOOR_DATA_DIR" in os.environ:
        from benchmarks.bare_insert import add_insert  # noqa: PLC0415 the page alone must not know the desk

        add_insert(app, os.environ["FLOOR_DATA_DIR"], os.environ["FLOOR_DATABASE_URL"])
    Floor(app, port).run()


if __name__ == "__main__":
    main(int(sys.argv[1]))
