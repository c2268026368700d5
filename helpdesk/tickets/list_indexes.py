"""An index for each part of the tickets that a list is read from, in the order it is read."""

from collections.abc import Iterator

from sqlalchemy import Index, text

IN_ORDER = ("sort_at", "id", "queue_id", "assignee_id")
PARTS = {
    "waiting": "status IN ('new', 'open')",
    "pending": "status = 'pending'",
    "closed": "status = 'closed' AND resolution <> 'spam'",
    "spam": "resolution = 'spam'",
}


def list_indexes() -> Iterator[Index]:
    """They also hold what decides who may see a ticket, so that a list is counted without opening any."""
    for name, part in PARTS.items():
        yield Index(f"ix_ticket_{name}", *IN_ORDER, sqlite_where=text(part), postgresql_where=text(part))
    yield Index("ix_ticket_assignee_id_status_sort_at_id", "assignee_id", "status", "sort_at", "id")
    yield Index("ix_ticket_article_id_sort_at_id", "article_id", "sort_at", "id")
    yield Index("ix_ticket_reader_id_sort_at_id", "reader_id", "sort_at", "id")
