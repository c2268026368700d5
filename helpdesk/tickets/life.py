"""The life of a ticket: it opens, is written to, is answered, ends, and may begin again."""

from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy.orm import Mapped

from helpdesk.agents.models import Agent
from helpdesk.readers.models import Reader
from helpdesk.tickets.events import EventKind
from helpdesk.tickets.handling import Handling
from helpdesk.tickets.messages import Message
from helpdesk.tickets.standing import before
from helpdesk.tickets.states import Resolution, Status, Then

if TYPE_CHECKING:
    from helpdesk.tickets.models import Ticket

BLOCKED = "the reader is blocked"


class Life(Handling):
    """The verbs that change where a ticket stands."""

    if TYPE_CHECKING:
        resolution: Mapped[Resolution | None]
        first_replied_at: Mapped[datetime | None]
        closed_at: Mapped[datetime | None]
        reader: Mapped[Reader | None]

        @property
        def is_closed(self) -> bool: ...
        @property
        def is_spam(self) -> bool: ...

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
        self._record(EventKind.REPLIED, now, agent=by, then=then, **before(cast("Ticket", self)))
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

    def close(self, resolution: Resolution, *, by: Agent | None, now: datetime) -> None:
        """Nothing more is to be done; `resolution` says how it ended."""
        if self.is_closed and self.resolution is resolution:
            return
        with self._changing(EventKind.CLOSED, now, agent=by, before=self.status, resolution=resolution):
            self._end(resolution, now)

    def reopen(self, *, by: Agent, now: datetime) -> None:
        """There is more to do after all."""
        if self.is_closed:
            self._reopen(now, agent=by)

    def mark_spam(self, *, by: Agent | None, now: datetime, reason: str | None = None) -> None:
        """File it as spam; it leaves every list but that of spam. `reason` is why the desk did it by itself."""
        if not self.is_spam:
            told: dict[str, Any] = {"before": self.status, "resolution": self.resolution, "reason": reason}
            with self._changing(EventKind.MARKED_SPAM, now, agent=by, **told):
                self._end(Resolution.SPAM, now)

    def unmark_spam(self, *, by: Agent, now: datetime) -> None:
        """It was no spam: back to where readers wait."""
        if self.is_spam:
            with self._changing(EventKind.UNMARKED_SPAM, now, agent=by):
                self._unclose()
                self.status = Status.OPEN if self.first_replied_at else Status.NEW
                self._wait_since(self.last_message_at)

    def note_mail(self, kind: EventKind, *, now: datetime, by: Agent | None = None, **said: Any) -> None:
        """Something became of one of its mails, or of who gets them; that changes nothing else."""
        self._record(kind, now, agent=by, **said)

    def return_undelivered(self, kind: EventKind, *, address: str, reason: str, now: datetime) -> None:
        """A reply did not reach the reader: the ticket is back among the open ones."""
        self._record(kind, now, address=address, reason=reason, **before(cast("Ticket", self)))
        if self.is_spam:
            return
        self._unclose()
        self.status = Status.OPEN
        self._wait_since(self.waiting_since or now)

    def _reopen(self, now: datetime, *, agent: Agent | None = None, reader: Reader | None = None) -> None:
        with self._changing(EventKind.REOPENED, now, agent=agent, reader=reader, before=self.resolution):
            self._unclose()
            self.status = Status.OPEN
            self.sort_at = self.waiting_since or self.last_message_at

    def _end(self, resolution: Resolution, now: datetime) -> None:
        self.status, self.resolution, self.closed_at = Status.CLOSED, resolution, now
        self._stop_waiting()

    def _unclose(self) -> None:
        self.resolution = self.closed_at = None
