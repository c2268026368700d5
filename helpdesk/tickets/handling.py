"""Triage: whose a ticket is, what it is called and is about, how soon it wants somebody, and where it waits."""

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy.orm import Mapped

from helpdesk.agents.models import Agent
from helpdesk.articles.models import Article
from helpdesk.sites.models import Priority, Queue, Topic
from helpdesk.tickets.events import EventKind
from helpdesk.tickets.recording import Recording
from helpdesk.tickets.tags import Tag


class Handling(Recording):
    """The verbs of triage; a new ticket is open once one of them touched it."""

    if TYPE_CHECKING:
        assignee: Mapped[Agent | None]
        topic: Mapped[Topic | None]
        queue: Mapped[Queue]
        priority: Mapped[Priority]
        tags: Mapped[list[Tag]]
        article: Mapped[Article | None]
        subject: Mapped[str]
        assignee_id: Mapped[int | None]
        topic_id: Mapped[int | None]
        queue_id: Mapped[int]
        article_id: Mapped[int | None]

    def assign(self, assignee: Agent | None, *, by: Agent, now: datetime) -> None:
        """Give it to somebody, or to nobody."""
        if assignee is self.assignee:
            return
        before, after = (one.name if one else None for one in (self.assignee, assignee))
        with self._changing(EventKind.ASSIGNED, now, agent=by, before=before, after=after):
            self.assignee, self.assignee_id = assignee, assignee.id if assignee else None
            self._touch()

    def set_topic(self, topic: Topic | None, *, by: Agent, now: datetime) -> None:
        """Say what it is about."""
        if topic is self.topic:
            return
        before, after = (one.label if one else None for one in (self.topic, topic))
        with self._changing(EventKind.TOPIC_CHANGED, now, agent=by, before=before, after=after):
            self.topic, self.topic_id = topic, topic.id if topic else None
            self._touch()

    def set_priority(self, priority: Priority, *, by: Agent, now: datetime) -> None:
        """Say how soon it wants somebody."""
        if priority is self.priority:
            return
        with self._changing(EventKind.PRIORITY_CHANGED, now, agent=by, before=self.priority, after=priority):
            self.priority = priority
            self._touch()

    def move(self, queue: Queue, *, by: Agent, now: datetime) -> None:
        """Let it wait in another queue."""
        if queue is self.queue:
            return
        with self._changing(EventKind.MOVED, now, agent=by, before=self.queue.name, after=queue.name):
            self.queue, self.queue_id = queue, queue.id
            self._touch()

    def rename(self, subject: str, *, by: Agent, now: datetime) -> None:
        """Give it a subject that says what it is about; the reader's mails keep theirs."""
        if subject == self.subject:
            return
        with self._changing(EventKind.RENAMED, now, agent=by, before=self.subject, after=subject):
            self.subject = subject
            self._touch()

    def set_article(self, article: Article | None, *, by: Agent, now: datetime) -> None:
        """Say which article it is about."""
        if article is self.article:
            return
        before, after = (one.display_title if one else None for one in (self.article, article))
        with self._changing(EventKind.ARTICLE_CHANGED, now, agent=by, before=before, after=after):
            self.article, self.article_id = article, article.id if article else None
            self._touch()

    def tag(self, tag: Tag, *, by: Agent, now: datetime) -> None:
        """Put a tag on it."""
        if tag not in self.tags:
            with self._changing(EventKind.TAGGED, now, agent=by, tag=tag.name):
                self.tags.append(tag)
                self._touch()

    def untag(self, tag: Tag, *, by: Agent, now: datetime) -> None:
        """Take a tag off."""
        if tag in self.tags:
            with self._changing(EventKind.UNTAGGED, now, agent=by, tag=tag.name):
                self.tags.remove(tag)
                self._touch()
