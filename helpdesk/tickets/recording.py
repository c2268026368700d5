"""How a ticket keeps what happens to it: its events, its messages, and the moment it waits since."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy.orm import Mapped, object_session

from helpdesk.agents.models import Agent
from helpdesk.readers.models import Reader
from helpdesk.tickets.acts import current_act
from helpdesk.tickets.events import Event, EventKind
from helpdesk.tickets.messages import Message, MessageKind
from helpdesk.tickets.standing import differences, look
from helpdesk.tickets.states import Status

if TYPE_CHECKING:
    from helpdesk.tickets.models import Ticket

PREVIEW_LENGTH = 140


class Recording:
    """What every verb of a ticket ends with."""

    if TYPE_CHECKING:
        status: Mapped[Status]
        waiting_since: Mapped[datetime | None]
        sort_at: Mapped[datetime]
        preview: Mapped[str]
        message_count: Mapped[int]
        last_message_at: Mapped[datetime]
        last_message_kind: Mapped[MessageKind]

    def _record(
        self,
        kind: EventKind,
        now: datetime,
        *,
        agent: Agent | None = None,
        reader: Reader | None = None,
        **data: Any,
    ) -> None:
        self._keep(
            Event(ticket=self, kind=kind, at=now, by_agent=agent, by_reader=reader, data=data, act=current_act())
        )

    @contextmanager
    def _changing(
        self, kind: EventKind, now: datetime, *, agent: Agent | None = None, reader: Reader | None = None, **data: Any
    ) -> Iterator[None]:
        """Record what is done inside, with each column that it changes: enough to undo it."""
        was = look(cast("Ticket", self))
        yield
        changed = differences(was, look(cast("Ticket", self)))
        self._record(kind, now, agent=agent, reader=reader, changed=changed, **data)

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
        message.ticket = message.home_ticket = cast("Ticket", self)
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
