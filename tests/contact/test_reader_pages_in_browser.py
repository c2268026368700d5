"""The reader pages in a real browser: whole without script, more comfortable with it, usable by everybody."""

from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from helpdesk.contact.screening import FASTEST_SECONDS
from helpdesk.tickets.replying import reply
from tests.cast import ARTICLE_URL, RUTH, Cast
from tests.contact.posting import PNG, WORDS, tickets
from tests.live import free_port, serving

pytestmark = pytest.mark.browser
Open = Callable[..., Page]


@pytest.fixture
def visit(app: Flask, browser: Browser) -> Iterator[Open]:
    """Open the form in a context of its own; options are those of the context."""
    contexts = []
    with serving(app, free_port()) as address:

        def open_form(**options: object) -> Page:
            contexts.append(browser.new_context(base_url=address, **options))  # type: ignore[arg-type]
            page = contexts[-1].new_page()
            page.goto(f"/contact?url={ARTICLE_URL}")
            return page

        yield open_form
        for context in contexts:
            context.close()


def fill_in(page: Page, topic: str = "A mistake in the text") -> None:
    page.get_by_label(topic).check()
    page.locator("#message").fill(WORDS)
    page.get_by_label("Your email address").fill(RUTH)


def test_whole_way_without_script(visit: Open, cast: Cast) -> None:
    page = visit(java_script_enabled=False)
    page.get_by_label("A mistake in the text").check()
    page.get_by_label("What is wrong?").fill(WORDS)
    page.get_by_label("How should it read?").fill("opened in 1932")
    page.get_by_label("Pictures or documents").set_input_files(
        [{"name": "plaque.png", "mimeType": "image/png", "buffer": PNG}]
    )
    page.wait_for_timeout(1000 * FASTEST_SECONDS)
    page.get_by_role("button", name="Send").click()
    expect(page).to_have_title("Error: Contact The Tidewater Post")
    page.get_by_role("link", name="Enter your email address, or choose that you want no answer").click()
    expect(page.get_by_label("Your email address")).to_be_focused()
    page.get_by_label("Your email address").fill(RUTH)
    page.get_by_role("button", name="Send").click()
    page.get_by_role("link", name="See what became of your message").click()
    page.get_by_label("Your message").fill("One more thing.")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("status")).to_have_text("Your message was added.")
    ticket = tickets()[0]
    assert [message.body_text for message in ticket.messages] == [
        f"{WORDS}\n\nHow it should read:\nopened in 1932",
        "One more thing.",
    ]
    assert ([file.name for file in ticket.messages[0].attachments], ticket.is_spam) == (["plaque.png"], False)


def test_second_box_is_there_only_for_mistakes(visit: Open) -> None:
    page = visit(java_script_enabled=False)
    box = page.get_by_label("How should it read?")
    expect(box).to_be_hidden()
    page.get_by_label("A mistake in the text").check()
    expect(box).to_be_visible()
    page.get_by_label("A tip").check()
    expect(box).to_be_hidden()


def test_focus_moves_to_the_error_summary(visit: Open) -> None:
    page = visit()
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("alert")).to_be_focused()


def test_counter_warns_and_never_blocks(visit: Open) -> None:
    page = visit()
    page.locator("#message").fill("a" * 19_000)
    expect(page.locator("#message-count")).to_have_text("1000 characters left")
    page.locator("#message").fill("a" * 20_001)
    expect(page.locator("#message-count")).to_have_text("1 characters too many")


def test_chosen_files_are_listed(visit: Open) -> None:
    page = visit()
    files = [{"name": name, "mimeType": "image/png", "buffer": PNG} for name in ("a.png", "b.png")]
    page.get_by_label("Pictures or documents").set_input_files(files)  # type: ignore[arg-type]
    expect(page.locator("[data-files] li")).to_have_text(["a.png (1 kB)", "b.png (1 kB)"])


def test_text_survives_a_reload(visit: Open) -> None:
    page = visit()
    fill_in(page)
    page.reload()
    expect(page.locator("#message")).to_have_value(WORDS)
    expect(page.get_by_label("A mistake in the text")).to_be_checked()


@pytest.mark.parametrize("topic", ["A tip", "Rights and legal"])
def test_text_of_tips_and_legal_matters_is_not_kept(visit: Open, topic: str) -> None:
    page = visit()
    fill_in(page)
    page.get_by_label(topic).check()
    page.locator("#message").fill("Not for other eyes")
    assert page.evaluate("JSON.stringify(sessionStorage)") == "{}"


def test_text_is_forgotten_once_it_is_sent(visit: Open) -> None:
    page = visit()
    fill_in(page)
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    assert page.evaluate("JSON.stringify(sessionStorage)") == "{}"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_have_no_accessibility_faults_and_no_sideways_scrolling(visit: Open, cast: Cast, scheme: str) -> None:
    page = visit(color_scheme=scheme, viewport={"width": 320, "height": 800})
    check(page)
    page.get_by_role("button", name="Send").click()
    check(page)
    fill_in(page)
    page.get_by_role("button", name="Send").click()
    check(page)
    reply(tickets()[0], body="You are right.", by=cast.ann)
    page.get_by_role("link", name="See what became of your message").click()
    check(page)
    page.goto("/nothing")
    check(page)


def check(page: Page) -> None:
    """No fault that axe can see, nothing wider than the window, nothing refused by the browser."""
    violations = [violation["id"] for violation in Axe().run(page).response["violations"]]
    assert (page.url, violations) == (page.url, [])
    assert page.evaluate("document.documentElement.scrollWidth") == 320
