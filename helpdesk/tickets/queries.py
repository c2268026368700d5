"""Reading tickets: lists, counts, one ticket's page. Everything goes through what the agent may see."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, tuple_
from sqlalchemy.orm import joinedload, selectinload, subqueryload

from helpdesk.agents.models import Agent
from helpdesk.agents.queries import per_agent
from helpdesk.agents.roles import Role
from helpdesk.database import db
from helpdesk.errors import NotFound
from helpdesk.outbound.models import OutboundEmail, Release
from helpdesk.readers.models import Reader
from helpdesk.sites.models import Queue, QueueMember
from helpdesk.sites.queries import is_open_to
from helpdesk.tickets.drafts import Draft, DraftKind
from helpdesk.tickets.events import Event, EventKind
from helpdesk.tickets.messages import PUBLIC_KINDS, Attachment, Message, MessageKind
from helpdesk.tickets.models import Resolution, Status, Ticket
from helpdesk.tickets.search import matching_tickets

PAGE = 50
COUNT_STOPS_AT = 1000
WAITING = (Status.NEW, Status.OPEN)


class Folder(StrEnum):
    """The fixed lists of the desk."""

    UNASSIGNED = "unassigned"
    MINE = "mine"
    OPEN = "open"
    PENDING = "pending"
    CLOSED = "closed"
    SPAM = "spam"

    @property
    def is_newest_first(self) -> bool:
        """Nobody waits in these, so the latest comes first."""
        return self in (Folder.CLOSED, Folder.SPAM)


@dataclass(frozen=True)
class Page:
    """One page of a list, and where the next one begins."""

    tickets: Sequence[Ticket]
    next_key: str | None


@per_agent
def visible_to(agent: Agent) -> ColumnElement[bool]:
    """The tickets an agent may see: his queues' and those assigned to him; restricted queues only as a member."""
    member = select(QueueMember.queue_id).where(QueueMember.agent_id == agent.id)
    if agent.role is Role.AGENT:
        queues = Ticket.queue_id.in_(member)
    else:
        queues = Ticket.queue_id.in_(select(Queue.id).where(is_open_to(agent)))
    return or_(queues, Ticket.assignee_id == agent.id)


def in_folder(folder: Folder, agent: Agent) -> ColumnElement[bool]:
    """What belongs to a list."""
    not_spam = Ticket.resolution.is_distinct_from(Resolution.SPAM)
    conditions = {
        Folder.UNASSIGNED: and_(Ticket.status.in_(WAITING), Ticket.assignee_id.is_(None)),
        Folder.MINE: and_(Ticket.status.in_(WAITING), Ticket.assignee_id == agent.id),
        Folder.OPEN: Ticket.status.in_(WAITING),
        Folder.PENDING: Ticket.status == Status.PENDING,
        Folder.CLOSED: and_(Ticket.status == Status.CLOSED, not_spam),
        Folder.SPAM: and_(Ticket.status == Status.CLOSED, Ticket.resolution == Resolution.SPAM),
    }
    return conditions[folder]


def is_in_folder(ticket: Ticket, folder: Folder, agent: Agent) -> bool:
    """The same question as `in_folder`, for a ticket that is loaded."""
    waits = ticket.status in WAITING
    answers = {
        Folder.UNASSIGNED: waits and ticket.assignee_id is None,
        Folder.MINE: waits and ticket.assignee_id == agent.id,
        Folder.OPEN: waits,
        Folder.PENDING: ticket.status is Status.PENDING,
        Folder.CLOSED: ticket.is_closed and not ticket.is_spam,
        Folder.SPAM: ticket.is_spam,
    }
    return answers[folder]


def list_folder(folder: Folder, agent: Agent, *, after: str | None = None) -> Page:
    """One page of a folder: whoever waits longest first; of what is done, the latest first."""
    query = _rows(agent).where(in_folder(folder, agent))
    return _page(query, after, newest_first=folder.is_newest_first)


def list_article(article_id: int, agent: Agent, *, after: str | None = None) -> Page:
    """One page of all tickets about an article, latest first."""
    return _page(_rows(agent).where(Ticket.article_id == article_id), after, newest_first=True)


