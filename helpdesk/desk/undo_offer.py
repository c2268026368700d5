"""The offer to undo what an agent did last, as it follows him over the desk for some minutes."""

from dataclasses import dataclass

from sqlalchemy import Select, String, bindparam, case, cast, func, literal, select

from helpdesk.agents.models import Agent
from helpdesk.columns import UtcDateTime
from helpdesk.tickets.events import Event, EventKind
from helpdesk.tickets.models import Ticket
from helpdesk.tickets.undoing import MATTER

ACT = "act"

DID = {
    EventKind.ASSIGNED: "assigned",
    EventKind.CLOSED: "closed",
    EventKind.REOPENED: "reopened",
    EventKind.MARKED_SPAM: "filed {} as spam",
    EventKind.UNMARKED_SPAM: "brought {} back from spam",
    EventKind.TOPIC_CHANGED: "set the topic of",
    EventKind.PRIORITY_CHANGED: "set the priority of",
    EventKind.MOVED: "moved",
    EventKind.RENAMED: "renamed",
    EventKind.ARTICLE_CHANGED: "set the article of",
    EventKind.SNOOZED: "snoozed",
    EventKind.WOKEN: "woke",
    EventKind.TAGGED: "tagged",
    EventKind.UNTAGGED: "took a tag off",
    EventKind.LINKED: "linked",
    EventKind.UNLINKED: "unlinked",
    EventKind.MERGED_AWAY: "merged",
}


@dataclass(frozen=True)
class Offer:
    """An act that can be undone: its name, and what it was, for people."""

    act: str
    sentence: str


def offer_rows(agent: Agent) -> Select[str, int, str]:
    """The newest act of this agent since the parameter `acts_since` of which nothing is undone, in one row."""
    of_act = select(
        func.max(Event.id).label("last"), func.count(Event.ticket_id.distinct()).label("tickets")
    ).where(
        Event.by_agent_id == agent.id,
        Event.act.is_not(None),
        Event.at > bindparam("acts_since", type_=UtcDateTime),
        Event.kind.in_(MATTER),
    )  # fmt: skip
    nothing_undone = func.max(case((Event.undone_at.is_not(None), 1), else_=0)) == 0
    newest = of_act.group_by(Event.act).having(nothing_undone).order_by(func.max(Event.id).desc()).limit(1).subquery()
    label = Event.act + literal(" ") + cast(Event.kind, String) + literal(" ") + cast(Ticket.number, String)
    rows = select(literal(ACT), newest.c.tickets.label("number"), label.label("label"))
    return rows.select_from(newest).join(Event, Event.id == newest.c.last).join(Event.ticket)


def offer_of(tickets: int, label: str) -> Offer:
    """The offer that a row of `offer_rows` makes."""
    act, kind, number = label.split()
    what = f"#{number}" if tickets == 1 else f"{tickets} tickets"
    did = DID[EventKind(kind)]
    return Offer(act, f"You {did.format(what)}." if "{}" in did else f"You {did} {what}.")
