"""Putting pages together: the sidebar around each, and the ticket's page from all its parts."""

from typing import Any

from flask import g, render_template, request, url_for

from helpdesk.config import settings
from helpdesk.desk.people import addresses_on, people_on
from helpdesk.desk.surroundings import load_surroundings
from helpdesk.desk.timeline import TOLD_BY_MESSAGES, newest_public_id, timeline
from helpdesk.sites.models import Priority
from helpdesk.tickets.drafts import DraftKind
from helpdesk.tickets.folders import Folder
from helpdesk.tickets.models import Resolution, Then
from helpdesk.tickets.neighbours import neighbours_of
from helpdesk.tickets.participants import copies_of
from helpdesk.tickets.queries import drafts_of, events_of, get_ticket_whole, messages_of
from helpdesk.tickets.slips import slip_of

PRIORITIES = tuple((priority.value, priority.value.capitalize()) for priority in Priority)
ENDINGS = tuple(resolution for resolution in Resolution if resolution is not Resolution.SPAM)


def desk_page(template: str, **context: Any) -> str:
    """A page of the desk with its sidebar."""
    around = context.pop("around", None) or load_surroundings(g.agent)
    return render_template(f"desk/{template}", around=around, folders=Folder, **context)


def ticket_page(
    number: int,
    *,
    problem: str = "",
    kind: DraftKind = DraftKind.REPLY,
    held: Then | None = None,
    seen: int | None = None,
) -> str:
    """A ticket's page. `problem` says what was not done; a reply that is `held` shows what came after `seen`.

    Raises NotFound for a ticket that is not there or not visible.
    """
    ticket = get_ticket_whole(number, g.agent)
    folder = opened_from()
    messages, events = messages_of(ticket), events_of(ticket, besides=TOLD_BY_MESSAGES)
    around = load_surroundings(g.agent, ticket, addresses_on(messages, ticket))
    people = people_on(messages, ticket, own=[address for _, address in around.own])
    return desk_page(
        "ticket.html",
        around=around, ticket=ticket, people=people, copies=copies_of(ticket), entries=timeline(messages, events),
        neighbours=neighbours_of(ticket, g.agent, folder=folder), drafts=drafts_of(ticket, g.agent), folder=folder,
        newest=newest_public_id(messages), problem=problem, kind=kind, held=held,
        fresh=[m for m in messages if m.is_public and seen is not None and m.id > seen] if held else [],
        slip=slip_of(ticket), priority_choices=PRIORITIES,
        endings=ENDINGS, then=Then, verb=verb_address(number), limits=settings(),
    )  # fmt: skip


def verb_address(number: int) -> Any:
    """A function that gives the address of a verb on this ticket, keeping the list it was opened from."""
    place = _place()
    return lambda verb, **values: url_for(f"desk.{verb}", number=number, **place, **values)


def ticket_address(number: int, *, anchor: str | None = None) -> str:
    """The address of a ticket's page, keeping the list it was opened from."""
    return url_for("desk.ticket", number=number, _anchor=anchor, **_place())


def opened_from() -> Folder | None:
    """The list that this page was opened from."""
    name = request.args.get("in", "")
    return Folder(name) if name in list(Folder) else None


def _place() -> dict[str, Any]:
    folder = opened_from()
    return {"in": folder.value} if folder else {}
