"""Behaviour 38: before a reply leaves, the desk asks about what was overlooked, and forbids nothing."""

import io
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from helpdesk import clock
from helpdesk.database import db
from helpdesk.tickets.messages import MessageKind
from helpdesk.tickets.models import Status, Ticket
from helpdesk.tickets.operations import follow_up
from helpdesk.tickets.second_thoughts import names_a_file
from tests.desk.conftest import Desk
from tests.desk.reading import text_of, values_of
from tests.factories import follow_up_letter

ASKED = "Not sent yet: you write of something attached, but there is no file"


def test_a_text_that_speaks_of_a_file_without_one_is_asked_about_once(ann: Desk, ticket: Ticket) -> None:
    answer = ann.post(f"/desk/tickets/{ticket.number}/reply", body="See the attached plan.", seen=1, then="close")
    assert (answer.status_code, text_of(answer.text, "#stopped-title"), replies(ticket)) == (409, [ASKED], [])
    assert values_of(answer.text, "body")[0] == "See the attached plan."
    ann.post(
        f"/desk/tickets/{ticket.number}/reply", body="See the attached plan.", seen=1, then="close",
        sure=values_of(answer.text, "sure")[0],
    )  # fmt: skip
    assert (ticket.status, replies(ticket)) == (Status.CLOSED, ["See the attached plan."])


def test_a_file_of_the_form_or_of_the_draft_answers_the_question(ann: Desk, ticket: Ticket) -> None:
    path = f"/desk/tickets/{ticket.number}"
    sent = ann.post(f"{path}/reply", body="The attached plan.", seen=1, files=[(io.BytesIO(b"a"), "plan.txt")])
    assert sent.status_code == 303
    ann.post(f"{path}/draft", kind="reply", body="One more attached.", files=[(io.BytesIO(b"b"), "more.txt")])
    assert ann.post(f"{path}/reply", body="One more attached.", seen=2).status_code == 303
    assert replies(ticket) == ["The attached plan.", "One more attached."]


def test_a_blocked_reader_is_asked_about(ann: Desk, ticket: Ticket) -> None:
    ticket.reader.blocked_at = clock.now()  # type: ignore[union-attr]
    db.session.commit()
    answer = ann.post(f"/desk/tickets/{ticket.number}/reply", body="Hello.", seen=1)
    assert text_of(answer.text, "#stopped-title") == ["Not sent yet: this reader is blocked"]


def test_all_that_is_doubtful_is_asked_at_once(ann: Desk, ticket: Ticket) -> None:
    ticket.reader.blocked_at = clock.now()  # type: ignore[union-attr]
    db.session.commit()
    answer = ann.post(f"/desk/tickets/{ticket.number}/reply", body="See the attached plan.", seen=1)
    assert text_of(answer.text, "#stopped-title") == [f"{ASKED}, and this reader is blocked"]


def test_what_came_in_meanwhile_is_told_first_and_the_question_stays(ann: Desk, ticket: Ticket) -> None:
    follow_up(ticket, letter=follow_up_letter())
    answer = ann.post(f"/desk/tickets/{ticket.number}/reply", body="See the attached plan.", seen=1)
    title = "Not sent yet: a new message came in while you were writing"
    assert (text_of(answer.text, "#stopped-title"), values_of(answer.text, "sure")) == ([title], [])


@pytest.mark.parametrize(
    ("body", "is_named"),
    [
        ("Please find ATTACHED the plan.", True),
        ("Im Anhang die Pläne.", True),
        ("Die Pläne sind beigefügt.", True),
        ("Vous trouverez ci-joint le plan.", True),
        ("Adjunto el plano.", True),
        ("I am attaching great hopes to it.", False),
        ("Thank you.\n\n> See the attached plan.", False),
        ("", False),
    ],
)
def test_the_word_is_known_in_several_languages_and_not_in_quotes(body: str, is_named: bool) -> None:
    assert names_a_file(body) is is_named


@pytest.mark.browser
def test_38_the_file_that_was_forgotten_takes_the_question_away(desk: Callable[..., Page], ticket: Ticket) -> None:
    page = desk(f"/desk/tickets/{ticket.number}")
    page.get_by_label("Reply to Ruth Reed").fill("The plan is attached.")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("alert").get_by_role("heading")).to_have_text(ASKED)
    page.locator("#reply-files").set_input_files({"name": "plan.txt", "mimeType": "text/plain", "buffer": b"a plan"})
    expect(page.get_by_role("alert")).to_have_count(0)
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator("p.flash")).to_have_text("Your reply is on its way to ruth@example.com.")


@pytest.mark.browser
def test_38_send_anyway_sends_what_was_asked_about(desk: Callable[..., Page], ticket: Ticket) -> None:
    page = desk(f"/desk/tickets/{ticket.number}")
    page.get_by_label("Reply to Ruth Reed").fill("The plan is attached.")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("alert").get_by_role("heading")).to_have_text(ASKED)
    expect(page.get_by_label("Reply to Ruth Reed")).to_have_value("The plan is attached.")
    page.get_by_role("alert").get_by_role("button", name="Send anyway").click()
    expect(page.locator("p.flash")).to_have_text("Your reply is on its way to ruth@example.com.")


def replies(ticket: Ticket) -> list[str]:
    """What was answered so far."""
    db.session.rollback()
    return [message.body_text for message in ticket.messages if message.kind is MessageKind.REPLY]