def list_reader(reader_id: int, agent: Agent, *, after: str | None = None) -> Page:
    """One page of all tickets of a reader, latest first."""
    return _page(_rows(agent).where(Ticket.reader_id == reader_id), after, newest_first=True)


def search(query: str, agent: Agent) -> Sequence[Ticket]:
    """The visible tickets with all these words, or with this number, newest match first; at most one page."""
    wanted = query.strip().removeprefix("#")
    if wanted.isdecimal() and len(wanted) < 10:
        numbered = db.session.scalars(_rows(agent).where(Ticket.number == int(wanted))).all()
        if numbered:
            return numbered
    ids = matching_tickets(query, most=PAGE, within=visible_to(agent))
    found = {ticket.id: ticket for ticket in db.session.scalars(_rows(agent).where(Ticket.id.in_(ids)))}
    return [found[ticket_id] for ticket_id in ids if ticket_id in found]


def count_folders(agent: Agent) -> dict[Folder, int]:
    """How many tickets each list holds, in one statement; counting stops at 1000."""
    row = db.session.execute(select(*folder_counts(agent))).one()
    return {folder: row[index] for index, folder in enumerate(Folder)}


@per_agent
def folder_counts(agent: Agent) -> list[ColumnElement[int]]:
    """One column for each list, for a statement that counts other things as well."""
    return [_count(in_folder(folder, agent), agent).label(folder.value) for folder in Folder]


def count_arrivals(folder: Folder, agent: Agent, *, since: datetime) -> int:
    """How many tickets of a list readers have written in since a moment."""
    fresh = and_(Ticket.last_message_at > since, Ticket.last_message_kind == MessageKind.READER)
    return db.session.scalar(select(_count(and_(in_folder(folder, agent), fresh), agent))) or 0


def count_newer(number: int, agent: Agent, *, seen: int) -> int:
    """How many public messages a visible ticket has after message `seen`. Raises NotFound for another ticket."""
    newer = select(func.count()).where(
        Message.ticket_id == Ticket.id, Message.id > seen, Message.kind.in_(PUBLIC_KINDS)
    )
    count: int | None = db.session.scalar(
        select(newer.scalar_subquery()).where(Ticket.number == number, visible_to(agent))
    )
    if count is None:
        raise NotFound
    return count


def get_ticket(number: int, agent: Agent) -> Ticket:
    """A ticket with all its page shows in its head. Raises NotFound for one that is not there or not visible."""
    head = _heads(agent).options(
        joinedload(Ticket.tags),
        joinedload(Ticket.continues),
        joinedload(Ticket.reader).joinedload(Reader.addresses),
    )
    ticket = db.session.execute(head.where(Ticket.number == number)).unique().scalar()
    if ticket is None:
        raise NotFound
    return ticket


def get_attachment(attachment_id: int, agent: Agent) -> Attachment:
    """A file of a visible ticket. Raises NotFound otherwise."""
    file = db.session.scalar(
        select(Attachment)
        .join(Message, Attachment.message_id == Message.id)
        .join(Ticket, Message.ticket_id == Ticket.id)
        .where(Attachment.id == attachment_id, visible_to(agent))
    )
    if file is None:
        raise NotFound
    return file


def get_message(message_id: int, agent: Agent) -> Message:
    """A message of a visible ticket. Raises NotFound otherwise."""
    visible = select(Message).join(Ticket, Message.ticket_id == Ticket.id)
    message = db.session.scalar(visible.where(Message.id == message_id, visible_to(agent)))
    if message is None:
        raise NotFound
    return message


def messages_of(ticket: Ticket) -> Sequence[Message]:
    """All messages with agent, files and delivery, oldest first, in two statements whatever their number."""
    messages = db.session.scalars(
        select(Message)
        .where(Message.ticket_id == ticket.id)
        .options(
            joinedload(Message.agent),
            joinedload(Message.outbound_email).load_only(OutboundEmail.id).joinedload(OutboundEmail.recipients),
            subqueryload(Message.attachments),
        )
        .order_by(Message.id)
    )
    return messages.unique().all()


