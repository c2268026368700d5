"""What a check has found, in one sentence, and what every check may look at."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path

from flask import Flask
from sqlalchemy import Engine, NullPool, create_engine, make_url

from helpdesk import database, tokens
from helpdesk.config import Settings
from helpdesk.database import engine_options
from helpdesk.outbound import transport

PATIENCE_SECONDS = 5.0


class Level(StrEnum):
    """How bad it is: only a failure changes the exit code."""

    OK = "ok"
    WARNING = "warning"
    FAILURE = "failure"


@dataclass(frozen=True, order=True)
class Finding:
    """One sentence about one part of the desk."""

    level: Level
    area: str
    sentence: str


@dataclass(frozen=True)
class Checkup:
    """One visit: the settings to look behind, the file they may be in, and who wants a test mail."""

    settings: Settings
    settings_file: Path | None = None
    test_mail_to: str = ""

    @property
    def is_sqlite(self) -> bool:
        return make_url(self.settings.database_uri).get_backend_name() == "sqlite"

    @property
    def database_file(self) -> Path:
        return Path(make_url(self.settings.database_uri).database or "")

    @cached_property
    def engine(self) -> Engine:
        """The database without the application: looking at it changes nothing and makes no file."""
        uri = self.settings.database_uri
        options = {"connect_args": {"timeout": PATIENCE_SECONDS}} if self.is_sqlite else engine_options(uri)
        return create_engine(uri, poolclass=NullPool, **options)

    @cached_property
    def app(self) -> Flask:
        """Just enough of an application to reach the mail server that sends."""
        app = Flask("helpdesk.doctor")
        app.extensions["settings"] = self.settings
        transport.init_app(app, self.settings)
        return app

    @cached_property
    def desk(self) -> Flask:
        """Just enough of an application to ask for access tokens, and to keep those that were renewed."""
        app = Flask("helpdesk.doctor")
        app.extensions["settings"] = self.settings
        app.config["SQLALCHEMY_DATABASE_URI"] = self.settings.database_uri
        app.config["SQLALCHEMY_ENGINE_OPTIONS"] = engine_options(self.settings.database_uri)
        database.init_app(app)
        tokens.init_app(app, [key.get_secret_value() for key in self.settings.secret_keys])
        return app


Check = Callable[[Checkup], Iterator[Finding]]


def fine(area: str, sentence: str) -> Finding:
    return Finding(Level.OK, area, sentence)


def look(area: str, sentence: str) -> Finding:
    return Finding(Level.WARNING, area, sentence)


def bad(area: str, sentence: str) -> Finding:
    return Finding(Level.FAILURE, area, sentence)


def reason_of(error: BaseException) -> str:
    """The first line of what an error says, without a full stop."""
    said = str(getattr(error, "orig", None) or error) or type(error).__name__
    return said.splitlines()[0].strip().rstrip(".")
