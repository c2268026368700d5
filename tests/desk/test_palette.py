"""Behaviour 11: Ctrl+K names every action of the page; a choice is a second level."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from helpdesk.canned_replies.operations import add_canned_reply
from helpdesk.database import db
from helpdesk.tickets.models import Resolution, Ticket
from tests.cast import Cast

pytestmark = pytest.mark.browser


def test_11_a_ticket_is_taken_by_name(desk: Callable[..., Page], cast: Cast, ticket: Ticket) -> None:
    page = desk(f"/desk/tickets/{ticket.number}")
    act(page, "take")
    expect(page.locator(".whose")).to_have_text("yours")
    db.session.rollback()
    assert ticket.assignee is cast.ann


def test_11_a_verb_of_a_menu_says_what_it_belongs_to(desk: Callable[..., Page], ticket: Ticket) -> None:
    page = desk(f"/desk/tickets/{ticket.number}")
    page.keyboard.press("Control+k")
    page.keyboard.type("clo corr")
    expect(page.locator("#palette [role=option]")).to_have_text(["Close: Corrected"])
    page.keyboard.press("Enter")
    expect(page.locator(".ticket-head .chip").first).to_have_text("corrected")
    db.session.rollback()
    assert ticket.resolution is Resolution.CORRECTED


def test_11_a_choice_is_a_second_level_and_escape_goes_back(desk: Callable[..., Page], ticket: Ticket) -> None:
    page = desk(f"/desk/tickets/{ticket.number}")
    actions, box = page.locator("#palette [role=option]"), page.locator("#palette-text")
    act(page, "set priority…")
    expect(box).to_have_attribute("aria-label", "Set priority…")
    expect(actions).to_have_text(["Low", "High", "Urgent"])
    page.keyboard.press("Escape")
    expect(box).to_have_attribute("aria-label", "What to do")
    act(page, "set priority…", open_first=False)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#fact-priority")).to_have_value("high")


def test_11_what_is_deep_inside_is_found_from_the_top(desk: Callable[..., Page], cast: Cast, ticket: Ticket) -> None:
    add_canned_reply(cast.site, name="Thank you for the hint", body="Thank you for the hint.", by=None)
    page = desk(f"/desk/tickets/{ticket.number}")
    act(page, "hint")
    expect(page.get_by_label("Reply to Ruth Reed")).to_have_value("Thank you for the hint.")


def test_11_a_note_is_begun_by_name(desk: Callable[..., Page], ticket: Ticket) -> None:
    page = desk(f"/desk/tickets/{ticket.number}", viewport={"width": 390, "height": 844})
    act(page, "note")
    expect(page.get_by_role("textbox", name="Note")).to_be_focused()


def test_11_lists_are_reached_and_the_focus_returns(desk: Callable[..., Page], ticket: Ticket) -> None:
    page = desk("/desk/unassigned")
    page.locator(".row-subject").focus()
    page.keyboard.press("Control+k")
    page.keyboard.type("there is no such thing")
    expect(page.locator("#palette-none")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#palette")).to_be_hidden()
    expect(page.locator(".row-subject")).to_be_focused()
    act(page, "pending")
    expect(page.get_by_role("heading", level=1)).to_have_text("Pending")


def test_11_it_opens_while_one_writes_since_it_is_no_single_key(desk: Callable[..., Page], ticket: Ticket) -> None:
    page = desk(f"/desk/tickets/{ticket.number}")
    page.get_by_label("Reply to Ruth Reed").click()
    page.keyboard.type("k")
    page.keyboard.press("Control+k")
    expect(page.locator("#palette")).to_be_visible()
    page.keyboard.press("Control+k")
    expect(page.get_by_label("Reply to Ruth Reed")).to_be_focused()


def act(page: Page, name: str, *, open_first: bool = True) -> None:
    """Do something by its name."""
    if open_first:
        page.keyboard.press("Control+k")
    page.keyboard.type(name)
    page.keyboard.press("Enter")
