"""The outbox: what waits there by itself, for how long and why."""

from collections.abc import Iterator

from sqlalchemy import select

from helpdesk import clock
from helpdesk.doctor.databases import is_migrated
from helpdesk.doctor.findings import Checkup, Finding, fine, look
from helpdesk.outbound.models import DestinationWait
from helpdesk.outbound.waiting import AUTOMATIC, LIMIT, RELAY

AREA = "outbox"


def check_outbox(checkup: Checkup) -> Iterator[Finding]:
    """What mail waits for, and until when; nothing when it need not. The hourly limit is what the owner wanted."""
    if not is_migrated(checkup):
        return
    wait = DestinationWait
    with checkup.engine.connect() as connection:
        waits = select(wait.name, wait.reason, wait.until).where(wait.until > clock.now()).order_by(wait.name)
        found = connection.execute(waits).all()
    for name, reason, until in found:
        yield _told(name, reason.rstrip("."), f"{until:%H:%M} UTC")


def _told(name: str, reason: str, until: str) -> Finding:
    if name.startswith(LIMIT):
        return fine(AREA, f"Mail waits until {until} for the limit of HELPDESK_SMTP_HOURLY_CAP: {reason}.")
    if name.startswith(AUTOMATIC):
        return fine(AREA, f"Receipts wait until {until} for their half of HELPDESK_SMTP_HOURLY_CAP: {reason}.")
    if name == RELAY:
        return look(AREA, f"All mail waits until {until} since the mail server that sends said: {reason}.")
    return look(AREA, f"Mail to {name} waits until {until} since somebody there said: {reason}.")
