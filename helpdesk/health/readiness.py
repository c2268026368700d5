"""Whether the desk can serve: each part by name, ok or not; the reason is for the log."""

import logging
import shutil
import tempfile
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Connection, Integer, String, exists, literal, select, union_all
from sqlalchemy.exc import SQLAlchemyError

from helpdesk import clock
from helpdesk.config import Settings
from helpdesk.health.probe import Probe
from helpdesk.inbound.troubles import PAUSED, TROUBLES_IN, TROUBLES_OUT, Rows, patience_ends, troubles
from helpdesk.outbound.waiting import is_limited
from helpdesk.ticks import PeriodicTick
from helpdesk.versions import is_newest

log = logging.getLogger(__name__)

ON_PURPOSE = "paused"
LIMITED = "waits for the hourly limit"
WELL = ("", ON_PURPOSE, LIMITED)
WORKER_SEEN_WITHIN = timedelta(minutes=3)


def reasons_against(settings: Settings, probe: Probe) -> dict[str, str]:
    """Each part of the desk with the reason why it is not ready, which is one of WELL for a part that is."""
    found = _of_database(probe) | {"disk": _of_disk(settings, probe)}
    bad = {name: reason for name, reason in found.items() if reason not in WELL}
    if bad:
        log.warning("not ready", extra={"parts": " ".join(bad), "reason": "; ".join(bad.values())})
    return found


def _of_database(probe: Probe) -> dict[str, str]:
    names = ("database", "migrations", "mail_out", "mail_in", "worker")
    parts = (_worker_seen(clock.now() - WORKER_SEEN_WITHIN), _row(LIMITED).where(is_limited(clock.now())))
    statement: Any = union_all(*troubles(patience_ends()), *parts)
    try:
        kinds = probe.ask_database("ready", partial(_read, statement=statement))
    except (SQLAlchemyError, OSError) as error:
        reason = f"{type(error).__name__} {getattr(error, 'orig', '')}"
        return dict.fromkeys(names, f"the database does not answer: {reason}")
    if kinds is None:
        return dict.fromkeys(names, "migrations wait") | {"database": ""}
    return {
        "database": "",
        "migrations": "",
        "mail_out": _told(kinds & TROUBLES_OUT) or _why_it_waits(kinds),
        "mail_in": _told(kinds & TROUBLES_IN),
        "worker": "" if "worker" in kinds else "no worker was seen lately",
    }


def _read(connection: Connection, *, statement: Any) -> set[str] | None:
    return {row[0] for row in connection.execute(statement)} if is_newest(connection) else None


def _worker_seen(since: datetime) -> Rows:
    return _row("worker").where(exists().where(PeriodicTick.minute > since))


def _row(kind: str) -> Rows:
    return select(literal(kind), literal(None, Integer).label("number"), literal(None, String).label("label"))


def _why_it_waits(kinds: set[str]) -> str:
    return ON_PURPOSE if PAUSED in kinds else LIMITED if LIMITED in kinds else ""


def _of_disk(settings: Settings, probe: Probe) -> str:
    try:
        return probe.ask("disk", partial(_try_disk, settings))
    except OSError as error:
        return f"the data folder cannot be written: {type(error).__name__}"


def _try_disk(settings: Settings) -> str:
    with tempfile.TemporaryFile(dir=settings.data_dir) as file:
        file.write(b"ready")
    free = shutil.disk_usage(settings.data_dir).free
    return "" if free >= settings.keep_free_bytes else f"only {free} bytes are free"


def _told(kinds: set[str]) -> str:
    return ", ".join(f"mail {kind}" for kind in sorted(kinds))
