"""How what is being written in the search box could go on; nothing that the agent may not see is suggested."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy import Select, literal, or_, select

from helpdesk.agents.models import Agent
from helpdesk.articles.models import Article
from helpdesk.database import db
from helpdesk.readers.models import Reader, ReaderAddress
from helpdesk.sites.models import Priority, Queue, Site, Topic
from helpdesk.sites.queries import is_worked_in_by
from helpdesk.tickets.filtering import ORDERS, STANDINGS
from helpdesk.tickets.filters import Key, Term, read_filter
from helpdesk.tickets.models import Ticket
from helpdesk.tickets.tags import Tag, TicketTag
from helpdesk.tickets.visibility import visible_to

MOST, MIN_READER = 8, 2
SAYS = {
    Key.IS: "where it stands", Key.TOPIC: "what it is about", Key.ASSIGNEE: "whose it is", Key.ARTICLE: "which article",
    Key.READER: "who wrote", Key.QUEUE: "where it waits", Key.SITE: "which publication", Key.TAG: "with this tag",
    Key.PRIORITY: "how soon", Key.HAS: "what comes with it", Key.BEFORE: "opened before a day",
    Key.AFTER: "opened on a day or later", Key.SORT: "in which order",
}  # fmt: skip

Value = tuple[str, str]


@dataclass(frozen=True)
class Suggestion:
    """One way to go on: the whole text of the box then, the part that is new, and what it means."""

    text: str
    part: str
    says: str


def suggest(text: str, agent: Agent) -> list[Suggestion]:
    """At most eight ways to complete the last part of `text`, the part being written."""
    head, space, last = text.rpartition(" ")
    minus, last = ("-", last[1:]) if last.startswith("-") else ("", last)
    name, colon, begun = last.partition(":")
    parts = list(_values(name, begun.strip('"'), agent) if colon else _keys(name.lower()))
    return [
        Suggestion(f"{head}{space}{minus}{part}{'' if part.endswith(':') else ' '}", minus + part, says)
        for part, says in parts[:MOST]
    ]


def _keys(begun: str) -> Iterator[Value]:
    if begun:
        yield from ((f"{key.value}:", SAYS[key]) for key in Key if key.value.startswith(begun))


def _values(name: str, begun: str, agent: Agent) -> Iterator[Value]:
    for term in read_filter(f"{name}:x").terms:
        for value, says in _VALUES[term.key](begun, agent):
            yield str(Term(term.key, value)), says


def _words(*known: str) -> Callable[[str, Agent], Iterable[Value]]:
    return lambda begun, _agent: [(one, "") for one in known if one.startswith(begun.lower())]


def _assignees(begun: str, agent: Agent) -> Iterable[Value]:
    yield from _words("me", "none")(begun, agent)
    named = select(Agent.name, Agent.email).where(Agent.active, Agent.name.icontains(begun, autoescape=True))
    yield from _read(named.order_by(Agent.name))


def _topics(begun: str, _agent: Agent) -> Iterable[Value]:
    asked = or_(Topic.slug.istartswith(begun, autoescape=True), Topic.label.icontains(begun, autoescape=True))
    return _read(select(Topic.slug, Topic.label).where(Topic.active, asked).distinct().order_by(Topic.label))


def _articles(begun: str, agent: Agent) -> Iterable[Value]:
    asked = or_(
        Article.title.icontains(begun, autoescape=True), Article.canonical_url.icontains(begun, autoescape=True)
    )
    seen = select(Ticket.id).where(Ticket.article_id == Article.id, visible_to(agent)).exists()
    rows = select(Article.canonical_url, Article.title).where(asked, seen).order_by(Article.id.desc())
    return [(_path(url), title) for url, title in _read(rows)]


def _readers(begun: str, agent: Agent) -> Iterable[Value]:
    if len(begun) < MIN_READER:
        return []
    asked = or_(
        ReaderAddress.address.istartswith(begun, autoescape=True), Reader.name.istartswith(begun, autoescape=True)
    )
    seen = select(Ticket.id).where(Ticket.reader_id == Reader.id, visible_to(agent)).exists()
    rows = select(ReaderAddress.address, Reader.name).join(Reader, Reader.id == ReaderAddress.reader_id)
    return _read(rows.where(asked, seen).order_by(ReaderAddress.id.desc()))


def _queues(begun: str, agent: Agent) -> Iterable[Value]:
    asked = Queue.name.icontains(begun, autoescape=True)
    rows = select(Queue.name, Site.name).join(Queue.site).where(is_worked_in_by(agent), asked)
    return _read(rows.order_by(Queue.name))


def _sites(begun: str, _agent: Agent) -> Iterable[Value]:
    asked = or_(Site.slug.istartswith(begun, autoescape=True), Site.name.icontains(begun, autoescape=True))
    return _read(select(Site.slug, Site.name).where(asked).order_by(Site.name))


def _tags(begun: str, agent: Agent) -> Iterable[Value]:
    tagged = select(TicketTag.tag_id).join(Ticket, Ticket.id == TicketTag.ticket_id).where(visible_to(agent))
    seen = tagged.where(TicketTag.tag_id == Tag.id).exists()
    named = select(Tag.name, literal("")).where(Tag.name.istartswith(begun, autoescape=True), seen)
    return _read(named.order_by(Tag.name))


def _nothing(_begun: str, _agent: Agent) -> Iterable[Value]:
    return ()


def _read(rows: Select[str, str]) -> list[Value]:
    return [(value, says) for value, says in db.session.execute(rows.limit(MOST))]


def _path(url: str) -> str:
    return "/" + url.split("//", 1)[-1].partition("/")[2]


_VALUES: dict[Key, Callable[[str, Agent], Iterable[Value]]] = {
    Key.IS: _words(*STANDINGS), Key.TOPIC: _topics, Key.ASSIGNEE: _assignees, Key.ARTICLE: _articles,
    Key.READER: _readers, Key.QUEUE: _queues, Key.SITE: _sites, Key.TAG: _tags, Key.PRIORITY: _words(*Priority),
    Key.HAS: _words("file"), Key.BEFORE: _nothing, Key.AFTER: _nothing, Key.SORT: _words(*ORDERS),
}  # fmt: skip
