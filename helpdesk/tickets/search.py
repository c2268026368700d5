"""Full-text search in the new words of messages: SQLite FTS5 or PostgreSQL tsvector, written by the verbs."""

import re
from functools import cache
from unicodedata import combining, normalize

from sqlalchemy import ColumnElement, Integer, TextClause, func, select, text

from helpdesk.columns import storable
from helpdesk.database import db
from helpdesk.tickets.messages import Message, MessageKind
from helpdesk.tickets.models import Ticket

_WORD = re.compile(r"\w+")
MAX_WORDS = 12
MOST_CHARACTERS = 200_000  # of one message; PostgreSQL keeps at most 1 MB of words in a row
MIN_PREFIX = 3
MERGE_PAGES = 200


def index_message(message: Message, subject: str) -> None:
    """Make a message findable by its own new text; quotes and automatic mail stay out."""
    if message.kind is MessageKind.AUTO:
        return
    words = f"{subject}\n{message.body_text}" if message.kind is MessageKind.READER else message.body_text
    row = {"id": message.id, "ticket_id": message.ticket_id, "body": folded(words[:MOST_CHARACTERS])}
    db.session.execute(_insert(db.engine.dialect.name), row)


def forget_message(message: Message) -> None:
    """Let a message be found no more."""
    statement = "DELETE FROM search_message WHERE id = :id"
    if not _is_postgresql():
        statement = "DELETE FROM search_message WHERE rowid = :id"
    db.session.execute(text(statement), {"id": message.id})


def folded(text: str) -> str:
    """The text as it is searched: without accents, in small letters, on every engine the same."""
    text = storable(text)
    if not text.isascii():
        text = "".join(letter for letter in normalize("NFKD", text) if not combining(letter))
    return text.casefold()


def matching_tickets(query: str, *, most: int, within: ColumnElement[bool]) -> list[int]:
    """The ids of tickets whose messages hold all words of `query`, newest message first, at most `most`.

    Only tickets `within` the condition are found, and only they count.
    """
    words = _WORD.findall(folded(query))[:MAX_WORDS]
    if not words:
        return []
    grammar = _postgresql(words) if _is_postgresql() else _sqlite(words)
    hits = _hits().bindparams(query=grammar).columns(place=Integer, ticket_id=Integer).subquery("hit")
    newest = func.max(hits.c.place)
    found = select(Ticket.id).join(hits, hits.c.ticket_id == Ticket.id).where(within).group_by(Ticket.id)
    return list(db.session.scalars(found.order_by(newest.desc()).limit(most)))


def clear_index() -> None:
    """Forget everything, before all messages are indexed again. Runs inside the verb's transaction."""
    db.session.execute(text("DELETE FROM search_message"))


def merge_index() -> None:
    """Do a step of the merging that FTS5 would else do inside some reader's commit."""
    if not _is_postgresql():
        statement = "INSERT INTO search_message (search_message, rank) VALUES ('merge', :pages)"
        db.session.execute(text(statement), {"pages": MERGE_PAGES})


def _sqlite(words: list[str]) -> str:
    quoted = [f'"{word}"' for word in words]
    return " ".join(quoted) + ("*" if len(words[-1]) >= MIN_PREFIX else "")


def _postgresql(words: list[str]) -> str:
    return " & ".join(f"'{word}'" for word in words) + (":*" if len(words[-1]) >= MIN_PREFIX else "")


@cache
def _insert(dialect: str) -> TextClause:
    if dialect == "postgresql":
        return text("INSERT INTO search_message (id, ticket_id, body) VALUES (:id, :ticket_id, :body)")
    return text("INSERT INTO search_message (rowid, ticket_id, body) VALUES (:id, :ticket_id, :body)")


def _hits() -> TextClause:
    if _is_postgresql():  # the hits first, else the planner walks the primary key backwards and tests every text
        return text(
            "WITH hits AS MATERIALIZED (SELECT id, ticket_id FROM search_message"
            " WHERE words @@ to_tsquery('simple', :query)) SELECT id AS place, ticket_id FROM hits"
        )
    return text("SELECT rowid AS place, ticket_id FROM search_message WHERE search_message MATCH :query")


def _is_postgresql() -> bool:
    return db.engine.dialect.name == "postgresql"
