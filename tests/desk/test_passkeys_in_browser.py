"""Passkeys in a real Chromium with an authenticator of its own; and the second step as people see it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from passlib.totp import TOTP
from playwright.sync_api import Browser, Page, expect

from helpdesk.agents.models import Passkey, SignIn
from helpdesk.agents.operations import deactivate
from helpdesk.database import db
from helpdesk.outbound.rendering import text_of
from tests.cast import PASSWORD, Cast
from tests.factories import outbox
from tests.live import free_port, serving

pytestmark = [pytest.mark.browser, pytest.mark.engines("sqlite")]
KEY = {
    "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
    "isUserVerified": True, "automaticPresenceSimulation": True,
}  # fmt: skip
Open = Callable[..., Page]


@pytest.fixture
def open_page(app: Flask, browser: Browser) -> Iterator[Open]:
    """Open a page at localhost: a passkey belongs to a name, never to a number."""
    with serving(app, free_port()) as url, windows(browser, url.replace("127.0.0.1", "localhost")) as opened:
        yield opened


@contextmanager
def windows(browser: Browser, url: str) -> Iterator[Open]:
    """Windows with an authenticator each, closed in the end."""
    contexts = []

    def open_one(path: str, **options: object) -> Page:
        contexts.append(browser.new_context(base_url=url, bypass_csp=True, **options))  # type: ignore[arg-type]
        page = contexts[-1].new_page()
        page.goto(path)
        return page

    yield open_one
    for context in contexts:
        context.close()


def with_key(page: Page, **options: object) -> Page:
    """Put a virtual authenticator into the browser."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send("WebAuthn.addVirtualAuthenticator", {"options": KEY | options})
    return page


def sign_in(page: Page) -> None:
    """As Ann, with her password."""
    page.get_by_label("Email address").fill("ann@example.org")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def sign_out(page: Page) -> None:
    """From the menu."""
    page.goto("/desk/account")
    page.get_by_label("Your account, Ann Archer").click()
    page.get_by_role("button", name="Sign out", exact=True).click()


def faults(page: Page) -> list[str]:
    """What axe finds."""
    return [one["id"] for one in Axe().run(page).response["violations"]]


def test_a_passkey_is_added_signs_in_and_is_removed(open_page: Open, cast: Cast) -> None:
    page = with_key(open_page("/desk/sign-in"))
    sign_in(page)
    page.goto("/desk/account/passkeys")
    page.get_by_label("Name of the new one").fill("Anns phone")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.locator(".notice")).to_contain_text("The passkey is kept.")
    db.session.rollback()
    kept = db.session.query(Passkey).one()
    assert (kept.agent, kept.name, kept.usage) == (cast.ann, "Anns phone", "first")
    assert "A passkey was added" in text_of(outbox()[-1])
    assert faults(page) == []

    sign_out(page)
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Unassigned")

    page.goto("/desk/account/passkeys")
    page.get_by_role("button", name="Remove Anns phone").click()
    expect(page.locator(".notice")).to_contain_text("The passkey is gone.")
    db.session.rollback()
    assert db.session.query(Passkey).count() == 0


def test_a_passkey_opens_no_closed_account(open_page: Open, cast: Cast) -> None:
    page = with_key(open_page("/desk/sign-in"))
    sign_in(page)
    page.goto("/desk/account/passkeys")
    page.get_by_label("Name of the new one").fill("Phone")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.locator(".notice")).to_contain_text("The passkey is kept.")
    sign_out(page)
    db.session.rollback()
    deactivate(cast.ann)
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.locator(".notice.is-error").first).to_be_visible()
    db.session.rollback()
    assert db.session.query(SignIn).filter(SignIn.ended_at.is_(None)).count() == 0


def test_a_device_that_does_not_know_its_owner_is_told(open_page: Open, cast: Cast) -> None:
    page = with_key(open_page("/desk/sign-in"))
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("Your device did not answer, or you said no.")
    assert faults(page) == []


def test_the_second_step_is_set_up_and_asked_for(open_page: Open, cast: Cast) -> None:
    page = open_page("/desk/sign-in", viewport={"width": 390, "height": 844}, java_script_enabled=False)
    sign_in(page)
    page.goto("/desk/account/two-factor")
    page.get_by_text("Or type the secret").click()
    app = TOTP(key=page.locator(".secret").inner_text().replace("-", ""))
    page.get_by_label("Code").fill(app.generate().token)
    page.get_by_role("button", name="Turn it on").click()
    expect(page.locator(".recovery li")).to_have_count(10)
    code = page.locator(".recovery code").first.inner_text()
    page = open_page("/desk/sign-in?next=/desk/mine", color_scheme="dark")
    sign_in(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Enter a code")
    assert faults(page) == []
    page.get_by_role("link", name="No phone at hand?").click()
    page.get_by_label("Recovery code").fill(code)
    assert faults(page) == []
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Mine")
