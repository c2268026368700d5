"""Event, the append-only history: one entry for each thing that happened, with its sentence for people."""

from collections import defaultdict
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from helpdesk.agents.models import Agent
from helpdesk.columns import one_of
from helpdesk.database import Base
from helpdesk.readers.models import Reader

if TYPE_CHECKING:
    from helpdesk.tickets.models import Ticket

SUBJECTS = ("ticket_id", "article_id", "reader_id", "agent_id", "site_id")


class EventKind(StrEnum):
    """Everything that can happen to a ticket, in the past tense."""

    OPENED = "opened"
    FOLLOWED_UP = "followed_up"
    REPLIED = "replied"
    NOTED = "noted"
    ASSIGNED = "assigned"
    CLOSED = "closed"
    REOPENED = "reopened"
    MARKED_SPAM = "marked_spam"
    UNMARKED_SPAM = "unmarked_spam"
    TOPIC_CHANGED = "topic_changed"
    PRIORITY_CHANGED = "priority_changed"
    MOVED = "moved"
    TAGGED = "tagged"
    UNTAGGED = "untagged"
    AUTO_REPLIED = "auto_replied"
    BOUNCED = "bounced"
    SEND_FAILED = "send_failed"
    SEND_RETRIED = "send_retried"
    SEND_HANDLED = "send_handled"
    REPLY_UNDONE = "reply_undone"
    PARTICIPANT_ADDED = "participant_added"
    PARTICIPANT_REMOVED = "participant_removed"
    THANKED = "thanked"
    COMPLAINED = "complained"
    READER_NAMED = "reader_named"
    RENAMED = "renamed"
    ARTICLE_CHANGED = "article_changed"
    SNOOZED = "snoozed"
    WOKEN = "woken"
    MERGED = "merged"
    MERGED_AWAY = "merged_away"
    UNMERGED = "unmerged"
    SPLIT_OFF = "split_off"
    SPLIT_FROM = "split_from"
    LINKED = "linked"
    UNLINKED = "unlinked"
    MENTIONED = "mentioned"
    MACRO_RUN = "macro_run"
    SEND_PLANNED = "send_planned"
    SEND_UNPLANNED = "send_unplanned"
    ACT_UNDONE = "act_undone"
    READER_BLOCKED = "reader_blocked"
    READER_UNBLOCKED = "reader_unblocked"
    READERS_MERGED = "readers_merged"
    ADDRESS_ADDED = "address_added"
    ADDRESS_REMOVED = "address_removed"
    AGENT_INVITED = "agent_invited"
    AGENT_CHANGED = "agent_changed"
    SETUP_CHANGED = "setup_changed"


_SENTENCES = {
    EventKind.OPENED: "opened this ticket",
    EventKind.FOLLOWED_UP: "wrote again",
    EventKind.REPLIED: "replied",
    EventKind.NOTED: "added a note",
    EventKind.ASSIGNED: "assigned it to {after}",
    EventKind.REOPENED: "reopened the ticket",
    EventKind.MARKED_SPAM: "marked this as spam",
    EventKind.UNMARKED_SPAM: "said this is not spam",
    EventKind.TOPIC_CHANGED: "set the topic to {after}",
    EventKind.PRIORITY_CHANGED: "set the priority to {after}",
    EventKind.MOVED: "moved it from {before} to {after}",
    EventKind.TAGGED: "added the tag {tag}",
    EventKind.UNTAGGED: "removed the tag {tag}",
    EventKind.AUTO_REPLIED: "answered automatically",
    EventKind.BOUNCED: "could not deliver to {address}: {reason}",
    EventKind.SEND_FAILED: "could not deliver to {address}: {reason}",
    EventKind.SEND_RETRIED: "sent the mail once more",
    EventKind.SEND_HANDLED: "handled the mail to {address} that did not arrive",
    EventKind.REPLY_UNDONE: "took the reply back before it left",
    EventKind.PARTICIPANT_ADDED: "added {address}, who gets our replies too",
    EventKind.PARTICIPANT_REMOVED: "removed {address}, who gets no more replies",
    EventKind.THANKED: "only said thank you, so the ticket stays closed",
    EventKind.COMPLAINED: "heard that {address} reported our mail as unwanted, and sends no more automatic mail there",
    EventKind.READER_NAMED: "named {after} as the reader",
    EventKind.RENAMED: "changed the subject from “{before}” to “{after}”",
    EventKind.ARTICLE_CHANGED: "set the article to {after}",
    EventKind.SNOOZED: "snoozed it until {until}",
    EventKind.WOKEN: "woke it: {reason}",
    EventKind.MERGED: "merged #{number} into this ticket",
    EventKind.MERGED_AWAY: "merged this ticket into #{number}",
    EventKind.UNMERGED: "took #{number} out again",
    EventKind.SPLIT_OFF: "made #{number} of one message of this ticket",
    EventKind.SPLIT_FROM: "made this ticket of a message in #{number}",
    EventKind.LINKED: "linked #{number}: {relation}",
    EventKind.UNLINKED: "removed the link to #{number}",
    EventKind.MENTIONED: "mentioned {names}",
    EventKind.MACRO_RUN: "ran the macro {name}",
    EventKind.SEND_PLANNED: "planned a reply for {at}",
    EventKind.SEND_UNPLANNED: "kept the planned reply as a draft: {reason}",
    EventKind.ACT_UNDONE: "undid: {undone}",
    EventKind.READER_BLOCKED: "blocked {name}",
    EventKind.READER_UNBLOCKED: "unblocked {name}",
    EventKind.READERS_MERGED: "joined {name} with this reader",
    EventKind.ADDRESS_ADDED: "added the address {address}",
    EventKind.ADDRESS_REMOVED: "removed the address {address}",
    EventKind.AGENT_INVITED: "invited {name} as {role}",
    EventKind.AGENT_CHANGED: "changed {what}",
    EventKind.SETUP_CHANGED: "changed {what}",
}


