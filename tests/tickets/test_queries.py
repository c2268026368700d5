"""Lists, counts and search, through what each person may see."""

import pytest

from helpdesk import clock
from helpdesk.agents.models import Agent
from helpdesk.database import db
from helpdesk.errors import NotFound
from helpdesk.tickets import folders, lists, queries, triage
from helpdesk.tickets.filters import read_filter
from helpdesk.tickets.folders import Folder
from helpdesk.tickets.models import Resolution, Then, Ticket
from helpdesk.tickets.neighbours import neighbours_of
from helpdesk.tickets.operations import follow_up
from helpdesk.tickets.replying import add_note, reply
from tests.cast import Cast
from tests.factories import follow_up_letter, make_ticket


def numbers(agent: Agent, folder: Folder) -> list[int]:
    return [ticket.number for ticket in lists.list_folder(folder, agent).tickets]


def test_every_folder_holds_what_its_name_says(cast: Cast) -> None:
    new, mine, pending, closed, spam = (make_ticket(cast, body=f"Message {n}") for n in range(5))
    triage.take(mine, by=cast.ann)
    reply(pending, body="Which one?", by=cast.ann, then=Then.WAIT)
    triage.close(closed, resolution=Resolution.CORRECTED, by=cast.ann)
    triage.mark_spam(spam, by=cast.ann)
    held = {folder.value: numbers(cast.ann, folder) for folder in Folder}
    assert held == {
        "unassigned": [new.number], "mine": [mine.number], "open": [new.number, mine.number],
        "pending": [pending.number], "closed": [closed.number], "spam": [spam.number],
    }  # fmt: skip
    assert folders.count_folders(cast.ann) == {folder: len(held[folder.value]) for folder in folders.COUNTED}


def test_who_waits_longest_comes_first(cast: Cast) -> None:
    first, second = make_ticket(cast), make_ticket(cast, body="Second")
    follow_up(first, letter=follow_up_letter())
    assert numbers(cast.ann, Folder.UNASSIGNED) == [first.number, second.number]
    reply(first, body="One moment", by=cast.ann)
    follow_up(first, letter=follow_up_letter("And another thing"))
    assert numbers(cast.ann, Folder.OPEN) == [second.number, first.number]


def test_paging_walks_every_ticket_once(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "PAGE", 4)
    frozen = clock.now()
    monkeypatch.setattr(clock, "now", lambda: frozen)
    made = [make_ticket(cast, body=f"Message {n}").number for n in range(10)]
    walked, after = [], None
    for _ in range(5):
        page = lists.list_folder(Folder.UNASSIGNED, cast.ann, after=after)
        walked += [ticket.number for ticket in page.tickets]
        after = page.next_key
        if after is None:
            break
    assert walked == made


@pytest.mark.parametrize("key", ["x", "1e400-1", "nan-1", "-", "1.0-x", "9" * 400 + "-1", "1.0-" + "9" * 30])
def test_a_made_up_place_in_a_list_is_not_found(cast: Cast, key: str) -> None:
    with pytest.raises(NotFound):
        lists.list_folder(Folder.OPEN, cast.ann, after=key)


def found(query: str, agent: Agent) -> list[int]:
    return [ticket.number for ticket in lists.list_found(read_filter(query), agent).tickets]


def test_class_50_a_foreign_queue_is_nowhere_to_be_seen(cast: Cast) -> None:
    secret = make_ticket(cast, queue=cast.legal, body="zanzibar")
    for outsider in (cast.ann, cast.eve, cast.sam):
        assert numbers(outsider, Folder.OPEN) == []
        assert folders.count_folders(outsider)[Folder.OPEN] == 0
        assert (
            found("zanzibar", outsider) == found("zanzibar queue:legal", outsider) == found("is:open", outsider) == []
        )
        assert not lists.find_numbered(secret.number, outsider)
        assert lists.list_article(secret.article_id, outsider).tickets == []
        with pytest.raises(NotFound):
            queries.get_ticket(secret.number, outsider)
        with pytest.raises(NotFound):
            queries.get_message(secret.messages[0].id, outsider)
    assert numbers(cast.carla, Folder.OPEN) == [secret.number]


def test_an_assigned_ticket_is_seen_whatever_its_queue(cast: Cast) -> None:
    ticket = make_ticket(cast)
    assert numbers(cast.sam, Folder.OPEN) == []
    triage.assign(ticket, assignee=cast.sam, by=cast.ann)
    assert numbers(cast.sam, Folder.MINE) == [ticket.number]


def test_search_finds_new_words_of_both_sides_and_notes_but_no_quotes(cast: Cast) -> None:
    ticket = make_ticket(cast, body="The bridge is in Zürich.")
    add_note(ticket, body="ask the archivist", by=cast.ann)
    follow_up(ticket, letter=follow_up_letter("Thanks!", quoted_text="> pelican"))
    asked = ("zurich", "archiv", "Thanks bridge", "pelican", '" OR *')
    held = {query: found(query, cast.ann) for query in asked}
    assert held == {"zurich": [1], "archiv": [1], "Thanks bridge": [1], "pelican": [], '" OR *': []}


@pytest.mark.parametrize("query", ['"', "*", "NEAR(", "- foo", "( AND", "a" * 5000, "\0", "'", "x:y", "&|!"])
def test_class_43_any_query_is_only_words(cast: Cast, query: str) -> None:
    make_ticket(cast)
    assert found(query, cast.ann) == []


def test_class_50_what_is_hidden_does_not_crowd_out_what_is_seen(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "PAGE", 2)
    mine = make_ticket(cast, body="zanzibar")
    for number in range(5):
        make_ticket(cast, queue=cast.legal, body=f"zanzibar {number}")
    assert found("zanzibar", cast.ann) == [mine.number]


def test_related_tickets_are_those_of_the_article_and_those_of_the_reader(cast: Cast) -> None:
    ticket = make_ticket(cast)
    same_article = make_ticket(cast, address="ben@example.com", name="Ben")
    same_reader = make_ticket(cast, article_url="https://blog.example.org/other/", body="Other page")
    make_ticket(cast, queue=cast.legal, body="Hidden")
    around = neighbours_of(ticket, cast.ann, folder=None)
    assert [t.number for t in around.article] == [same_article.number]
    assert [t.number for t in around.reader] == [same_reader.number]


def test_the_reader_sees_no_note(cast: Cast) -> None:
    ticket = make_ticket(cast)
    add_note(ticket, body="CANARY", by=cast.eve)
    reply(ticket, body="Hello", by=cast.ann)
    assert [message.kind.value for message in queries.public_messages_of(ticket)] == ["reader", "reply"]
    assert db.session.query(Ticket).count() == 1