def events_of(ticket: Ticket, *, besides: Collection[EventKind] = ()) -> Sequence[Event]:
    """The whole history but for some kinds, with its actors, oldest first, in one statement."""
    actors = (joinedload(Event.by_agent), joinedload(Event.by_reader))
    wanted = select(Event).where(Event.ticket_id == ticket.id, Event.kind.not_in(besides))
    return db.session.scalars(wanted.options(*actors).order_by(Event.id)).all()


def drafts_of(ticket: Ticket, agent: Agent) -> dict[DraftKind, Draft]:
    """What this agent was writing here, with the files, in one statement."""
    mine = select(Draft).where(Draft.ticket_id == ticket.id, Draft.agent_id == agent.id)
    drafts = db.session.scalars(mine.options(joinedload(Draft.attachments)).order_by(Draft.id)).unique()
    return {draft.kind: draft for draft in drafts}


def public_messages_of(ticket: Ticket) -> Sequence[Message]:
    """What the reader may see: his own words and the replies that left, never a note or a mail that can be undone."""
    return db.session.scalars(
        select(Message)
        .outerjoin(Message.outbound_email)
        .where(Message.ticket_id == ticket.id, _is_public())
        .options(joinedload(Message.agent), selectinload(Message.attachments))
        .order_by(Message.id)
    ).all()


def get_public_attachment(ticket: Ticket, attachment_id: int) -> Attachment:
    """A file of a message of this ticket that the reader may see. Raises NotFound otherwise."""
    file = db.session.scalar(
        select(Attachment)
        .join(Attachment.message)
        .outerjoin(Message.outbound_email)
        .where(Attachment.id == attachment_id, Message.ticket_id == ticket.id, _is_public())
    )
    if file is None:
        raise NotFound
    return file


def _is_public() -> ColumnElement[bool]:
    is_out = or_(Message.outbound_email_id.is_(None), OutboundEmail.release == Release.RELEASED)
    return and_(Message.kind.in_(PUBLIC_KINDS), is_out)


@per_agent
def _rows(agent: Agent) -> Select[Ticket]:
    return _shown(agent).options(selectinload(Ticket.tags))


@per_agent
def _heads(agent: Agent) -> Select[Ticket]:
    return _shown(agent).options(joinedload(Ticket.site), joinedload(Ticket.queue))


def _shown(agent: Agent) -> Select[Ticket]:
    nouns = (Ticket.topic, Ticket.article, Ticket.reader, Ticket.assignee)
    return select(Ticket).where(visible_to(agent)).options(*(joinedload(noun) for noun in nouns))


def _count(condition: ColumnElement[bool], agent: Agent) -> ColumnElement[int]:
    some = select(Ticket.id).where(condition, visible_to(agent)).limit(COUNT_STOPS_AT).subquery()
    return select(func.count()).select_from(some).scalar_subquery()


def _page(query: Select[Ticket], after: str | None, *, newest_first: bool) -> Page:
    place = tuple_(Ticket.sort_at, Ticket.id)
    if after is not None:
        key = _read_key(after)
        query = query.where(place < key if newest_first else place > key)
    order = (Ticket.sort_at.desc(), Ticket.id.desc()) if newest_first else (Ticket.sort_at, Ticket.id)
    rows = db.session.scalars(query.order_by(*order).limit(PAGE + 1)).all()
    more = len(rows) > PAGE
    return Page(rows[:PAGE], _key_of(rows[PAGE - 1]) if more else None)


def _key_of(ticket: Ticket) -> str:
    return f"{ticket.sort_at.timestamp():.6f}-{ticket.id}"


def _read_key(key: str) -> tuple[datetime, int]:
    moment, _, ticket_id = key.rpartition("-")
    try:
        place = datetime.fromtimestamp(float(moment), tz=UTC), int(ticket_id)
    except (ValueError, OverflowError, OSError) as error:
        raise NotFound from error
    if not 0 < place[1] < 2**31:
        raise NotFound
    return place
