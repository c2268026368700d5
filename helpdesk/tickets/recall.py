"""What the desk remembers when a letter arrives: the same letter, its writer, its article; read in one statement."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, func, select
from sqlalchemy.orm import InstrumentedAttribute, contains_eager, joinedload

from helpdesk.addresses import normalise
from helpdesk.articles.canonical import canonical_url
from helpdesk.articles.models import Article
from helpdesk.articles.operations import id_of_article
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
    row = db.session.execute(
        _with_memories(select(Site).select_from(Site), letter, Site.id, article_url).where(Site.id == site.id)
    ).one()
    return Recalled(*row[1:])


def recall_with_topic(letter: Letter, topic_id: int, *, article_url: str | None) -> tuple[Topic, Recalled]:
    """The topic a reader chose, with its site and queue, and what is known of the letter.

    Raises Invalid when the topic is gone meanwhile.
    """
    whole = (
        select(Topic).select_from(Topic).join(Topic.site).options(contains_eager(Topic.site), joinedload(Topic.queue))
    )
    row = db.session.execute(
        _with_memories(whole, letter, Topic.site_id, article_url).where(Topic.id == topic_id)
    ).one_or_none()
    if row is None:
        raise Invalid("Choose what your message is about")
    return row[0], Recalled(*row[1:])


def _with_memories(
    anchor: Select[Any], letter: Letter, site_id: InstrumentedAttribute[int], article_url: str | None
) -> Select[Any]:
    address = canonical_url(article_url or "")
    return (
        anchor.add_columns(Message, Reader, Article, _next_number())
        .outerjoin(Message, _is_same(letter))
        .outerjoin(ReaderAddress, ReaderAddress.address == normalise(letter.from_address))
        .outerjoin(Reader, Reader.id == ReaderAddress.reader_id)
        .outerjoin(Article, Article.id == id_of_article(site_id, address) if address else false())
    )


def _next_number() -> ColumnElement[int]:
    """One more than the highest where there is one writer at a time; else from a sequence, which may leave gaps."""
    if db.engine.dialect.name == "postgresql":
        return TICKET_NUMBERS.next_value()
    return select(func.coalesce(func.max(Ticket.number), 0) + 1).scalar_subquery()


def _is_same(letter: Letter) -> ColumnElement[bool]:
    """One press of Send that came twice: same key and same content."""
    if letter.submission_key is None:
        return false()
    return and_(Message.submission_key == letter.submission_key, Message.content_hash == letter.content_hash)
