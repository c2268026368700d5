"""What all staff must know at once: mail that does not leave, does not come in, or is held back."""

from datetime import UTC, datetime

from helpdesk.inbound.troubles import NOT_FETCHED, NOT_READ, NOT_SENT, NOT_TAKEN, NOT_TRIED
from helpdesk.templating import moment

SENTENCES = {
    NOT_SENT: "Mail does not leave: {why}. It is kept, and tried again and again.",
    NOT_TRIED: "Mail waits and nobody sends it. Is the worker running?",
    NOT_READ: "Mail that came in waits and nobody reads it. Is the worker running?",
    NOT_TAKEN: "The mailbox “{name}” holds {why}. The page Mail says which.",
    NOT_FETCHED: "The mailbox “{name}” cannot be read: {why}. It is tried again and again.",
}
PAUSE = "Sending is paused by {who} since {since}. All mail waits here until it is resumed."


def pause_sentence(detail: str, *, timezone: str) -> str:
    """Who paused sending and since when, for people."""
    who, _, written = detail.partition("\n")
    paused_at = datetime.fromisoformat(written)
    paused_at = paused_at if paused_at.tzinfo else paused_at.replace(tzinfo=UTC)
    return PAUSE.format(who=who, since=moment(paused_at, timezone))


def sentence_of(kind: str, detail: str | None) -> str:
    """An alarm's row for people."""
    name, _, reason = (detail or "").partition("\n")
    why = reason.rstrip(".") or "nobody says why"
    return SENTENCES[kind].format(name=name, why=why)
