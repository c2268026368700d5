"""The set-up in a real browser, by keyboard and without script."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from helpdesk.agents.roles import Role
from helpdesk.database import db
from helpdesk.sites.models import Queue
from tests.cast import Cast
from tests.factories import make_ticket


@pytest.mark.browser
@pytest.mark.engines("sqlite")
def test_a_queue_goes_by_keyboard_and_without_script(desk: Callable[..., Page], cast: Cast) -> None:
    cast.ann.role = Role.ADMIN
    db.session.commit()
    make_ticket(cast)
    page = desk("/desk/setup/queues", java_script_enabled=False)
    page.get_by_role("link", name="Readers", exact=True).nth(-1).focus()
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Remove …").press("Enter")
    expect(page.get_by_text("1 ticket moves")).to_be_visible()
    page.get_by_label("Move everything to").select_option("Legal")
    page.get_by_role("button", name="Move 1 ticket and remove Readers").press("Enter")
    expect(page.locator("p.flash").last).to_have_text("The queue Readers is gone.")
    db.session.rollback()
    assert [queue.name for queue in db.session.scalars(select(Queue))] == ["Legal"]
