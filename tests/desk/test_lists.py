"""The lists: what is in them, in which order, page by page."""

import re
from datetime import timedelta

import pytest

from helpdesk import clock
from helpdesk.database import db
from helpdesk.tickets import triage
from helpdesk.tickets.folders import Folder, is_in_folder
from helpdesk.tickets.lists import list_folder
from helpdesk.tickets.models import Resolution, Then, Ticket
from helpdesk.tickets.operations import follow_up
from helpdesk.tickets.replying import reply
from tests.cast import Cast
from tests.desk.conftest import Desk, counted
from tests.desk.reading import numbers_in, text_of
from tests.factories import follow_up_letter, make_ticket


def test_a_row_says_who_what_about_which_article_and_since_when(ann: Desk, cast: Cast) -> None:
    ticket = make_ticket(cast, subject="The bridge is older")
    ticket.article.title = "The bridge that took ten years"  # type: ignore[union-attr]
    db.session.commit()
    triage.add_tag(ticket, name="History", by=cast.eve)
    follow_up(ticket, letter=follow_up_letter())
    row = text_of(ann.get("/desk/unassigned").text, "li.slip")
    assert row == [
        "Waiting for us. Ruth Reed , messages: 2 The bridge that took ten years The bridge is older"
        " And the photo is of another bridge. A mistake in the text A mistake in the text history now"
    ]


def test_an_article_without_a_title_is_called_by_its_path(ann: Desk, ticket: Ticket) -> None:
    assert text_of(ann.get("/desk/unassigned").text, "span.row-article") == ["2026/harbour-bridge"]


@pytest.mark.parametrize("folder", list(Folder))
def test_an_empty_list_says_something_kind(ann: Desk, folder: Folder) -> None:
    page = ann.get(f"/desk/{folder}").text
    assert (len(text_of(page, "div.empty")), numbers_in(page)) == (1, [])


def test_whoever_waits_longest_comes_first(ann: Desk, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    real = clock.now
    for number, hours in ((1, 1), (2, 5), (3, 3)):
        monkeypatch.setattr(clock, "now", lambda hours=hours: real() - timedelta(hours=hours))
        assert make_ticket(cast).number == number
    assert numbers_in(ann.get("/desk/unassigned").text) == [2, 3, 1]


def test_the_sidebar_counts_and_marks_where_one_is(ann: Desk, cast: Cast) -> None:
    make_ticket(cast)
    triage.take(make_ticket(cast), by=cast.ann)
    page = ann.get("/desk/mine").text
    assert text_of(page, "nav.side li") == ["Unassigned 1", "Mine 1", "Open 2", "Pending", "Closed", "Spam", "Readers"]
    assert text_of(page, "nav.side [aria-current]") == ["Mine 1"]


def test_walking_the_pages_meets_every_ticket_once(ann: Desk, cast: Cast) -> None:
    made = [make_ticket(cast, body=f"Number {n}").number for n in range(103)]
    met, path = [], "/desk/unassigned"
    while path:
        page = ann.get(path).text
        met += numbers_in(page)
        path = "/desk/unassigned" + link_to_later(page) if link_to_later(page) else ""
    assert met == made


def test_a_broken_place_in_a_list_is_a_404(ann: Desk) -> None:
    assert ann.get("/desk/unassigned?after=nonsense").status_code == 404


def test_an_article_has_a_list_of_its_own(ann: Desk, cast: Cast, ticket: Ticket) -> None:
    make_ticket(cast, article_url="https://blog.example.org/other/")
    page = ann.get(f"/desk/articles/{ticket.article_id}").text
    assert (text_of(page, "h1"), numbers_in(page)) == (["2026/harbour-bridge"], [ticket.number])


def test_a_reader_has_a_list_of_its_own(ann: Desk, cast: Cast, ticket: Ticket) -> None:
    make_ticket(cast, address="ben@example.com", name="Ben")
    page = ann.get(f"/desk/readers/{ticket.reader_id}").text
    assert (text_of(page, "h1"), numbers_in(page)) == (["Ruth Reed"], [ticket.number])


def test_search_finds_words_and_goes_straight_to_a_number(ann: Desk, cast: Cast, ticket: Ticket) -> None:
    make_ticket(cast, body="Something about ferries")
    assert numbers_in(ann.get("/desk/search?q=plaque").text) == [ticket.number]
    assert ann.get("/desk/search?q=%231").location == "/desk/tickets/1"
    assert text_of(ann.get("/desk/search?q=zeppelin").text, "div.empty") != []


def test_news_of_a_list_counts_what_readers_wrote_since(ann: Desk, cast: Cast, ticket: Ticket) -> None:
    since = clock.now().isoformat().replace("+00:00", "")
    assert ann.get(f"/desk/unassigned/news?since={since}").json == {"new": 0}
    make_ticket(cast)
    assert ann.get(f"/desk/unassigned/news?since={since}").json == {"new": 1}
    assert ann.get("/desk/unassigned/news?since=yesterday").status_code == 422


def test_a_loaded_ticket_knows_its_lists_as_the_database_does(cast: Cast) -> None:
    tickets = [make_ticket(cast, body=f"Number {n}") for n in range(6)]
    triage.take(tickets[1], by=cast.ann)
    triage.take(tickets[2], by=cast.eve)
    reply(tickets[3], body="Thank you.", by=cast.ann, then=Then.WAIT)
    triage.close(tickets[4], resolution=Resolution.CORRECTED, by=cast.ann)
    triage.mark_spam(tickets[5], by=cast.ann)
    for folder in Folder:
        listed = {ticket.number for ticket in list_folder(folder, cast.ann).tickets}
        assert (folder, listed) == (folder, {t.number for t in tickets if is_in_folder(t, folder, cast.ann)})


def test_a_page_of_fifty_takes_three_statements(ann: Desk, cast: Cast) -> None:
    for n in range(50):
        triage.add_tag(
            make_ticket(cast, address=f"reader{n}@example.com", name=f"Reader {n}"), name="bridge", by=cast.ann
        )
    with counted() as statements:
        page = ann.get("/desk/open").text
    assert (len(numbers_in(page)), len(statements)) == (50, 3)


def link_to_later(page: str) -> str:
    """The address of the next page, if there is one."""
    found = re.search(r'class="later"><a class="quiet" href="([^"]+)"', page)
    return found.group(1) if found else ""
