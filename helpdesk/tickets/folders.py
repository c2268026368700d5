"""The fixed lists of the desk: what belongs to each, and how many that are."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, and_, func, select

from helpdesk.agents.models import Agent
from helpdesk.agents.queries import per_agent
from helpdesk.columns import word
from helpdesk.database import db
from helpdesk.tickets.messages import MessageKind
from helpdesk.tickets.models import Resolution, Status, Ticket
from helpdesk.tickets.visibility import visible_to

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
        """Nobody waits in these, so the latest comes first, and nobody counts them."""
        return self in (Folder.CLOSED, Folder.SPAM)


COUNTED = tuple(folder for folder in Folder if not folder.is_newest_first)


def in_folder(folder: Folder, agent: Agent) -> ColumnElement[bool]:
    """What belongs to a list, in the very words of the index that holds it in order."""
    waits = Ticket.status.in_([word(Status.NEW), word(Status.OPEN)])
    conditions = {
        Folder.UNASSIGNED: and_(waits, Ticket.assignee_id.is_(None)),
        Folder.MINE: and_(waits, Ticket.assignee_id == agent.id),
        Folder.OPEN: waits,
        Folder.PENDING: Ticket.status == word(Status.PENDING),
        Folder.CLOSED: and_(Ticket.status == word(Status.CLOSED), Ticket.resolution != word(Resolution.SPAM)),
        Folder.SPAM: Ticket.resolution == word(Resolution.SPAM),
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


def count_folders(agent: Agent) -> dict[Folder, int]:
    """How many tickets each list holds where somebody waits, in one statement; counting stops at 1000."""
    row = db.session.execute(select(*folder_counts(agent))).one()
    return {folder: row[index] for index, folder in enumerate(COUNTED)}


@per_agent
def folder_counts(agent: Agent) -> list[ColumnElement[int]]:
    """One column for each list that is counted, for a statement that counts other things as well."""
    return [_count(in_folder(folder, agent), agent).label(folder.value) for folder in COUNTED]


def count_arrivals(folder: Folder, agent: Agent, *, since: datetime) -> int:
    """How many tickets of a list readers have written in since a moment."""
    fresh = and_(Ticket.last_message_at > since, Ticket.last_message_kind == MessageKind.READER)
    return db.session.scalar(select(_count(and_(in_folder(folder, agent), fresh), agent))) or 0


def _count(condition: ColumnElement[bool], agent: Agent) -> ColumnElement[int]:
    some = select(Ticket.id).where(condition, visible_to(agent)).limit(COUNT_STOPS_AT).subquery()
    return select(func.count()).select_from(some).scalar_subquery()
