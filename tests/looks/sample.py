"""The sample desk behind a real web server, for everything that is judged by looking."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from flask import Flask
from playwright.sync_api import Browser, BrowserContext
from sqlalchemy import select

from helpdesk import clock, create_app
from helpdesk.database import db
from helpdesk.demo.publication import PASSWORD, SIGN_IN
from helpdesk.demo.seeding import seed
from helpdesk.inbound.models import InboundState, Source, StuckEmail
from helpdesk.inbound.operations import process, receive
from helpdesk.outbound.models import DeliveryState, OutboundEmail, OutboundRecipient
from helpdesk.schema import bring_up_to_date
from helpdesk.sites.models import Queue
from helpdesk.tickets.operations import Letter, follow_up
from helpdesk.tickets.participation import add_participant
from helpdesk.tickets.replying import reply
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
        _add_troubles()
        world = find_world()
        _add_people(world)
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


def _add_people(world: World) -> None:
    """Others than the reader in the ticket that is looked at: named, added, writing; a copy that came back."""
    named = ["press.office.with.a.long.name@harbour.example.com", "tom@example.com", SIGN_IN]
    letter = Letter(body_text="Tom saw it too.", from_address=world.ticket.reader.address, recipients=named)  # type: ignore[union-attr]
    follow_up(world.ticket, letter=letter)
    add_participant(world.ticket, address="tom@example.com", by=world.agent)
    for address in ("tom@example.com", "stranger@example.net"):
        follow_up(world.ticket, letter=Letter(body_text="So I did.", from_address=address))
    sent = reply(world.ticket, body="Thank you both.", by=world.agent).outbound_email
    assert sent is not None
    sent.recipients[0].state, sent.recipients[0].complained_at = DeliveryState.SENT, clock.now()
    sent.recipients[1].state, sent.recipients[1].error = DeliveryState.BOUNCED, "the mailbox is full (452 over quota)"
    world.ticket.reader.complained_at = clock.now()  # type: ignore[union-attr]
    db.session.commit()


def _add_troubles() -> None:
    """Mail that went wrong in every way that the mail page tells of."""
    process(
        receive(b"From: mailer-daemon@example.com\nSubject: Returned mail\nAuto-Submitted: auto-replied\n\nNo.\n").id
    )
    spam = receive(b"From: offers@example.net\nSubject: A bargain\nAuto-Submitted: auto-generated\n\nBuy.\n")
    letters, calm = (receive(b"From: %s@example.com\nSubject: The tide table\n\nHi.\n" % name) for name in (b"a", b"b"))
    letters.state, letters.reason, letters.attempts = InboundState.FAILED, "RuntimeError while reading it", 3
    letters.from_address, letters.subject = "ruth.with.a.long.name@mail.example.com", "The tide table is of last year"
    calm.received_at = clock.now() - timedelta(minutes=5)
    queue = db.session.scalars(select(Queue).order_by(Queue.id)).first()
    for name, error in (("Letters", None), ("Old letters", "imap.example.org:993: the password was refused")):
        seen = clock.now() - timedelta(hours=3 if error else 0)
        source = Source(name=name, queue=queue, settings={}, last_success_at=seen, last_error=error)
        db.session.add(source)
    reason, now = "the server does not give out mail 7: [SERVERBUG] Internal error", clock.now()
    db.session.add(
        StuckEmail(
            source=source, uidvalidity=1, uid=7, reason=reason, attempts=2, first_failed_at=now, last_failed_at=now
        )
    )
    of_ticket = OutboundRecipient.email.has(OutboundEmail.thread_token.is_not(None))
    sent = select(OutboundRecipient).where(OutboundRecipient.state != DeliveryState.BOUNCED, of_ticket)
    late = db.session.scalars(sent.order_by(OutboundRecipient.id.desc()).limit(1)).one()
    late.state, late.error, late.attempts = DeliveryState.UNKNOWN, "timed out after the last byte", 1
    before = db.session.scalars(sent.where(OutboundRecipient.id < late.id).order_by(OutboundRecipient.id)).first()
    assert before is not None
    before.state, before.error, before.attempts = DeliveryState.FAILED, "550 5.1.1 no such user", 1
    before.handled_at, before.handled_by = clock.now(), "Nora Lindqvist"
    spam.state, spam.ignored_at, spam.ignored_by = InboundState.IGNORED, clock.now(), "Nora Lindqvist"
    spam.from_address, spam.subject, spam.reason = "offers@example.net", "A bargain", "Automatic mail."
    db.session.commit()
