"""All the small lists a page shows around its matter, read in one statement: counts, choices, raw mails."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import BindParameter, CompoundSelect, Integer, String, bindparam, cast, func, literal, select, union_all

from helpdesk import clock
from helpdesk.agents.models import Agent
from helpdesk.agents.queries import per_agent
from helpdesk.canned_replies.models import CannedReply
from helpdesk.columns import UtcDateTime, word
from helpdesk.database import db
from helpdesk.desk.alarms import SENTENCES, pause_sentence, sentence_of
from helpdesk.desk.undo_offer import ACT, Offer, offer_of, offer_rows
from helpdesk.inbound.doubts import doubt_in
from helpdesk.inbound.models import InboundEmail, InboundState, StuckEmail
from helpdesk.inbound.troubles import PAUSED, Rows, patience_ends, troubles
from helpdesk.outbound.models import OutboundEmail, Release
from helpdesk.sites.models import Queue, Topic
from helpdesk.tickets.folders import COUNT_STOPS_AT, COUNTED, folder_counts
from helpdesk.tickets.messages import Message
from helpdesk.tickets.models import Ticket
from helpdesk.tickets.tags import Tag
from helpdesk.tickets.undoing import OFFERED_FOR

MOST_TAGS = 200
MOST_NAMED = 40

Choice = tuple[int, str]


@dataclass
class Surroundings:
    """Counts for the sidebar; on a ticket's page also what can be chosen there, by label. Alarms are for all;
    `undo` are the own replies that still wait, each with the number of its ticket; `paused` says who paused sending.
    `act` is what was done last and can be undone.
    `own` are those of the addresses named on a ticket that are the desk's or its staff's. `raw` is the mail that a
    message came by, `doubt` why nothing proves its sender.
    """

    count: dict[str, int] = field(default_factory=dict)
    agent: list[Choice] = field(default_factory=list)
    topic: list[Choice] = field(default_factory=list)
    queue: list[Choice] = field(default_factory=list)
    canned: list[Choice] = field(default_factory=list)
    tag: list[Choice] = field(default_factory=list)
    raw: dict[int, int] = field(default_factory=dict)
    doubt: dict[int, str] = field(default_factory=dict)
    undo: list[Choice] = field(default_factory=list)
    own: list[Choice] = field(default_factory=list)
    alarms: list[str] = field(default_factory=list)
    paused: str = ""
    act: Offer | None = None

    def counted(self, name: str) -> str:
        """A count as the sidebar writes it; nothing for none."""
        count = self.count.get(name, 0)
        return f"{COUNT_STOPS_AT - 1}+" if count >= COUNT_STOPS_AT else str(count or "")


def load_surroundings(agent: Agent, ticket: Ticket | None = None, named: Collection[str] = ()) -> Surroundings:
    """Read what stands around a page for this agent, and around `ticket` when it is the matter.

    `named` are the addresses that stand on its page, as our rows may spell them; at most 40 of them are looked up.
    """
    values: dict[str, Any] = {
        "now": clock.now(), "since": patience_ends(), "acts_since": clock.now() - OFFERED_FOR,
    }  # fmt: skip
    if ticket:
        always_as_many = [*named, *[""] * MOST_NAMED][:MOST_NAMED]  # so that the statement stays the same
        values |= {"ticket_id": ticket.id, "site_id": ticket.site_id, "named": always_as_many}
    found = Surroundings()
    for kind, number, label in db.session.execute(_around_a_ticket(agent) if ticket else _around(agent), values):
        if kind == "count":
            found.count[label or ""] = number or 0
        elif kind == "raw":
            found.raw[int(label or 0)] = number or 0
        elif kind == "doubt":
            found.doubt[number or 0] = doubt_in(label or "")
        elif kind == PAUSED:
            found.paused = pause_sentence(label or "", timezone=agent.timezone)
        elif kind == ACT:
            found.act = offer_of(number or 0, label or "")
        elif kind in SENTENCES:
            found.alarms.append(sentence_of(kind, label))
        else:
            getattr(found, kind).append((number, label))
    for choices in (found.agent, found.topic, found.queue, found.canned, found.tag):
        choices.sort(key=lambda choice: choice[1].casefold())
    return found


@per_agent
def _around(agent: Agent) -> CompoundSelect[Any]:
    return union_all(*_always(agent))


@per_agent
def _around_a_ticket(agent: Agent) -> CompoundSelect[Any]:
    return union_all(*_always(agent), *_choices(), *_raw_mails())


def _always(agent: Agent) -> list[Rows]:
    return [*_counts(agent), *troubles(bindparam("since", type_=UtcDateTime)), _to_undo(agent), offer_rows(agent)]


def _counts(agent: Agent) -> list[Rows]:
    parts = [
        _rows("count", column, literal(folder.value))
        for folder, column in zip(COUNTED, folder_counts(agent), strict=True)
    ]
    if agent.can("mail.read"):
        failed = select(func.count()).where(InboundEmail.state == InboundState.FAILED).scalar_subquery()
        stuck = select(func.count()).where(StuckEmail.left_at.is_(None)).scalar_subquery()
        parts.append(_rows("count", failed + stuck, literal("mail")))
    return parts


def _to_undo(agent: Agent) -> Rows:
    waits = (
        OutboundEmail.release == word(Release.HELD),
        OutboundEmail.not_before > bindparam("now", type_=UtcDateTime),
    )
    rows = _rows("undo", Message.id, cast(Ticket.number, String)).select_from(OutboundEmail)
    of_mail = rows.join(Message, Message.outbound_email_id == OutboundEmail.id).join(Message.ticket)
    is_own = func.coalesce(Message.agent_id, 0) == agent.id  # no index by agents: the few mails that wait come first
    return of_mail.where(is_own, *waits)


def _choices() -> list[Rows]:
    site_id = bindparam("site_id", type_=Integer)
    tags = select(Tag).order_by(Tag.id.desc()).limit(MOST_TAGS).subquery().c
    return [
        _rows("agent", Agent.id, Agent.name).where(Agent.active),
        _rows("topic", Topic.id, Topic.label).where(Topic.site_id == site_id, Topic.active),
        _rows("queue", Queue.id, Queue.name).where(Queue.site_id == site_id),
        _rows("canned", CannedReply.id, CannedReply.name).where(CannedReply.site_id == site_id),
        _rows("tag", tags.id, tags.name),
        _rows("own", Queue.id, Queue.intake_address).where(Queue.intake_address.in_(_named())),
        _rows("own", Agent.id, Agent.email).where(Agent.email.in_(_named())),
    ]


def _named() -> BindParameter[list[str]]:
    return bindparam("named", expanding=True)


def _raw_mails() -> list[Rows]:
    """Which mail each message came by, as (inbound id, message id), and what makes us doubt the sender of some."""
    is_here = (Message.id == InboundEmail.became_id, Message.ticket_id == bindparam("ticket_id", type_=Integer))
    became = cast(InboundEmail.became_id, String)
    doubted = _rows("doubt", Message.id, InboundEmail.reason).where(*is_here, ~Message.verified)
    return [_rows("raw", InboundEmail.id, became).where(*is_here), doubted]


def _rows(kind: str, number: Any, label: Any) -> Rows:
    return select(literal(kind), number.label("number"), label.label("label"))
