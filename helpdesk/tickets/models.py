"""Ticket: its columns, its questions, and every verb that one ticket can decide, each with its event."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Sequence
from sqlalchemy.orm import Mapped, mapped_column, object_session, relationship

from helpdesk.agents.models import Agent
from helpdesk.articles.models import Article
from helpdesk.columns import one_of
from helpdesk.database import Base
from helpdesk.readers.models import Reader
from helpdesk.sites.models import Priority, Queue, Site, Topic
from helpdesk.tickets.events import Event, EventKind
from helpdesk.tickets.list_indexes import list_indexes
from helpdesk.tickets.messages import Message, MessageKind
from helpdesk.tickets.participants import Participant
from helpdesk.tickets.standing import before
from helpdesk.tickets.states import Origin, Resolution, Status, Then
from helpdesk.tickets.tags import Tag

PREVIEW_LENGTH = 140
BLOCKED = "the reader is blocked"
TICKET_NUMBERS = Sequence("ticket_number", metadata=Base.metadata)

__all__ = ["TICKET_NUMBERS", "Origin", "Resolution", "Status", "Then", "Ticket"]


class Ticket(Base):
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

    def open(self, message: Message, *, now: datetime, by: Agent | None = None, **told: Any) -> None:
        """Begin with the first message, the reader's unless an agent brings it; its event keeps what is `told`."""
        self._record(EventKind.OPENED, now, agent=by, reader=None if by else message.reader, **told)
        self._add(message, now)
        self._wait_since(now)

    def follow_up(self, message: Message, *, now: datetime, is_thanks: bool = False) -> None:
        """The reader wrote again: pending and closed tickets open; spam, thanks and the blocked wake nobody."""
        self._record(EventKind.THANKED if is_thanks else EventKind.FOLLOWED_UP, now, reader=message.reader)
        self._add(message, now)
        if message.is_by_blocked and message.reader is self.reader:
            self.mark_spam(by=None, now=now, reason=BLOCKED)
        if message.is_by_blocked or self.is_spam or is_thanks:
            return
        if self.status is Status.CLOSED:
            self._reopen(now, reader=message.reader)
        elif self.status is Status.PENDING:
            self.status = Status.OPEN
        self._wait_since(self.waiting_since or now)

    def file_automatic(self, message: Message, *, now: datetime) -> None:
        """An automatic answer came back: kept as a grey line, nothing else changes."""
        self._record(EventKind.AUTO_REPLIED, now, reader=message.reader)
        self._hold(message, now)

    def reply(self, message: Message, *, then: Then, by: Agent, now: datetime) -> None:
        """An agent answered: an unassigned ticket becomes his, the reader is no longer waiting."""
        self._record(EventKind.REPLIED, now, agent=by, then=then, **before(self))
        self._add(message, now)
        if self.assignee is None:
            self.assign(by, by=by, now=now)
        self.first_replied_at = self.first_replied_at or now
        self._stop_waiting()
        if then is Then.CLOSE:
            self.close(Resolution.ANSWERED, by=by, now=now)
        else:
            self._unclose()
            self.status = Status.PENDING if then is Then.WAIT else Status.OPEN

    def note(self, message: Message, *, by: Agent, now: datetime) -> None:
        """Keep a note among the staff; changes no status."""
        self._record(EventKind.NOTED, now, agent=by)
        self._hold(message, now)
        self._touch()

    def assign(self, assignee: Agent | None, *, by: Agent, now: datetime) -> None:
        """Give it to somebody, or to nobody."""
        if assignee is self.assignee:
            return
        before = self.assignee.name if self.assignee else None
        after = assignee.name if assignee else None
        self.assignee = assignee
        self._record(EventKind.ASSIGNED, now, agent=by, before=before, after=after)
        self._touch()

    def close(self, resolution: Resolution, *, by: Agent | None, now: datetime) -> None:
        """Nothing more is to be done; `resolution` says how it ended."""
        if self.is_closed and self.resolution is resolution:
            return
        self._record(EventKind.CLOSED, now, agent=by, before=self.status, resolution=resolution)
        self._end(resolution, now)

    def reopen(self, *, by: Agent, now: datetime) -> None:
        """There is more to do after all."""
        if self.is_closed:
            self._reopen(now, agent=by)
            self.sort_at = self.waiting_since or self.last_message_at

    def mark_spam(self, *, by: Agent | None, now: datetime, reason: str | None = None) -> None:
        """File it as spam; it leaves every list but that of spam. `reason` is why the desk did it by itself."""
        if not self.is_spam:
            self._record(
                EventKind.MARKED_SPAM, now, agent=by, before=self.status, resolution=self.resolution, reason=reason
            )
            self._end(Resolution.SPAM, now)

    def unmark_spam(self, *, by: Agent, now: datetime) -> None:
        """It was no spam: back to where readers wait."""
        if self.is_spam:
            self._record(EventKind.UNMARKED_SPAM, now, agent=by)
            self._unclose()
            self.status = Status.OPEN if self.first_replied_at else Status.NEW
            self._wait_since(self.last_message_at)

    def set_topic(self, topic: Topic | None, *, by: Agent, now: datetime) -> None:
        """Say what it is about."""
        if topic is not self.topic:
            before, after = (self.topic.label if self.topic else None), (topic.label if topic else None)
            self.topic = topic
            self._record(EventKind.TOPIC_CHANGED, now, agent=by, before=before, after=after)
            self._touch()

    def set_priority(self, priority: Priority, *, by: Agent, now: datetime) -> None:
        """Say how soon it wants somebody."""
        if priority is not self.priority:
            self._record(EventKind.PRIORITY_CHANGED, now, agent=by, before=self.priority, after=priority)
            self.priority = priority
            self._touch()

    def move(self, queue: Queue, *, by: Agent, now: datetime) -> None:
        """Let it wait in another queue."""
        if queue is not self.queue:
            self._record(EventKind.MOVED, now, agent=by, before=self.queue.name, after=queue.name)
            self.queue = queue
            self._touch()

    def tag(self, tag: Tag, *, by: Agent, now: datetime) -> None:
        """Put a tag on it."""
        if tag not in self.tags:
            self.tags.append(tag)
            self._record(EventKind.TAGGED, now, agent=by, tag=tag.name)
            self._touch()

    def untag(self, tag: Tag, *, by: Agent, now: datetime) -> None:
        """Take a tag off."""
        if tag in self.tags:
            self.tags.remove(tag)
            self._record(EventKind.UNTAGGED, now, agent=by, tag=tag.name)
            self._touch()

    def note_mail(self, kind: EventKind, *, now: datetime, by: Agent | None = None, **said: Any) -> None:
        """Something became of one of its mails, or of who gets them; that changes nothing else."""
        self._record(kind, now, agent=by, **said)

    def return_undelivered(self, kind: EventKind, *, address: str, reason: str, now: datetime) -> None:
        """A reply did not reach the reader: the ticket is back among the open ones."""
        self._record(kind, now, address=address, reason=reason, **before(self))
        if self.is_spam:
            return
        self._unclose()
        self.status = Status.OPEN
        self._wait_since(self.waiting_since or now)

    def _record(
        self,
        kind: EventKind,
        now: datetime,
        *,
        agent: Agent | None = None,
        reader: Reader | None = None,
        **data: Any,
    ) -> None:
        self._keep(Event(ticket=self, kind=kind, at=now, by_agent=agent, by_reader=reader, data=data))

    def _add(self, message: Message, now: datetime) -> None:
        self._hold(message, now)
        self.message_count = (self.message_count or 0) + 1
        self.show_last(message)

    def show_last(self, message: Message) -> None:
        """Let lists show this message as the last one."""
        self.preview = " ".join(message.body_text[: 2 * PREVIEW_LENGTH].split())[:PREVIEW_LENGTH]
        self.last_message_at, self.last_message_kind = message.created_at, message.kind

    def _hold(self, message: Message, now: datetime) -> None:
        message.created_at = now
        message.ticket = message.home_ticket = self
        self._keep(message)

    def _keep(self, row: Event | Message) -> None:
        """Save along with the ticket; through the backref alone its whole history would have to be loaded."""
        session = object_session(self)
        if session is not None:
            session.add(row)

    def _touch(self) -> None:
        if self.status is Status.NEW:
            self.status = Status.OPEN

    def _wait_since(self, moment: datetime) -> None:
        self.waiting_since = self.sort_at = moment

    def _stop_waiting(self) -> None:
        self.waiting_since, self.sort_at = None, self.last_message_at

    def _reopen(self, now: datetime, *, agent: Agent | None = None, reader: Reader | None = None) -> None:
        self._record(EventKind.REOPENED, now, agent=agent, reader=reader, before=self.resolution)
        self._unclose()
        self.status = Status.OPEN

    def _end(self, resolution: Resolution, now: datetime) -> None:
        self.status, self.resolution, self.closed_at = Status.CLOSED, resolution, now
        self._stop_waiting()

    def _unclose(self) -> None:
        self.resolution = self.closed_at = None
