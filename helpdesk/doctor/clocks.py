"""The clock against two others, and the zones that people live in."""

import http.client
import zoneinfo
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from helpdesk import clock
from helpdesk.doctor.addressing import LIVE, ask
from helpdesk.doctor.findings import Checkup, Finding, bad, fine, look

AREA = "clock"
MOST_SECONDS = 60
A_ZONE = "Europe/Berlin"


def check_clock(checkup: Checkup) -> Iterator[Finding]:
    """Not more than a minute off the web server's clock and the database's."""
    others = (("the web server", _web_time(checkup)), ("the database", _database_time(checkup)))
    problems = [
        look(AREA, f"Our clock is more than a minute off that of {who}; let both follow a time server (NTP).")
        for who, moment in others
        if moment is not None and abs((clock.now() - moment).total_seconds()) > MOST_SECONDS
    ]
    yield from problems or [fine(AREA, "No clock that we can see is more than a minute off.")]


def check_time_zones(_checkup: Checkup) -> Iterator[Finding]:
    """The time zone database is installed."""
    try:
        zoneinfo.ZoneInfo(A_ZONE)
        yield fine(AREA, "The time zones are installed.")
    except zoneinfo.ZoneInfoNotFoundError:
        yield bad(AREA, "There is no time zone database; install the tzdata package.")


def _web_time(checkup: Checkup) -> datetime | None:
    try:
        said = ask(checkup.settings, LIVE).date
        return parsedate_to_datetime(said).astimezone(UTC) if said else None
    except (OSError, ValueError, http.client.HTTPException):
        return None


def _database_time(checkup: Checkup) -> datetime | None:
    if checkup.is_sqlite:
        return None  # it has no clock but ours
    try:
        with checkup.engine.connect() as connection:
            moment: datetime | None = connection.scalar(text("SELECT clock_timestamp()"))
            return moment
    except SQLAlchemyError:
        return None
