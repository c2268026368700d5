"""Tickets as tests want them: plain functions with keyword overrides, through the real operations."""

from helpdesk.database import db
from helpdesk.outbound.models import OutboundEmail
from helpdesk.sites.models import Topic
from helpdesk.tickets.models import Origin, Ticket
from helpdesk.tickets.operations import Letter, open_ticket
from tests.cast import ARTICLE_URL, RUTH, Cast

BODY = "The bridge opened in 1932, not 1923.\nIt says so on the plaque."


def make_ticket(
    cast: Cast, *, body: str = BODY, address: str = RUTH, name: str = "Ruth Reed", **overrides: object
) -> Ticket:
    """A ticket of Ruth's about the harbour bridge."""
    letter = Letter(body_text=body, from_address=address, from_name=name)
    topic = db.session.query(Topic).filter_by(slug="mistake").one()
    values: dict[str, object] = {
        "queue": cast.queue, "letter": letter, "origin": Origin.FORM, "topic": topic, "article_url": ARTICLE_URL,
    }  # fmt: skip
    return open_ticket(cast.site, **(values | overrides))  # type: ignore[arg-type]


def follow_up_letter(body: str = "And the photo is of another bridge.", **fields: object) -> Letter:
    """What Ruth writes next."""
    return Letter(**({"body_text": body, "from_address": RUTH, "from_name": "Ruth Reed"} | fields))  # type: ignore[arg-type]


def outbox() -> list[OutboundEmail]:
    """All mails ever queued, oldest first."""
    return list(db.session.query(OutboundEmail).order_by(OutboundEmail.id))


def event_kinds(ticket: Ticket) -> list[str]:
    """What happened to a ticket, in order."""
    return [event.kind.value for event in ticket.events]
