"""Behaviour 12: the search box is always there; a number jumps; questions are asked of tickets, with suggestions."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from helpdesk.database import db
from helpdesk.tickets import triage
from helpdesk.tickets.models import Ticket
from tests.cast import Cast
from tests.desk.conftest import Desk
from tests.desk.reading import numbers_in, text_of
from tests.factories import make_ticket


@pytest.mark.browser
def test_12_what_is_written_in_the_search_box_is_completed(desk: Callable[..., Page], cast: Cast) -> None:
    wanted = make_ticket(cast, body="The bridge is older.")
    make_ticket(cast, body="The bridge again.", topic=None)
    page = desk("/desk/mine")
    page.keyboard.press("/")
    page.keyboard.type("is:op")
    expect(page.get_by_role("option")).to_have_text(["is:open"])
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.keyboard.type("to")
    page.get_by_role("option", name="topic: what it is about").click()
    page.get_by_role("option", name="topic:mistake A mistake in the text").click()
    page.keyboard.type("brid")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Tickets with “is:open topic:mistake brid” 1")
    expect(page.locator("li.slip mark")).to_have_text(["bridge"])
    expect(page.locator(".row-subject")).to_have_text([wanted.subject])
    expect(page.get_by_role("combobox", name="Search tickets")).to_have_value("is:open topic:mistake brid")


@pytest.mark.browser
def test_12_suggestions_are_left_with_escape_and_by_going_on(desk: Callable[..., Page], cast: Cast) -> None:
    page = desk("/desk/mine")
    box = page.get_by_role("combobox", name="Search tickets")
    box.click()
    page.keyboard.type("sort:")
    expect(page.get_by_role("option")).to_have_text(["sort:newest", "sort:oldest"])
    page.keyboard.press("Escape")
    expect(page.get_by_role("option")).to_have_count(0)
    page.keyboard.type("n")
    expect(page.get_by_role("option")).to_have_text(["sort:newest"])
    page.keyboard.press("Tab")
    expect(page.get_by_role("option")).to_have_count(0)
    expect(box).not_to_be_focused()


def test_what_can_stand_after_each_word_is_suggested(ann: Desk, cast: Cast, ticket: Ticket) -> None:
    ticket.article.title = "The bridge that took ten years"  # type: ignore[union-attr]
    db.session.commit()
    triage.add_tag(ticket, name="History", by=cast.eve)
    asked = {
        "t": ["topic:", "tag:"], "bridge -ta": ["-tag:"], "is:un": ["is:unassigned"], "tag:h": ["tag:history"],
        "topic:broken": ["topic:page"], "assignee:ev": ["assignee:\"Eve Ellis\""], "assignee:me": ["assignee:me"],
        "article:took": ["article:/2026/harbour-bridge/"], "reader:ru": ["reader:ruth@example.com"], "reader:r": [],
        "queue:": ["queue:Readers"], "site:tide": ["site:tidewater"], "priority:u": ["priority:urgent"],
        "has:": ["has:file"], "before:": [], "nonsense:": [], "": [], "bridge ": [],
    }  # fmt: skip
    assert {text: [one["part"] for one in suggested(ann, text)] for text in asked} == asked
    assert suggested(ann, "bridge -tag:h")[0]["text"] == "bridge -tag:history "


def test_class_50_nothing_that_is_hidden_is_suggested(ann: Desk, sam: Desk, carla: Desk, cast: Cast) -> None:
    secret = make_ticket(
        cast, queue=cast.legal, address="zoe@example.net", article_url="https://blog.example.org/secret/"
    )
    triage.add_tag(secret, name="Lawsuit", by=cast.carla)
    for text in ("reader:zoe", "article:secret", "queue:leg", "tag:law"):
        assert (suggested(ann, text), suggested(sam, text), len(suggested(carla, text))) == ([], [], 1), text


def test_a_filter_is_an_address_that_is_paged_and_asks_nothing_of_script(ann: Desk, cast: Cast) -> None:
    made = [make_ticket(cast, body=f"Number {n}").number for n in range(53)]
    page = ann.get("/desk/search?q=is%3Aopen").text
    assert numbers_in(page) == made[:50]
    assert 'href="?q=is%3Aopen&amp;after=' in page
    later = page.split('class="later"><a class="quiet" href="')[1].split('"')[0].replace("&amp;", "&")
    assert numbers_in(ann.get(f"/desk/search{later}").text) == made[50:]


def test_a_question_that_means_nothing_is_answered_with_a_sentence(ann: Desk) -> None:
    page = ann.get("/desk/search?q=before%3Ayesterday").text
    assert text_of(page, "p.notice") == ["“before:yesterday” wants a day such as before:2026-11-01."]
    assert 'value="before:yesterday"' in page


def suggested(desk: Desk, text: str) -> list[dict[str, str]]:
    """What the box suggests while `text` stands in it."""
    answer: list[dict[str, str]] = desk.get("/desk/search/suggestions", query_string={"q": text}).json
    return answer
