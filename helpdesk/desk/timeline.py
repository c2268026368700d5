"""One order for what was said and what was done: messages, and between them quiet lines of history."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby

from helpdesk.tickets.events import Event, EventKind
from helpdesk.tickets.messages import Message

MOST_LINES = 3
TOLD_BY_MESSAGES = (EventKind.FOLLOWED_UP, EventKind.REPLIED, EventKind.NOTED, EventKind.AUTO_REPLIED)


@dataclass(frozen=True)
class Entry:
    """A message, or the things done between two messages."""

    message: Message | None = None
    events: list[Event] = field(default_factory=list)

    @property
    def is_folded(self) -> bool:
        """True when there is too much history here to show line by line."""
        return len(self.events) > MOST_LINES


def timeline(messages: Sequence[Message], events: Sequence[Event]) -> list[Entry]:
    """All of it, oldest first; the opening is left out when its message tells it all, as the other kinds that do."""
    quiet = [event for event in events if event.kind is not EventKind.OPENED or _says_more(event)]
    rows: list[Message | Event] = [*messages, *quiet]
    rows.sort(key=lambda row: (row.created_at, 0) if isinstance(row, Message) else (row.at, 1))
    entries = []
    for is_message, group in groupby(rows, key=lambda row: isinstance(row, Message)):
        run = list(group)
        if is_message:
            entries += [Entry(message=row) for row in run if isinstance(row, Message)]
        else:
            entries.append(Entry(events=[row for row in run if isinstance(row, Event)]))
    return entries


def _says_more(event: Event) -> bool:
    """True for an opening with a receipt, with a hint at another ticket, or by an agent."""
    return bool(event.data.get("receipt") or event.data.get("maybe") or event.by_agent)


def newest_public_id(messages: Sequence[Message]) -> int:
    """The id of the last message between us and the reader that this page shows, 0 when there is none."""
    return max((message.id for message in messages if message.is_public), default=0)
