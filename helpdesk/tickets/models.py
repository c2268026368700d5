"""Ticket: its columns and its questions; its verbs are in `life` and `handling`, each with its event."""

from datetime import datetime, timedelta

from sqlalchemy import CheckConstraint, ForeignKey, Sequence
from sqlalchemy.orm import Mapped, mapped_column, relationship

from helpdesk.agents.models import Agent
from helpdesk.articles.models import Article
from helpdesk.columns import one_of
from helpdesk.database import Base
from helpdesk.readers.models import Reader
from helpdesk.sites.models import Priority, Queue, Site, Topic
from helpdesk.tickets.events import Event
from helpdesk.tickets.life import BLOCKED, Life
from helpdesk.tickets.list_indexes import list_indexes
from helpdesk.tickets.messages import Message, MessageKind
from helpdesk.tickets.participants import Participant
from helpdesk.tickets.states import Origin, Resolution, Status, Then
from helpdesk.tickets.tags import Tag

TICKET_NUMBERS = Sequence("ticket_number", metadata=Base.metadata)

__all__ = ["BLOCKED", "TICKET_NUMBERS", "Origin", "Resolution", "Status", "Then", "Ticket"]


class Ticket(Life, Base):
    """One concern of one reader. `sort_at` is the moment it waits since, else that of its last message."""

    __tablename__ = "ticket"
    __table_args__ = (
        CheckConstraint("(status = 'closed') = (resolution IS NOT NULL)", name="resolution_when_closed"),
        CheckConstraint("(status = 'closed') = (closed_at IS NOT NULL)", name="closed_at_when_closed"),
        CheckConstraint("link_version >= 1", name="link_version"),
        CheckConstraint("merged_into_id IS NULL OR merged_into_id <> id", name="not_merged_into_itself"),
        *list_indexes(),
    )
    locked_by_verbs = True
    read_with_lock = ("site", "queue", "reader", "article", "assignee", "participants")

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(unique=True)
    link_version: Mapped[int] = mapped_column(default=1)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"), index=True)
    queue_id: Mapped[int] = mapped_column(ForeignKey("queue.id"))
    topic_id: Mapped[int | None] = mapped_column(ForeignKey("topic.id", ondelete="SET NULL"), index=True)
    article_id: Mapped[int | None] = mapped_column(ForeignKey("article.id", ondelete="SET NULL"))
    reader_id: Mapped[int | None] = mapped_column(ForeignKey("reader.id", ondelete="SET NULL"))
    assignee_id: Mapped[int | None] = mapped_column(ForeignKey("agent.id", ondelete="SET NULL"))
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id", ondelete="SET NULL"), index=True)
    continues_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id", ondelete="SET NULL"), index=True)

    subject: Mapped[str]
    status: Mapped[Status] = mapped_column(one_of(Status, "status"), default=Status.NEW)
    resolution: Mapped[Resolution | None] = mapped_column(one_of(Resolution, "resolution"))
    priority: Mapped[Priority] = mapped_column(one_of(Priority, "priority"), default=Priority.NORMAL)
    origin: Mapped[Origin] = mapped_column(one_of(Origin, "origin"))
    language: Mapped[str] = mapped_column(default="en")
    wants_answer: Mapped[bool] = mapped_column(default=True)

    opened_at: Mapped[datetime]
    waiting_since: Mapped[datetime | None]
    sort_at: Mapped[datetime]
    snoozed_until: Mapped[datetime | None]
    first_replied_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]

    preview: Mapped[str] = mapped_column(default="")
    message_count: Mapped[int] = mapped_column(default=0)
    last_message_at: Mapped[datetime]
    last_message_kind: Mapped[MessageKind] = mapped_column(one_of(MessageKind, "last_message_kind"))

    site: Mapped[Site] = relationship()
    queue: Mapped[Queue] = relationship()
    topic: Mapped[Topic | None] = relationship()
    article: Mapped[Article | None] = relationship()
    reader: Mapped[Reader | None] = relationship()
    assignee: Mapped[Agent | None] = relationship()
    continues: Mapped["Ticket | None"] = relationship(foreign_keys=continues_id, remote_side="Ticket.id")
    messages: Mapped[list[Message]] = relationship(
        back_populates="ticket", order_by=Message.id, foreign_keys=Message.ticket_id, cascade="all, delete-orphan"
    )
    events: Mapped[list[Event]] = relationship(
        back_populates="ticket", order_by=Event.id, foreign_keys=Event.ticket_id, cascade="all, delete-orphan"
    )
    participants: Mapped[list[Participant]] = relationship(
        back_populates="ticket", order_by=Participant.id, cascade="all, delete-orphan"
    )
    tags: Mapped[list[Tag]] = relationship(secondary="ticket_tag", order_by=Tag.name)

    @property
    def is_closed(self) -> bool:
        """True when nothing more is to be done, spam included."""
        return self.status is Status.CLOSED

    @property
    def is_spam(self) -> bool:
        """True when it was filed as spam."""
        return self.resolution is Resolution.SPAM

    def takes_follow_ups(self, now: datetime) -> bool:
        """True unless it was closed longer ago than the site's window; spam takes them and stays spam."""
        if self.closed_at is None or self.is_spam:
            return True
        return now - self.closed_at <= timedelta(days=self.site.reopen_days)
