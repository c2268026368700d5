"""The search index of SQLite: whatever the worker does or does not do, a reader's message is taken in."""

import pytest
from flask import Flask
from sqlalchemy import text

from helpdesk.database import db, transactional

MOST_PIECES_OF_FTS5 = 2000
LEFT_TO_MERGE = 300


@transactional
def index_one(place: int, /) -> None:
    """What a verb does for one message."""
    row = {"id": place, "body": f"the bridge number {place}"}
    db.session.execute(text("INSERT INTO search_message (rowid, ticket_id, body) VALUES (:id, 1, :body)"), row)


@transactional
def sweep_a_little(_what: str) -> None:
    """A step of the worker's merging that does not come to its end, as in a large index."""
    db.session.execute(text("INSERT INTO search_message (search_message, rank) VALUES ('merge', 3)"))


@pytest.mark.engines("sqlite")  # PostgreSQL has no pieces to run out of
def test_messages_are_taken_in_while_the_worker_that_merges_the_index_is_away(app: Flask) -> None:
    for place in range(1, LEFT_TO_MERGE + 1):
        index_one(place)
    sweep_a_little("index")
    for place in range(LEFT_TO_MERGE + 1, LEFT_TO_MERGE + MOST_PIECES_OF_FTS5 + 1):
        index_one(place)
    found = text("SELECT count(*) FROM search_message WHERE search_message MATCH 'bridge'")
    assert db.session.scalar(found) == LEFT_TO_MERGE + MOST_PIECES_OF_FTS5
