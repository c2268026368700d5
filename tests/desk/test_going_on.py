"""Behaviour 17: closed and on to the next ticket of the list, in one key."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from helpdesk.database import db
from helpdesk.tickets.models import Resolution, Ticket
from tests.cast import Cast
from tests.desk.conftest import Desk
from tests.factories import make_ticket


@pytest.mark.browser
def test_17_one_key_closes_and_opens_the_next(desk: Callable[..., Page], cast: Cast) -> None:
    first, second = make_ticket(cast, subject="First"), make_ticket(cast, subject="Second")
    page = desk(f"/desk/tickets/{first.number}?in=open")
    page.keyboard.press("Shift+E")
    expect(page.get_by_role("heading", level=1)).to_have_text("Second")
    expect(page.locator("p.flash")).to_have_text("The ticket is closed.")
    page.keyboard.press("Shift+E")
    expect(page).to_have_url(re.compile("/desk/open$"))
    db.session.rollback()
    assert [first.resolution, second.resolution] == [Resolution.ANSWERED] * 2


@pytest.mark.parametrize("verb", ["close", "spam", "take"])
def test_every_verb_can_lead_on_to_the_next_ticket_of_its_list(
    ann: Desk, cast: Cast, ticket: Ticket, verb: str
) -> None:
    following = make_ticket(cast, body="The next one")
    answer = ann.post(f"/desk/tickets/{ticket.number}/{verb}?in=unassigned&next=1", resolution="answered")
    assert answer.location == f"/desk/tickets/{following.number}?in=unassigned"


def test_a_verb_that_is_refused_leads_nowhere(ann: Desk, cast: Cast, ticket: Ticket) -> None:
    make_ticket(cast, body="The next one")
    answer = ann.post(f"/desk/tickets/{ticket.number}/close?in=unassigned&next=1", resolution="nonsense")
    assert answer.status_code == 422
    assert ticket.resolution is None
