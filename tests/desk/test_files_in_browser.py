"""Behaviour 39: files that are chosen, pasted or dropped go to the draft at once, with their limit named."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from helpdesk.database import db
from helpdesk.tickets.drafts import Draft
from helpdesk.tickets.models import Ticket

pytestmark = pytest.mark.browser
PLAN = {"name": "plan.txt", "mimeType": "text/plain", "buffer": b"a plan"}
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
PASTE = """([kind, type, pixel]) => {
  const bytes = Uint8Array.from(atob(pixel), (letter) => letter.charCodeAt(0));
  const data = new DataTransfer();
  data.items.add(new File([bytes], "image.png", { type: "image/png" }));
  const init = { bubbles: true, cancelable: true, [kind]: data };
  const event = type === "paste" ? new ClipboardEvent(type, init) : new DragEvent(type, init);
  document.getElementById("reply-body").dispatchEvent(event);
}"""


def test_39_a_chosen_file_is_kept_at_once_and_can_be_removed(desk: Callable[..., Page], ticket: Ticket) -> None:
    page = desk(f"/desk/tickets/{ticket.number}")
    page.get_by_label("Reply to Ruth Reed").fill("The plan:")
    page.locator("#reply-files").set_input_files(PLAN)
    expect(page.locator("#reply-form .is-draft li")).to_have_text(["plan.txt 6 bytes"])
    assert kept() == ("The plan:", ["plan.txt"])
    page.locator("#reply-files").set_input_files(PLAN | {"name": "second.txt"})
    expect(page.locator("#reply-form .is-draft li")).to_have_count(2)
    page.get_by_role("button", name="Remove plan.txt").click()
    expect(page.locator("#reply-form .is-draft li")).to_have_text(["second.txt 6 bytes"])
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator("p.flash")).to_have_text("Your reply is on its way to ruth@example.com.")
    assert sent(ticket) == ["second.txt"]


def test_39_a_pasted_picture_gets_a_name_where_the_cursor_is(desk: Callable[..., Page], ticket: Ticket) -> None:
    page = desk(f"/desk/tickets/{ticket.number}")
    page.get_by_label("Reply to Ruth Reed").fill("Look: ")
    page.evaluate(PASTE, ["clipboardData", "paste", PIXEL])
    expect(page.locator("#reply-form .is-draft li")).to_have_count(1)
    body, [name] = kept()
    assert body == f"Look: ![]({name})"
    assert name.startswith("picture-")


def test_39_a_dropped_picture_is_taken(desk: Callable[..., Page], ticket: Ticket) -> None:
    page = desk(f"/desk/tickets/{ticket.number}")
    page.evaluate(PASTE, ["dataTransfer", "drop", PIXEL])
    expect(page.locator("#reply-form .is-draft li")).to_have_text(["image.png 70 bytes"])
    assert kept() == ("![](image.png)", ["image.png"])


def test_39_a_file_that_is_too_large_is_named_before_it_travels(desk: Callable[..., Page], ticket: Ticket) -> None:
    page = desk(f"/desk/tickets/{ticket.number}")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    large = PLAN | {"buffer": b"x" * (10 * 1024 * 1024 + 1)}
    page.locator("#reply-files").set_input_files(large)
    expect(page.locator("#reply-files-chosen")).to_have_text("plan.txt: larger than 10.0 MB")
    assert asked == []


def test_39_what_could_not_be_sent_ahead_goes_along_with_the_text(desk: Callable[..., Page], ticket: Ticket) -> None:
    page = desk(f"/desk/tickets/{ticket.number}")
    page.route("**/draft", lambda route: route.abort())
    page.get_by_label("Reply to Ruth Reed").fill("The plan:")
    page.locator("#reply-files").set_input_files(PLAN)
    expect(page.locator("#reply-files-chosen")).to_have_text("plan.txt will go along with the text.")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator("p.flash")).to_have_text("Your reply is on its way to ruth@example.com.")
    assert sent(ticket) == ["plan.txt"]


def test_39_no_reply_leaves_while_a_file_is_on_its_way(desk: Callable[..., Page], ticket: Ticket) -> None:
    page = desk(f"/desk/tickets/{ticket.number}")
    page.get_by_label("Reply to Ruth Reed").fill("The plan:")
    held: list[Route] = []
    page.route("**/draft", lambda route: held.append(route), times=1)  # noqa: PLW0108 it is inspected
    page.locator("#reply-files").set_input_files(PLAN)
    expect(page.locator("#reply-form progress")).to_be_visible()
    page.locator("#reply-files").set_input_files(PLAN | {"name": "second.txt"})
    expect(page.locator("#reply-form .is-draft li")).to_have_text(["second.txt 6 bytes"])
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator("#reply-files-chosen")).to_contain_text("The files are still on their way.")
    held[0].continue_()
    expect(page.locator("#reply-form .is-draft li")).to_have_count(2)
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator("p.flash")).to_have_text("Your reply is on its way to ruth@example.com.")
    assert sorted(sent(ticket)) == ["plan.txt", "second.txt"]


def test_39_what_is_written_while_a_file_travels_is_kept(desk: Callable[..., Page], ticket: Ticket) -> None:
    page = desk(f"/desk/tickets/{ticket.number}")
    held: list[Route] = []
    page.route("**/draft", lambda route: held.append(route), times=1)  # noqa: PLW0108 it is inspected
    page.locator("#reply-files").set_input_files(PLAN)
    page.get_by_label("Reply to Ruth Reed").fill("Written meanwhile.")
    expect(page.locator("#reply-form [data-saved]")).to_contain_text("Saved", timeout=10_000)
    held[0].continue_()
    expect(page.locator("#reply-form .is-draft li")).to_have_count(1)
    expect(page.locator("#reply-form [data-saved]")).to_have_text("")
    expect(page.locator("#reply-form [data-saved]")).to_contain_text("Saved", timeout=10_000)
    assert kept() == ("Written meanwhile.", ["plan.txt"])


def test_39_a_file_chosen_after_one_was_signed_out_is_not_lost(desk: Callable[..., Page], ticket: Ticket) -> None:
    page = desk(f"/desk/tickets/{ticket.number}")
    page.context.clear_cookies()
    page.locator("#reply-files").set_input_files(PLAN)
    expect(page.locator("#reply-files-chosen")).to_have_text("plan.txt will go along with the text.")


def test_39_text_that_brings_a_picture_of_itself_is_pasted_as_text(desk: Callable[..., Page], ticket: Ticket) -> None:
    page = desk(f"/desk/tickets/{ticket.number}")
    with_text = PASTE.replace("const init", 'data.setData("text/plain", "a cell"); const init')
    page.evaluate(with_text, ["clipboardData", "paste", PIXEL])
    expect(page.get_by_label("Reply to Ruth Reed")).to_have_value("")
    expect(page.locator("#reply-form progress")).to_be_hidden()
    assert db.session.query(Draft).count() == 0


def kept() -> tuple[str, list[str]]:
    """The text and the files of the only draft."""
    db.session.rollback()
    draft = db.session.query(Draft).one()
    return draft.body, [file.name for file in draft.attachments]


def sent(ticket: Ticket) -> list[str]:
    """The files of the last message."""
    db.session.rollback()
    return [file.name for file in ticket.messages[-1].attachments]
