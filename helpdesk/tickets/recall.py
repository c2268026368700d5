"""What the desk remembers when a letter arrives: the same letter, its writer, its article; read in one statement."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, String, and_, bindparam, func, select
from sqlalchemy.orm import InstrumentedAttribute, contains_eager, joinedload

from helpdesk.addresses import normalise
from helpdesk.articles.canonical import canonical_url
from helpdesk.articles.models import Article
from helpdesk.articles.operations import either_address, id_of_article
from helpdesk.database import db
from helpdesk.errors import Invalid
from helpdesk.readers.models import Reader, ReaderAddress
from helpdesk.sites.models import Site, Topic
from helpdesk.tickets.messages import Message
from helpdesk.tickets.models import TICKET_NUMBERS, Ticket
from helpdesk.tickets.writing import Letter


@dataclass(frozen=True)
class Recalled:
    """What this very form submission became before, the reader with its address, the article it is about.

    `next_number` is the one a new ticket gets.
    """

    before: Message | None
    reader: Reader | None
    article: Article | None
    next_number: int


def recall(letter: Letter, site: Site, *, article_url: str | None) -> Recalled:
    """What is known of a letter to a site."""
    row = db.session.execute(_of_site(db.engine.dialect.name), {"anchor": site.id} | _asked(letter, article_url)).one()
    return Recalled(*row[1:])


def recall_with_topic(letter: Letter, topic_id: int, *, article_url: str | None) -> tuple[Topic, Recalled]:
    """The topic a reader chose, with its site and queue, and what is known of the letter.

    Raises Invalid when the topic is gone meanwhile.
    """
    asked = {"anchor": topic_id} | _asked(letter, article_url)
    row = db.session.execute(_of_topic(db.engine.dialect.name), asked).one_or_none()
    if row is None:
        raise Invalid("Choose what your message is about")
    return row[0], Recalled(*row[1:])


def _asked(letter: Letter, article_url: str | None) -> dict[str, object]:
    """The parameters of the statement; what is not known is NULL, which equals nothing."""
    address, slash = either_address(canonical_url(article_url or "") or None)
    return {
        "address": normalise(letter.from_address), "article": address, "article_too": slash,
        "submission": letter.submission_key, "content": letter.content_hash,
    }  # fmt: skip


@cache
def _of_site(dialect: str) -> Select[Any]:
    return _with_memories(select(Site).select_from(Site), Site.id, dialect).where(Site.id == bindparam("anchor"))


@cache
def _of_topic(dialect: str) -> Select[Any]:
    whole = (
        select(Topic).select_from(Topic).join(Topic.site).options(contains_eager(Topic.site), joinedload(Topic.queue))
    )
    return _with_memories(whole, Topic.site_id, dialect).where(Topic.id == bindparam("anchor"))


def _with_memories(anchor: Select[Any], site_id: InstrumentedAttribute[int], dialect: str) -> Select[Any]:
    """Written once: a statement of this size costs more to write than to ask."""
    about = id_of_article(site_id, (bindparam("article", type_=String), bindparam("article_too", type_=String)))
    return (
        anchor.add_columns(Message, Reader, Article, _next_number(dialect))
        .outerjoin(Message, _is_same())
        .outerjoin(ReaderAddress, ReaderAddress.address == bindparam("address"))
        .outerjoin(Reader, Reader.id == ReaderAddress.reader_id)
        .outerjoin(Article, Article.id == about)
    )


def _next_number(dialect: str) -> ColumnElement[int]:
    """One more than the highest where there is one writer at a time; else from a sequence, which may leave gaps."""
    if dialect == "postgresql":
        return TICKET_NUMBERS.next_value()
    return select(func.coalesce(func.max(Ticket.number), 0) + 1).scalar_subquery()


def _is_same() -> ColumnElement[bool]:
    """One press of Send that came twice: same key and same content."""
    return and_(Message.submission_key == bindparam("submission"), Message.content_hash == bindparam("content"))
