"""Reading one ticket: its page, its files, what its reader may see. Everything goes through what the agent may see."""

from collections.abc import Collection, Sequence
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, func, or_, select
from sqlalchemy.orm import defer, joinedload, selectinload, with_expression
from sqlalchemy.orm.attributes import set_committed_value

from helpdesk.agents.models import Agent
from helpdesk.agents.queries import per_agent
from helpdesk.database import db
from helpdesk.errors import NotFound
from helpdesk.outbound.models import OutboundEmail, Release
from helpdesk.readers.models import Reader
from helpdesk.tickets.drafts import Draft, DraftKind
from helpdesk.tickets.events import Event, EventKind
from helpdesk.tickets.messages import PUBLIC_KINDS, Attachment, Message, is_for_reader
from helpdesk.tickets.models import Ticket
from helpdesk.tickets.visibility import visible_to


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
    """A ticket to act on, with its reader. Raises NotFound for one that is not there or not visible."""
    return _found(_ticket(agent), number)


def is_visible(number: int, agent: Agent) -> bool:
    """True when this agent may see the ticket now."""
    return db.session.scalar(_ticket_id(agent), {"number": number}) is not None


def get_ticket_whole(number: int, agent: Agent) -> Ticket:
    """A ticket with all its page shows in its head. Raises NotFound as `get_ticket` does."""
    return _found(_ticket_whole(agent), number)


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
    messages = db.session.scalars(_messages(), {"ticket_id": ticket.id}).unique().all()
    files = {message.id: list[Attachment]() for message in messages}
    for file in db.session.scalars(_files(), {"ticket_id": ticket.id}):
        files[file.message_id or 0].append(file)
    for message in messages:
        set_committed_value(message, "attachments", files[message.id])
    return messages


def events_of(ticket: Ticket, *, besides: Collection[EventKind] = ()) -> Sequence[Event]:
    """The whole history but for some kinds, with its actors, oldest first, in one statement."""
    return db.session.scalars(_events(), {"ticket_id": ticket.id, "besides": list(besides)}).all()


def drafts_of(ticket: Ticket, agent: Agent) -> dict[DraftKind, Draft]:
    """What this agent was writing here, with the files, in one statement."""
    drafts = db.session.scalars(_drafts(), {"ticket_id": ticket.id, "agent_id": agent.id}).unique()
    return {draft.kind: draft for draft in drafts}


def find_draft(ticket: Ticket, *, kind: DraftKind, by: Agent) -> Draft | None:
    """What this agent was writing here, to the reader or as a note."""
    return drafts_of(ticket, by).get(kind)


def public_messages_of(ticket: Ticket) -> Sequence[Message]:
    """What the reader may see: his own words and the replies that left, never a note or a mail that can be undone,
    and nothing that came from another address than his.
    """
    return db.session.scalars(
        select(Message)
        .outerjoin(Message.outbound_email)
        .where(Message.ticket_id == ticket.id, _is_public(ticket))
        .options(joinedload(Message.agent), selectinload(Message.attachments))
        .order_by(Message.id)
    ).all()


def get_public_attachment(ticket: Ticket, attachment_id: int) -> Attachment:
    """A file of a message of this ticket that the reader may see. Raises NotFound otherwise."""
    file = db.session.scalar(
        select(Attachment)
        .join(Attachment.message)
        .outerjoin(Message.outbound_email)
        .where(Attachment.id == attachment_id, Message.ticket_id == ticket.id, _is_public(ticket))
    )
    if file is None:
        raise NotFound
    return file


def _is_public(ticket: Ticket) -> ColumnElement[bool]:
    is_out = or_(Message.outbound_email_id.is_(None), OutboundEmail.release == Release.RELEASED)
    return and_(is_for_reader(ticket.reader_id or 0), is_out)


def _found(statement: Select[Ticket], number: int) -> Ticket:
    ticket = db.session.scalars(statement, {"number": number}).unique().one_or_none()
    if ticket is None:
        raise NotFound
    return ticket


@per_agent
def _ticket(agent: Agent) -> Select[Ticket]:
    return _visible(select(Ticket), agent).options(joinedload(Ticket.reader))


@per_agent
def _ticket_id(agent: Agent) -> Select[int]:
    return _visible(select(Ticket.id), agent)


@per_agent
def _ticket_whole(agent: Agent) -> Select[Ticket]:
    nouns = (Ticket.site, Ticket.queue, Ticket.topic, Ticket.article, Ticket.assignee, Ticket.tags, Ticket.continues)
    reader = joinedload(Ticket.reader).joinedload(Reader.addresses)
    whole = (joinedload(noun) for noun in (*nouns, Ticket.participants))
    return _visible(select(Ticket), agent).options(*whole, reader)


def _visible(wanted: Select[Any], agent: Agent) -> Select[Any]:
    return wanted.where(Ticket.number == bindparam("number"), visible_to(agent))


@cache
def _messages() -> Select[Message]:
    mail = joinedload(Message.outbound_email).load_only(OutboundEmail.id).joinedload(OutboundEmail.recipients)
    return (
        select(Message)
        .where(Message.ticket_id == bindparam("ticket_id"))
        .options(
            defer(Message.body_html),  # may be long, and is shown in a frame of its own
            with_expression(Message.is_formatted, Message.body_html.is_not(None)),
            joinedload(Message.agent).load_only(Agent.name),
            mail,
        )
        .order_by(Message.id)
    )


@cache
def _files() -> Select[Attachment]:
    of_ticket = select(Attachment).join(Attachment.message).where(Message.ticket_id == bindparam("ticket_id"))
    return of_ticket.order_by(Attachment.id)


@cache
def _events() -> Select[Event]:
    wanted = Event.kind.not_in(bindparam("besides", expanding=True))
    actors = (joinedload(Event.by_agent), joinedload(Event.by_reader))
    return select(Event).where(Event.ticket_id == bindparam("ticket_id"), wanted).options(*actors).order_by(Event.id)


@cache
def _drafts() -> Select[Draft]:
    mine = (Draft.ticket_id == bindparam("ticket_id"), Draft.agent_id == bindparam("agent_id"))
    return select(Draft).where(*mine).options(joinedload(Draft.attachments)).order_by(Draft.id)
