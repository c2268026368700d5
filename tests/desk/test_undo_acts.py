"""The offer to undo what was done last: beside the sentence that tells it, over navigation, by one key."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from helpdesk import clock
from helpdesk.database import db
from helpdesk.tickets import triage
from helpdesk.tickets.acts import in_one_act
from helpdesk.tickets.models import Status, Ticket
from tests.cast import Cast
from tests.desk.conftest import Desk
from tests.desk.reading import text_of
from tests.factories import event_kinds, make_ticket


def offered(page: str) -> list[str]:
    return text_of(page, ".undo-bar p")


def test_the_sentence_after_a_verb_brings_its_undo(ann: Desk, ticket: Ticket) -> None:
    page = ann.get(ann.post(f"/desk/tickets/{ticket.number}/close", resolution="answered").location).text
    assert offered(page) == ["The ticket is closed."]
    act = ticket.events[-1].act
    back = ann.post(f"/desk/undo/{act}", back="/desk/open?after=1")
    assert (back.status_code, back.location) == (303, "/desk/open?after=1")
    assert (ticket.status, event_kinds(ticket)[-1]) == (Status.NEW, "act_undone")
    assert text_of(ann.get("/desk/open").text, "p.flash") == ["Undone."]


def test_the_offer_follows_over_the_desk_for_some_minutes(ann: Desk, eve: Desk, ticket: Ticket) -> None:
    ann.post(f"/desk/tickets/{ticket.number}/take")
    ann.get(f"/desk/tickets/{ticket.number}")
    assert offered(ann.get("/desk/account").text) == [f"You assigned #{ticket.number}."]
    assert offered(eve.get("/desk/account").text) == []
    ticket.events[-1].at = clock.now() - timedelta(minutes=11)
    db.session.commit()
    assert offered(ann.get("/desk/account").text) == []


def test_what_is_undone_is_not_offered_again_but_what_was_done_before_is(ann: Desk, cast: Cast) -> None:
    first, second = make_ticket(cast, body="One"), make_ticket(cast, body="Two")
    with in_one_act():
        triage.add_tag(first, name="bridge", by=cast.ann)
        triage.add_tag(second, name="bridge", by=cast.ann)
    with in_one_act() as newest:
        triage.take(first, by=cast.ann)
    ann.post(f"/desk/undo/{newest}", back="/desk/open")
    assert offered(ann.get("/desk/open").text) == ["You tagged 2 tickets."]


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example", "/ticket/x", ""])
def test_undo_leads_only_to_the_desk(ann: Desk, back: str) -> None:
    assert ann.post("/desk/undo/nothing", back=back).location == "/desk/"


@pytest.mark.browser
def test_z_undoes_what_was_done_last_on_whatever_page(desk: Callable[..., Page], ticket: Ticket) -> None:
    page = desk(f"/desk/tickets/{ticket.number}?in=open")
    page.keyboard.press("a")
    expect(page.locator(".undo-bar p")).to_have_text("The ticket is yours.")
    page.goto("/desk/open")
    page.keyboard.press("z")
    expect(page.locator("p.flash")).to_have_text("Undone.")
    db.session.rollback()
    assert ticket.assignee is None


@pytest.mark.browser
def test_undo_works_without_script(desk: Callable[..., Page], ticket: Ticket) -> None:
    page = desk(f"/desk/tickets/{ticket.number}", java_script_enabled=False)
    page.get_by_role("button", name="Spam", exact=True).click()
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("p.flash")).to_have_text("Undone.")
    db.session.rollback()
    assert not ticket.is_spam
