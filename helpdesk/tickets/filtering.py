"""What a filter asks of tickets, in the words of the database."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, and_, or_, select, true

from helpdesk import clock
from helpdesk.addresses import normalise
from helpdesk.agents.models import Agent
from helpdesk.articles.canonical import canonical_url
from helpdesk.articles.models import Article, ArticleAlias
from helpdesk.columns import word
from helpdesk.errors import Invalid
from helpdesk.readers.models import Reader, ReaderAddress
from helpdesk.sites.models import Priority, Queue, Site, Topic
from helpdesk.tickets.filters import Filter, Key, Term
from helpdesk.tickets.folders import Folder, in_folder
from helpdesk.tickets.messages import Attachment, Message
from helpdesk.tickets.models import Resolution, Status, Ticket
from helpdesk.tickets.tags import Tag, TicketTag

Condition = ColumnElement[bool]
NEWEST, OLDEST = "newest", "oldest"
ORDERS = (NEWEST, OLDEST)
_EXCLUDED = re.compile(r'-"?[^\W\d_]')
ENDINGS = {how.value.replace("_", "-"): how for how in Resolution if how is not Resolution.SPAM}
STANDINGS = (*Folder, "new", "waiting", "snoozed", *ENDINGS)
_LONGEST_WAITING = {
    Folder.OPEN.value,
    Folder.UNASSIGNED.value,
    Folder.MINE.value,
    Folder.PENDING.value,
    "new",
    "waiting",
}


def conditions(wanted: Filter, agent: Agent) -> Condition:
    """All that the terms of a filter ask of a ticket. Raises Invalid with a sentence for what means nothing."""
    _refuse_what_means_nothing(wanted)
    asked = [_condition(term, agent) for term in wanted.terms if term.key is not Key.SORT]
    return and_(true(), *asked)


def _refuse_what_means_nothing(wanted: Filter) -> None:
    excluded = next((one for one in wanted.words if _EXCLUDED.match(one)), None)
    if excluded:
        raise Invalid(f"“{excluded}”: only questions can be turned round, such as -tag:done, no words.")
    if wanted.values(Key.SORT) and (wanted.words or wanted.phrases):
        raise Invalid("Of what is found by words the latest match comes first; sort: is for questions without words.")


def is_newest_first(wanted: Filter) -> bool:
    """How the tickets are ordered: as `sort:` says, else whoever waits longest first where somebody waits.

    Raises Invalid for an order that is not known.
    """
    for value in wanted.values(Key.SORT):
        return _one_of(Key.SORT, value, ORDERS) == NEWEST
    return _LONGEST_WAITING.isdisjoint(value.lower() for value in wanted.values(Key.IS))


def _condition(term: Term, agent: Agent) -> Condition:
    asked = _QUESTIONS[term.key](term.value, agent)
    return asked.is_not(true()) if term.negated else asked


def _is(value: str, agent: Agent) -> Condition:
    standing = _one_of(Key.IS, value, STANDINGS)
    if standing in list(Folder):
        return in_folder(Folder(standing), agent)
    if standing in ENDINGS:
        return Ticket.resolution == ENDINGS[standing]
    others = {
        "new": and_(in_folder(Folder.OPEN, agent), Ticket.status == word(Status.NEW)),
        "waiting": Ticket.waiting_since.is_not(None),
        "snoozed": Ticket.snoozed_until > clock.now(),
    }
    return others[standing]


def _topic(value: str, _agent: Agent) -> Condition:
    label = Topic.label.icontains(value, autoescape=True)
    return Ticket.topic_id.in_(select(Topic.id).where(or_(Topic.slug == value.lower(), label)))


def _assignee(value: str, agent: Agent) -> Condition:
    if value.lower() in ("none", "nobody"):
        return Ticket.assignee_id.is_(None)
    if value.lower() == "me":
        return Ticket.assignee_id == agent.id
    named = or_(Agent.name.icontains(value, autoescape=True), Agent.email == value.lower())
    return Ticket.assignee_id.in_(select(Agent.id).where(named))


def _article(value: str, _agent: Agent) -> Condition:
    address = canonical_url(value)
    if address is not None:
        also = select(ArticleAlias.article_id).where(ArticleAlias.url == address)
        return Ticket.article_id.in_(
            select(Article.id).where(or_(Article.canonical_url == address, Article.id.in_(also)))
        )
    path = Article.canonical_url.icontains(value.rstrip("/") or "/", autoescape=True)
    named = path if value.startswith("/") else or_(path, Article.title.icontains(value, autoescape=True))
    return Ticket.article_id.in_(select(Article.id).where(named))


def _reader(value: str, _agent: Agent) -> Condition:
    return Ticket.reader_id.in_(_readers(value))


def _readers(value: str) -> Select[int]:
    if value.startswith("@"):
        return select(ReaderAddress.reader_id).where(ReaderAddress.address.iendswith(value, autoescape=True))
    if "@" in value:
        return select(ReaderAddress.reader_id).where(ReaderAddress.address == normalise(value))
    return select(Reader.id).where(Reader.name.icontains(value, autoescape=True))


def _queue(value: str, _agent: Agent) -> Condition:
    return Ticket.queue_id.in_(select(Queue.id).where(Queue.name.icontains(value, autoescape=True)))


def _site(value: str, _agent: Agent) -> Condition:
    named = or_(Site.slug == value.lower(), Site.name.icontains(value, autoescape=True))
    return Ticket.site_id.in_(select(Site.id).where(named))


def _tag(value: str, _agent: Agent) -> Condition:
    tagged = select(TicketTag.ticket_id).join(Tag, Tag.id == TicketTag.tag_id)
    return Ticket.id.in_(tagged.where(Tag.name == value.lower()))


def _priority(value: str, _agent: Agent) -> Condition:
    return Ticket.priority == Priority(_one_of(Key.PRIORITY, value, tuple(Priority)))


def _has(value: str, _agent: Agent) -> Condition:
    _one_of(Key.HAS, value, ("file",))
    files = select(Attachment.id).join(Message, Attachment.message_id == Message.id)
    return files.where(Message.ticket_id == Ticket.id).exists()


def _before(value: str, agent: Agent) -> Condition:
    return Ticket.opened_at < _midnight(Key.BEFORE, value, agent)


def _after(value: str, agent: Agent) -> Condition:
    return Ticket.opened_at >= _midnight(Key.AFTER, value, agent)


def _midnight(key: Key, value: str, agent: Agent) -> datetime:
    try:
        return datetime.combine(date.fromisoformat(value), time(), ZoneInfo(agent.timezone)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Invalid(f"“{key.value}:{value}” wants a day such as {key.value}:2026-11-01.") from error


def _one_of(key: Key, value: str, known: tuple[str, ...]) -> str:
    value = value.lower().replace("_", "-")
    if value not in known:
        raise Invalid(f"“{key.value}:{value}” means nothing here; after {key.value}: can stand {', '.join(known)}.")
    return value


_QUESTIONS: dict[Key, Callable[[str, Agent], Condition]] = {
    Key.IS: _is, Key.TOPIC: _topic, Key.ASSIGNEE: _assignee, Key.ARTICLE: _article, Key.READER: _reader,
    Key.QUEUE: _queue, Key.SITE: _site, Key.TAG: _tag, Key.PRIORITY: _priority, Key.HAS: _has,
    Key.BEFORE: _before, Key.AFTER: _after,
}  # fmt: skip
