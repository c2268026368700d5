"""Full-text search in the new words of messages: SQLite FTS5 or PostgreSQL tsvector, written by the verbs."""

from collections.abc import Sequence
from functools import cache

from sqlalchemy import ColumnElement, Integer, TextClause, func, select, text

from helpdesk.database import db
from helpdesk.tickets.messages import Message, MessageKind
from helpdesk.tickets.models import Ticket
from helpdesk.tickets.words import Wanted, words_in

MOST_CHARACTERS = 200_000  # of one message; PostgreSQL keeps at most 1 MB of words in a row
MERGE_PAGES = 200


def index_message(message: Message, subject: str) -> None:
    """Make a message findable by its own new text; quotes and automatic mail stay out."""
    if message.kind is MessageKind.AUTO:
        return
    words = words_in(message.body_text[:MOST_CHARACTERS])
    about = words_in(subject) if message.kind is MessageKind.READER else []
    words = words if words[: len(about)] == about else [*about, *words]
    row = {"id": message.id, "ticket_id": message.ticket_id, "body": " ".join(words)}
    db.session.execute(_insert(db.engine.dialect.name), row)


def forget_message(message: Message) -> None:
    """Let a message be found no more."""
    statement = "DELETE FROM search_message WHERE id = :id"
    if not _is_postgresql():
        statement = "DELETE FROM search_message WHERE rowid = :id"
    db.session.execute(text(statement), {"id": message.id})


def matching_tickets(
    wanted: Sequence[Wanted], *, most: int, within: ColumnElement[bool], before: int | None = None
) -> Sequence[tuple[int, int]]:
    """The tickets whose messages hold all that is `wanted`, each as (ticket id, message id of its newest hit).

    The newest hit comes first, those from message `before` on are left out, and at most `most` are found.
    Only tickets `within` the condition are found, and only they count.
    """
    if not wanted:
        return []
    grammar = _postgresql(wanted) if _is_postgresql() else _sqlite(wanted)
    hits = _hits().bindparams(query=grammar).columns(place=Integer, ticket_id=Integer).subquery("hit")
    newest = func.max(hits.c.place)
    found = select(Ticket.id, newest).join(hits, hits.c.ticket_id == Ticket.id).where(within).group_by(Ticket.id)
    if before is not None:
        found = found.having(newest < before)
    return [(ticket_id, place) for ticket_id, place in db.session.execute(found.order_by(newest.desc()).limit(most))]


def clear_index() -> None:
    """Forget everything, before all messages are indexed again. Runs inside the verb's transaction."""
    db.session.execute(text("DELETE FROM search_message"))


def merge_index() -> None:
    """Do a step of the merging that FTS5 would else do inside some reader's commit."""
    if not _is_postgresql():
        statement = "INSERT INTO search_message (search_message, rank) VALUES ('merge', :pages)"
        db.session.execute(text(statement), {"pages": MERGE_PAGES})


def _sqlite(wanted: Sequence[Wanted]) -> str:
    return " ".join(f'"{" ".join(one.words)}"{"*" if one.is_prefix else ""}' for one in wanted)


def _postgresql(wanted: Sequence[Wanted]) -> str:
    return " & ".join(
        " <-> ".join(f"'{word}'" for word in one.words) + (":*" if one.is_prefix else "") for one in wanted
    )


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
