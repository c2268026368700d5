"""Where a ticket stands, as an event keeps it, and how it stands so again."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

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


def _moment(said: str | None) -> datetime | None:
    return datetime.fromisoformat(said) if said else None
