"""A slip is a ticket as a list shows it: what its row says and no more, so that a list is one short statement."""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, func, select

from helpdesk.agents.models import Agent
from helpdesk.articles.models import Article, title_of
from helpdesk.readers.models import Reader
from helpdesk.sites.models import Priority, Topic
from helpdesk.tickets.models import Resolution, Status, Ticket
from helpdesk.tickets.tags import Tag, TicketTag

Slips = Select[*tuple[Any, ...]]
_BETWEEN_TAGS = "\n"


class Slip(NamedTuple):
    """One row of a list, in the order of its columns in the statement."""

    id: int
    number: int
    subject: str
    preview: str
    status: Status
    resolution: Resolution | None
    priority: Priority
    message_count: int
    waiting_since: datetime | None
    last_message_at: datetime
    sort_at: datetime
    topic: str | None
    assignee: str | None
    article_id: int | None
    article_name: str | None
    article_url: str | None
    reader_id: int | None
    reader_name: str | None
    reader_address: str | None
    tag_names: str | None

    @property
    def is_closed(self) -> bool:
        """True when nothing more is to be done, spam included."""
        return self.status is Status.CLOSED

    @property
    def article(self) -> str | None:
        """The article by its title, None when the ticket names none."""
        return None if self.article_url is None else title_of(self.article_name, self.article_url)

    @property
    def reader(self) -> str:
        """Who waits, by name."""
        return self.reader_name or self.reader_address or "Anonymous"

    @property
    def tags(self) -> list[str]:
        """The names of its tags, in order."""
        return sorted(self.tag_names.split(_BETWEEN_TAGS)) if self.tag_names else []


def slips() -> Slips:
    """A statement for slips; whoever asks adds what the agent may see, and makes `Slip` of each row."""
    return _SLIPS


def slip_of(ticket: Ticket) -> Slip:
    """The slip of a ticket that is loaded with its nouns."""
    article, reader = ticket.article, ticket.reader
    return Slip(
        ticket.id, ticket.number, ticket.subject, ticket.preview, ticket.status, ticket.resolution, ticket.priority,
        ticket.message_count, ticket.waiting_since, ticket.last_message_at, ticket.sort_at,
        ticket.topic.label if ticket.topic else None, ticket.assignee.name if ticket.assignee else None,
        article.id if article else None, article.title if article else None,
        article.canonical_url if article else None, reader.id if reader else None, reader.name if reader else None,
        reader.address if reader else None, _BETWEEN_TAGS.join(tag.name for tag in ticket.tags),
    )  # fmt: skip


_TAGS = (
    select(func.aggregate_strings(Tag.name, _BETWEEN_TAGS))
    .join(TicketTag, TicketTag.tag_id == Tag.id)
    .where(TicketTag.ticket_id == Ticket.id)
    .correlate(Ticket)
    .scalar_subquery()
)
_SLIPS: Slips = (
    select(
        Ticket.id, Ticket.number, Ticket.subject, Ticket.preview, Ticket.status, Ticket.resolution, Ticket.priority,
        Ticket.message_count, Ticket.waiting_since, Ticket.last_message_at, Ticket.sort_at,
        Topic.label, Agent.name, Article.id, Article.title, Article.canonical_url, Reader.id, Reader.name,
        Reader.address, _TAGS,
    )
    .select_from(Ticket)
    .outerjoin(Ticket.topic)
    .outerjoin(Ticket.assignee)
    .outerjoin(Ticket.article)
    .outerjoin(Ticket.reader)
)  # fmt: skip
