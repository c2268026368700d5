"""The sample desk behind a real web server, for everything that is judged by looking."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from flask import Flask
from playwright.sync_api import Browser, BrowserContext

from helpdesk import create_app
from helpdesk.database import db
from helpdesk.demo.publication import PASSWORD, SIGN_IN
from helpdesk.demo.seeding import seed
from helpdesk.inbound.operations import process, receive
from helpdesk.schema import bring_up_to_date
from tests.conftest import make_settings
from tests.live import free_port, serving
from tests.pages import World, find_world

ARTICLES = "https://courier.example.org/"


@dataclass(frozen=True)
class Sample:
    """The desk at work and something of everything in it."""

    app: Flask
    url: str
    world: World


@contextmanager
def sample_desk(folder: Path) -> Iterator[Sample]:
    """Fill a desk with the sample publication and open it."""
    port = free_port()
    app = create_app(make_settings(folder, base_url=f"http://127.0.0.1:{port}"))
    bring_up_to_date(app)
    with app.app_context():
        seed(ARTICLES)
        process(
            receive(
                b"From: mailer-daemon@example.com\nSubject: Returned mail\nAuto-Submitted: auto-replied\n\nNo.\n"
            ).id
        )
        world = find_world()
        with serving(app, port) as url:
            yield Sample(app, url, world)
        db.session.remove()
        db.engine.dispose()


def signed_in(browser: Browser, url: str, **options: object) -> BrowserContext:
    """A browser window with the staff signed in."""
    context = browser.new_context(**options)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(url + "/desk/sign-in")
    page.fill("input[name=email]", SIGN_IN)
    page.fill("input[name=password]", PASSWORD)
    page.locator("main form button, form button[type=submit], form input[type=submit]").first.click()
    page.wait_for_url("**/desk/**")
    page.close()
    return context
