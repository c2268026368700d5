"""The desk in a real browser: by keyboard alone, without script, and what the scripts add."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from helpdesk.canned_replies.operations import add_canned_reply
from helpdesk.database import db
from helpdesk.sites.forward_addresses import forward_address
from helpdesk.tickets.drafts import Draft
from helpdesk.tickets.models import Status, Ticket
from helpdesk.tickets.operations import follow_up
from tests.cast import Cast
from tests.factories import follow_up_letter, make_ticket

pytestmark = pytest.mark.browser


def test_a_ticket_is_found_answered_and_sent_by_keyboard_alone(desk: Callable[..., Page], cast: Cast) -> None:
    make_ticket(cast, subject="First")
    second = make_ticket(cast, subject="Second")
    page = desk()
    press(page, "j")
    press(page, "j")
    press(page, "o")
    expect(page.get_by_role("heading", level=1)).to_have_text("Second")
    press(page, "r")
    page.keyboard.type("Thank you, j and k are only letters here.")
    press(page, "Control+Enter")
    expect(page.locator("p.flash")).to_have_text("Your reply is on its way to ruth@example.com.")
    db.session.rollback()
    assert (second.assignee, second.messages[-1].body_text) == (cast.ann, "Thank you, j and k are only letters here.")


def test_the_private_address_for_forwarding_is_copied(desk: Callable[..., Page], cast: Cast) -> None:
    page = desk("/desk/account", permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy the address for Readers").click()
    expect(page.get_by_role("status").filter(has_text="Copied.")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.get_by_label("Readers", exact=True).input_value() == forward_address(cast.ann, cast.queue)


def test_without_script_the_private_address_is_there_to_be_selected(desk: Callable[..., Page], cast: Cast) -> None:
    page = desk("/desk/account", java_script_enabled=False)
    expect(page.get_by_label("Readers", exact=True)).to_have_value(forward_address(cast.ann, cast.queue))
    expect(page.get_by_role("button", name="Copy")).to_have_count(0)


def test_the_reader_of_a_ticket_without_one_is_named_without_script(desk: Callable[..., Page], cast: Cast) -> None:
    ticket = make_ticket(cast, address="", name="")
    page = desk(f"/desk/tickets/{ticket.number}", java_script_enabled=False)
    page.locator("summary", has_text="Name the reader").click()
    page.get_by_label("Email address", exact=True).fill("tom@example.net")
    page.get_by_role("button", name="Name the reader").click()
    expect(page.locator("p.flash")).to_have_text("The reader is named. Replies go there from now on.")
    expect(page.locator("#reader-title")).to_have_text("tom@example.net")


def test_6_take_note_close_search_help_and_lists_have_keys(
    desk: Callable[..., Page], cast: Cast, ticket: Ticket
) -> None:
    page = desk("/desk/tickets/1")
    press(page, "a")
    expect(page.locator("p.flash")).to_have_text("The ticket is yours.")
    press(page, "n")
    expect(page.locator("#note-body")).to_be_focused()
    page.locator("#note-body").blur()
    press(page, "?")
    expect(page.locator("#keys")).to_be_visible()
    press(page, "Escape")
    press(page, "e")
    press(page, "Enter")
    expect(page.locator("p.flash")).to_have_text("The ticket is closed.")
    press(page, "/")
    expect(page.locator("#q")).to_be_focused()
    page.locator("#q").blur()
    press(page, "g")
    press(page, "p")
    expect(page).to_have_url(re.compile("/desk/pending$"))
    db.session.rollback()
    assert ticket.status is Status.CLOSED


def test_6_keys_that_are_switched_off_do_nothing(desk: Callable[..., Page], cast: Cast, ticket: Ticket) -> None:
    cast.ann.keyboard = False
    db.session.commit()
    page = desk("/desk/tickets/1")
    press(page, "a")
    press(page, "?")
    expect(page.locator("#keys")).to_have_count(0)
    page.reload()
    db.session.rollback()
    assert ticket.assignee is None


def test_a_pause_saves_the_draft(desk: Callable[..., Page], ticket: Ticket) -> None:
    page = desk("/desk/tickets/1")
    page.locator("#reply-body").fill("Half a")
    expect(page.locator("#reply-form [data-saved]")).to_have_text(re.compile(r"^Saved \d\d:\d\d$"), timeout=10_000)
    db.session.rollback()
    assert db.session.query(Draft).one().body == "Half a"


def test_a_draft_that_is_being_saved_never_outlives_its_reply(desk: Callable[..., Page], ticket: Ticket) -> None:
    page = desk("/desk/tickets/1")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/draft", hold)
    with page.expect_request("**/draft"):
        page.locator("#reply-body").fill("Thank you.")
    press(page, "Control+Enter")
    held[0].continue_()
    expect(page.locator("p.flash")).to_have_text("Your reply is on its way to ruth@example.com.")
    db.session.rollback()
    assert ([message.body_text for message in ticket.messages[1:]], db.session.query(Draft).all()) == (
        ["Thank you."],
        [],
    )


def test_a_canned_reply_comes_in_at_the_cursor(desk: Callable[..., Page], cast: Cast, ticket: Ticket) -> None:
    add_canned_reply(cast.site, name="Thanks", body="thank you, {reader_name}", by=cast.eve)
    page = desk("/desk/tickets/1")
    page.locator("#reply-body").fill("Hello, !")
    page.locator("#reply-body").press("ArrowLeft")
    page.locator("#reply-canned").select_option(label="Thanks")
    page.locator("#reply-form [data-insert]").click()
    expect(page.locator("#reply-body")).to_have_value("Hello, thank you, Ruth Reed!")


def test_something_new_is_told_in_a_bar_and_moves_nothing(
    desk: Callable[..., Page], cast: Cast, ticket: Ticket
) -> None:
    page = desk("/desk/tickets/1")
    follow_up(ticket, letter=follow_up_letter("New words"))
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator("#news")).to_have_text("1 new message – show")
    expect(page.locator("article")).to_have_count(1)
    page.locator("#news a").click()
    expect(page.locator("article")).to_have_count(2)


def test_the_whole_job_is_done_without_script(desk: Callable[..., Page], cast: Cast, ticket: Ticket) -> None:
    add_canned_reply(cast.site, name="Thanks", body="Thank you, {reader_name}.", by=cast.eve)
    page = desk(java_script_enabled=False)
    page.get_by_role("link", name="The bridge is older").click()
    page.get_by_role("button", name="Take").click()
    page.locator("#reply-canned").select_option(label="Thanks")
    page.get_by_role("button", name="Insert").click()
    expect(page.locator("#reply-body")).to_have_value("Thank you, Ruth Reed.")
    follow_up(ticket, letter=follow_up_letter("Wait!"))
    page.get_by_role("button", name="Send and close").click()
    expect(page.locator("section.stopped h2")).to_contain_text("Not sent yet")
    page.locator("section.stopped").get_by_role("button", name="Send anyway").click()
    expect(page.locator("p.flash")).to_contain_text("The ticket is closed.")
    db.session.rollback()
    assert (ticket.status, ticket.messages[-1].body_text) == (Status.CLOSED, "Thank you, Ruth Reed.")


@pytest.mark.parametrize("options", [{}, {"java_script_enabled": False, "viewport": {"width": 390, "height": 844}}])
def test_somebody_in_cc_joins_and_leaves_by_keyboard_on_a_desk_and_without_script_on_a_phone(
    desk: Callable[..., Page], ticket: Ticket, options: dict[str, Any]
) -> None:
    follow_up(ticket, letter=follow_up_letter(recipients=["support@example.org", "tom@example.com"]))
    page = desk(f"/desk/tickets/{ticket.number}", **options)
    page.get_by_role("button", name="Add tom@example.com to the replies").press("Enter")
    expect(page.locator("p.to b").nth(1)).to_have_text("tom@example.com")
    page.locator("#reply-body").fill("Half a thought")
    page.get_by_role("button", name="Send no copy to tom@example.com").press("Enter")
    expect(page.locator("p.flash")).to_have_text("tom@example.com gets no more replies.")
    expect(page.locator("p.to b")).to_have_text(["ruth@example.com"])
    expect(page.locator("#reply-body")).to_have_value("Half a thought")


def test_a_note_is_written_without_script_on_a_phone(desk: Callable[..., Page], ticket: Ticket) -> None:
    page = desk("/desk/tickets/1", java_script_enabled=False, viewport={"width": 390, "height": 844})
    page.locator("label[for=as-note]").click()
    page.locator("#note-body").fill("She is right.")
    page.get_by_role("button", name="Keep the note").click()
    expect(page.locator("article.is-note")).to_contain_text("She is right.")


def test_the_lists_open_on_a_phone_without_script(desk: Callable[..., Page], ticket: Ticket) -> None:
    page = desk(java_script_enabled=False, viewport={"width": 390, "height": 844})
    expect(page.get_by_role("navigation", name="Lists")).to_be_hidden()
    page.get_by_role("link", name="Lists").click()
    page.get_by_role("link", name="Closed").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Closed")


@pytest.mark.parametrize("width", [320, 390, 768, 1100])
def test_nothing_sticks_out_sideways(desk: Callable[..., Page], cast: Cast, ticket: Ticket, width: int) -> None:
    ticket.subject = "W" * 300
    ticket.article.title = "Donaudampfschifffahrtsgesellschaft" * 5  # type: ignore[union-attr]
    db.session.commit()
    follow_up(ticket, letter=follow_up_letter("x" * 500, from_address="y" * 60 + "@example.com"))
    page = desk(viewport={"width": width, "height": 844})
    for path in ("/desk/unassigned", "/desk/tickets/1?in=unassigned", "/desk/account", "/desk/search?q=x"):
        page.goto(path)
        assert (path, page.evaluate("document.documentElement.scrollWidth - innerWidth")) == (path, 0)


def test_the_colours_follow_the_system_and_can_be_chosen(desk: Callable[..., Page]) -> None:
    page = desk(color_scheme="dark")
    paper = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(paper) == "rgb(22, 24, 28)"
    page.locator("#theme").click()
    assert page.evaluate(paper) == "rgb(255, 255, 255)"
    page.reload()
    assert page.evaluate(paper) == "rgb(255, 255, 255)"


def test_class_1_and_10_a_hostile_mail_runs_nothing_and_asks_nobody(desk: Callable[..., Page], cast: Cast) -> None:
    hostile = (
        '<img src=x onerror="parent.document.title=1"><svg onload=alert(1)><a href="javascript:alert(1)">x</a>'
        '<img src="https://tracker.example.com/a.png"><style>@import "https://tracker.example.com/b.css"</style>'
    )
    ticket = make_ticket(cast)
    follow_up(ticket, letter=follow_up_letter(body_html=hostile))
    page, asked, ran = desk(f"/desk/tickets/{ticket.number}"), [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: ran.append(dialog.message))
    with page.expect_response("**/html"):
        page.get_by_text("Show formatted").click()
    page.wait_for_timeout(300)
    assert ([url for url in asked if "tracker" in url], ran) == ([], [])


def press(page: Page, key: str) -> None:
    """Press a key once the page is whole: keys are there when their script is."""
    page.wait_for_load_state("load")
    page.keyboard.press(key)