class Event(Base):
    """One entry of the history of exactly one thing. What one press of a button did has one `act`, undone as one."""

    __tablename__ = "event"
    __table_args__ = (
        CheckConstraint(
            " + ".join(f"CASE WHEN {column} IS NULL THEN 0 ELSE 1 END" for column in SUBJECTS) + " = 1",
            name="one_subject",
        ),
        CheckConstraint("by_agent_id IS NULL OR by_reader_id IS NULL", name="one_actor"),
        Index(
            "ix_event_unhandled",
            "id",
            sqlite_where=text("handled_at IS NULL"),
            postgresql_where=text("handled_at IS NULL"),
        ),
        Index(
            "ix_event_act",
            "by_agent_id",
            "at",
            sqlite_where=text("act IS NOT NULL"),
            postgresql_where=text("act IS NOT NULL"),
        ),
        Index(
            "ix_event_act_name",
            "act",
            sqlite_where=text("act IS NOT NULL"),
            postgresql_where=text("act IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"), index=True)
    article_id: Mapped[int | None] = mapped_column(ForeignKey("article.id", ondelete="CASCADE"), index=True)
    reader_id: Mapped[int | None] = mapped_column(ForeignKey("reader.id", ondelete="CASCADE"), index=True)
    agent_id: Mapped[int | None] = mapped_column(ForeignKey("agent.id", ondelete="CASCADE"), index=True)
    site_id: Mapped[int | None] = mapped_column(ForeignKey("site.id", ondelete="CASCADE"), index=True)
    kind: Mapped[EventKind] = mapped_column(one_of(EventKind, "kind"))
    by_agent_id: Mapped[int | None] = mapped_column(ForeignKey("agent.id", ondelete="SET NULL"))
    by_reader_id: Mapped[int | None] = mapped_column(ForeignKey("reader.id", ondelete="SET NULL"))
    at: Mapped[datetime]
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)
    handled_at: Mapped[datetime | None]
    act: Mapped[str | None]
    undone_at: Mapped[datetime | None]

    ticket: Mapped["Ticket | None"] = relationship(back_populates="events", foreign_keys=ticket_id)
    by_agent: Mapped[Agent | None] = relationship(foreign_keys=by_agent_id)
    by_reader: Mapped[Reader | None] = relationship(foreign_keys=by_reader_id)

    @property
    def actor(self) -> str:
        """Who did it, by name; the desk itself when nobody did."""
        if self.by_agent is not None:
            return self.by_agent.name
        return self.by_reader.display_name if self.by_reader is not None else "The desk"

    @property
    def sentence(self) -> str:
        """What happened, for people, without the actor."""
        match self.kind:
            case EventKind.OPENED if self.data.get("receipt"):
                return "opened this ticket and got a receipt"
            case EventKind.OPENED if self.data.get("forwarded"):
                return f"forwarded this mail of {self.data['forwarded']}"
            case EventKind.OPENED if "forwarded" in self.data:
                return "forwarded this mail, whose writer could not be read"
            case EventKind.ASSIGNED if self.data.get("after") is None:
                return f"took it off {self.data.get('before')}"
            case EventKind.ASSIGNED if self.data["after"] == self.actor:
                return "took the ticket"
            case EventKind.CLOSED:
                return f"closed it: {str(self.data.get('resolution', '')).replace('_', ' ')}"
            case EventKind.MARKED_SPAM if self.data.get("reason"):
                return f"filed this as spam: {self.data['reason']}"
        said = {name: str(value) for name, value in self.data.items() if value is not None}
        return _SENTENCES[self.kind].format_map(defaultdict(lambda: "none", said))
