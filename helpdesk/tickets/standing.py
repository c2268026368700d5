"""Where a ticket stands, as an event keeps it, and how it stands so again."""

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from helpdesk.sites.models import Priority
from helpdesk.tickets.states import Resolution, Status

if TYPE_CHECKING:
    from helpdesk.tickets.models import Ticket


def before(ticket: "Ticket") -> dict[str, Any]:
    """What a verb is about to change, enough to undo it, as JSON under the key “before”."""
    moments = {"waiting_since": ticket.waiting_since, "closed_at": ticket.closed_at}
    said = {name: moment.isoformat() if moment else None for name, moment in moments.items()}
    now = {"status": ticket.status, "resolution": ticket.resolution, "assignee": ticket.assignee_id}
    return {"before": now | said}


def restore(ticket: "Ticket", was: dict[str, Any]) -> None:
    """Let the ticket stand as it did."""
    ticket.status = Status(was["status"])
    ticket.resolution = Resolution(was["resolution"]) if was["resolution"] else None
    ticket.assignee_id = was["assignee"]
    ticket.waiting_since, ticket.closed_at = _moment(was["waiting_since"]), _moment(was["closed_at"])
    ticket.sort_at = ticket.waiting_since or ticket.last_message_at


COLUMNS = (
    "subject", "status", "resolution", "priority", "assignee_id", "topic_id", "queue_id", "article_id",
    "snoozed_until", "closed_at", "waiting_since", "merged_into_id",
)  # fmt: skip
_WORDS: dict[str, Callable[[str], StrEnum]] = {"status": Status, "resolution": Resolution, "priority": Priority}
_MOMENTS = ("snoozed_until", "closed_at", "waiting_since")


def look(ticket: "Ticket") -> dict[str, Any]:
    """All that a verb may change, as JSON."""
    return {column: said(getattr(ticket, column)) for column in COLUMNS}


def differences(was: dict[str, Any], became: dict[str, Any]) -> dict[str, list[Any]]:
    """What is not as it was, with both values, for an event to keep."""
    return {column: [was[column], became[column]] for column in COLUMNS if was[column] != became[column]}


def said(value: Any) -> Any:
    """A column's value as JSON."""
    return value.isoformat() if isinstance(value, datetime) else value


def read(column: str, value: Any) -> Any:
    """A column's value out of JSON."""
    if value is None:
        return None
    if column in _MOMENTS:
        return _moment(value)
    return _WORDS[column](value) if column in _WORDS else value


def _moment(said: str | None) -> datetime | None:
    return datetime.fromisoformat(said) if said else None
