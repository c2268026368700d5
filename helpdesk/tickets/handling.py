"""Triage: whose a ticket is, what it is about, how soon it wants somebody, and where it waits."""

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy.orm import Mapped

from helpdesk.agents.models import Agent
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

    def assign(self, assignee: Agent | None, *, by: Agent, now: datetime) -> None:
        """Give it to somebody, or to nobody."""
        if assignee is self.assignee:
            return
        before = self.assignee.name if self.assignee else None
        after = assignee.name if assignee else None
        self.assignee = assignee
        self._record(EventKind.ASSIGNED, now, agent=by, before=before, after=after)
        self._touch()

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
