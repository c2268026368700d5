"""Undoing an act: all that one press of a button did, to one ticket or to many, as one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import select

from helpdesk import clock
from helpdesk.agents.models import Agent
from helpdesk.articles.models import Article
from helpdesk.database import db, transactional
from helpdesk.errors import Conflict
from helpdesk.sites.models import Queue, Topic
from helpdesk.tickets.events import Event, EventKind
from helpdesk.tickets.models import Ticket
from helpdesk.tickets.standing import read, said
from helpdesk.tickets.tags import Tag
from helpdesk.tickets.visibility import visible_to

OFFERED_FOR = timedelta(minutes=10)

_STANDING = ("status", "resolution", "closed_at")
MATTER: dict[EventKind, tuple[str, ...]] = {
    EventKind.ASSIGNED: ("assignee_id",),
    EventKind.CLOSED: _STANDING,
    EventKind.REOPENED: _STANDING,
    EventKind.MARKED_SPAM: _STANDING,
    EventKind.UNMARKED_SPAM: _STANDING,
    EventKind.TOPIC_CHANGED: ("topic_id",),
    EventKind.PRIORITY_CHANGED: ("priority",),
    EventKind.MOVED: ("queue_id",),
    EventKind.RENAMED: ("subject",),
    EventKind.ARTICLE_CHANGED: ("article_id",),
    EventKind.SNOOZED: ("snoozed_until",),
    EventKind.WOKEN: ("snoozed_until",),
    EventKind.TAGGED: (),
    EventKind.UNTAGGED: (),
}
NOUNS: dict[str, type[Agent | Topic | Queue | Article]] = {
    "assignee_id": Agent,
    "topic_id": Topic,
    "queue_id": Queue,
    "article_id": Article,
}
_LEAVES_SIGHT = (EventKind.MOVED, EventKind.ASSIGNED)


@dataclass
class Undone:
    """What became of an undo: the tickets that are as they were, and a sentence for each that is not."""

    numbers: list[int] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)

    @property
    def sentence(self) -> str:
        """The result, for people."""
        if not self.numbers:
            return " ".join(self.kept)
        done = f"Undone on {len(self.numbers)} tickets." if len(self.numbers) > 1 else "Undone."
        return " ".join([done, *self.kept])


@transactional
def undo_act(act: str, *, by: Agent) -> Undone:
    """Take back an act of one's own. A ticket where somebody changed the same thing since stays as it is, and the
    result says so. Raises Conflict when there is nothing to undo, as when it was undone before.
    """
    mine = (Event.act == act, Event.by_agent_id == by.id, Event.kind.in_(MATTER), Event.undone_at.is_(None))
    events = db.session.scalars(select(Event).where(*mine).order_by(Event.ticket_id, Event.id)).all()
    result = Undone()
    for ticket_id, done in groupby(events, key=lambda event: event.ticket_id):
        ticket = db.session.get_one(Ticket, ticket_id)
        try:
            with db.session.begin_nested():
                _undo_on(ticket, done=list(done), by=by)
            result.numbers.append(ticket.number)
        except Conflict as reason:
            result.kept.append(reason.message)
    if not result.numbers and not result.kept:
        raise Conflict("There is nothing left to undo here.")
    return result


@transactional
def _undo_on(ticket: Ticket, *, done: Sequence[Event], by: Agent) -> None:
    """Take it back on one ticket, the last first. Raises Conflict, saying why, when that would undo others' work."""
    _refuse_unseen(ticket, done, by)
    later = _later(ticket, done)
    for event in reversed(done):
        _refuse_changed(ticket, event, later)
        TAKE_BACK.get(event.kind, _nothing_more)(ticket, event)
        _restore(ticket, event, is_untouched=not any(one.by_agent_id for one in later))
        event.undone_at = clock.now()
    ticket.sort_at = ticket.waiting_since or ticket.last_message_at
    told = {"undone": done[0].sentence}
    db.session.add(Event(ticket=ticket, kind=EventKind.ACT_UNDONE, at=clock.now(), by_agent=by, data=told))
    db.session.flush()
    db.session.expire(ticket, [column.removesuffix("_id") for column in NOUNS])


def _refuse_unseen(ticket: Ticket, done: Sequence[Event], by: Agent) -> None:
    """What is out of sight is nobody's to change, unless the act itself took it there a moment ago."""
    seen = select(Ticket.id).where(Ticket.id == ticket.id, visible_to(by))
    led_there = any(event.kind in _LEAVES_SIGHT for event in done) and clock.now() - done[0].at < OFFERED_FOR
    if not led_there and db.session.scalar(seen) is None:
        raise Conflict("One ticket is no longer yours to see, and stays as it is.")


def _later(ticket: Ticket, done: Sequence[Event]) -> Sequence[Event]:
    since = (Event.ticket_id == ticket.id, Event.id > done[0].id, Event.undone_at.is_(None))
    return [event for event in db.session.scalars(select(Event).where(*since)) if event.act != done[0].act]


def _refuse_changed(ticket: Ticket, event: Event, later: Sequence[Event]) -> None:
    matter = MATTER[event.kind]
    for other in later:
        if any(column in other.data.get("changed", {}) for column in matter):
            raise Conflict(f"#{ticket.number} stays as it is: {other.actor} {other.sentence} since.")
    for column, (_, became) in event.data["changed"].items():
        if column in matter and said(getattr(ticket, column)) != became:
            raise Conflict(f"#{ticket.number} stays as it is: it was changed since.")


def _restore(ticket: Ticket, event: Event, *, is_untouched: bool) -> None:
    """What the verb was about, and what it changed along the way where that still stands so."""
    for column, (was, became) in event.data["changed"].items():
        is_aside = column not in MATTER[event.kind]
        if is_aside and (said(getattr(ticket, column)) != became or (column == "status" and not is_untouched)):
            continue
        _refuse_gone(ticket, column, was)
        setattr(ticket, column, read(column, was))


def _refuse_gone(ticket: Ticket, column: str, was: Any) -> None:
    if was is None or column not in NOUNS:
        return
    noun = db.session.get(NOUNS[column], was)
    if noun is None or not getattr(noun, "active", True):
        raise Conflict(f"#{ticket.number} stays as it is: what stood there before is gone.")


def _untag(ticket: Ticket, event: Event) -> None:
    ticket.tags = [tag for tag in ticket.tags if tag.name != event.data["tag"]]


def _tag(ticket: Ticket, event: Event) -> None:
    tag = db.session.scalar(select(Tag).where(Tag.name == event.data["tag"]))
    if tag is None:
        raise Conflict(f"#{ticket.number} stays as it is: there is no tag {event.data['tag']} any more.")
    if tag not in ticket.tags:
        ticket.tags.append(tag)


def _nothing_more(_ticket: Ticket, _event: Event) -> None:
    """All that such an act changed are columns."""


TAKE_BACK: dict[EventKind, Callable[[Ticket, Event], None]] = {EventKind.TAGGED: _untag, EventKind.UNTAGGED: _tag}
