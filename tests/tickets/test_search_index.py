"""The search index of SQLite: whatever the worker does or does not do, a reader's message is taken in."""

import pytest
from flask import Flask
from sqlalchemy import text

from helpdesk.database import db, transactional
from helpdesk.tickets.search import merge_index

MOST_SEGMENTS_OF_FTS5 = 2000


@transactional
def index_one(place: int, /) -> None:
    """What a verb does for one message."""
    row = {"id": place, "body": f"the bridge number {place}"}
    db.session.execute(text("INSERT INTO search_message (rowid, ticket_id, body) VALUES (:id, 1, :body)"), row)


@transactional
def merge_all(_what: str) -> None:
    """What the sweep has done by the time that the index is in few pieces."""
    db.session.execute(text("INSERT INTO search_message (search_message) VALUES ('optimize')"))
    merge_index()


def test_more_messages_than_the_index_has_room_for_pieces_are_taken_in_without_a_sweep(app: Flask) -> None:
    if db.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL has no pieces to run out of")
    index_one(1)
    index_one(2)
    merge_all("index")
    for place in range(3, MOST_SEGMENTS_OF_FTS5 + 10):
        index_one(place)
    found = text("SELECT count(*) FROM search_message WHERE search_message MATCH 'bridge'")
    assert db.session.scalar(found) == MOST_SEGMENTS_OF_FTS5 + 9
