"""Two desks that answer each other: whatever one sends, the other takes in; within two mails they are silent."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from helpdesk import create_app
from helpdesk.config import Settings
from helpdesk.database import db
from helpdesk.inbound.operations import process_received
from helpdesk.inbound.receiving import receive
from helpdesk.outbound.models import DeliveryState
from helpdesk.sites.models import Queue, Site, Topic
from helpdesk.tickets.delivery import deliver_due
from helpdesk.tickets.links import reply_address
from helpdesk.tickets.models import Origin, Ticket
from helpdesk.tickets.operations import Letter, open_ticket
from tests.conftest import make_settings
from tests.letters import letter, states
from tests.servers.postgresql import Cluster
from tests.servers.smtp import CaughtMail, SmtpServer

MOST_HOPS, GIVE_UP_AFTER = 2, 12
MARKS_OF_A_MACHINE = ("Auto-Submitted", "X-Auto-Response-Suppress", "Precedence", "X-Helpdesk-Loop")
Relay = Callable[[bytes], bytes]


@dataclass
class Desk:
    """One of the two, and the address that its mail comes to."""

    app: Flask
    intake: str

    @contextmanager
    def at_work(self) -> Iterator[None]:
        with self.app.app_context():
            yield
            db.session.remove()

    def open_ticket(self, writer: str, *, is_answered: bool = True) -> str:
        """Somebody with this address filled in the form; returns the address that the thread has."""
        with self.at_work():
            site, topic = db.session.scalars(select(Site)).one(), db.session.query(Topic).filter_by(slug="other").one()
            words = Letter(body_text="It opened in 1932.", from_address=writer, from_name="The other desk")
            ticket = open_ticket(
                site, queue=topic.queue, letter=words, origin=Origin.FORM, topic=topic,
                may_be_answered=is_answered,
            )  # fmt: skip
            return reply_address(ticket)

    def take(self, raw: bytes, *, sender: str | None, recipient: str) -> None:
        """A mail server hands a mail over, and it is read."""
        with self.at_work():
            receive(raw, envelope_from=sender, envelope_to=(recipient,))
            process_received()

    def send(self) -> None:
        """Everything that is due leaves."""
        with self.at_work():
            deliver_due("worker")
            assert {state for _, state in states()} <= {DeliveryState.SENT}

    def tickets(self) -> int:
        with self.at_work():
            return len(db.session.scalars(select(Ticket.id)).all())


@dataclass
class Wire:
    """What carries the mail of each desk to the other."""

    desks: tuple[Desk, Desk]
    smtp: SmtpServer
    relay: Relay
    hops: list[CaughtMail] = field(default_factory=list)

    def run(self) -> int:
        """Carry mail until nobody says anything; returns how many mails that took."""
        while len(self.hops) < GIVE_UP_AFTER:
            for desk in self.desks:
                desk.send()
            new = self.smtp.mails[len(self.hops) :]
            if not new:
                break
            for mail in new:
                self._carry(mail)
        return len(self.hops)

    def _carry(self, mail: CaughtMail) -> None:
        self.hops.append(mail)
        [recipient] = mail.recipients
        to = next(desk for desk in self.desks if recipient.endswith(desk.intake[-len("@a.example.org") :]))
        to.take(self.relay(mail.raw), sender=mail.envelope_from, recipient=recipient)


def unchanged(raw: bytes) -> bytes:
    return raw


def stripped(raw: bytes) -> bytes:
    """The mail without all that tells that a machine wrote it."""
    mail = message_from_bytes(raw, policy=policy.SMTP)
    for name in MARKS_OF_A_MACHINE:
        del mail[name]
    return mail.as_bytes()


def rewritten(raw: bytes) -> bytes:
    """Stripped, and under another Message-ID, as some gateways do."""
    mail = message_from_bytes(stripped(raw), policy=policy.SMTP)
    words = str(mail["Message-ID"]).strip("<>")
    mail.replace_header("Message-ID", f"<gateway.{words}>")
    return mail.as_bytes()


@pytest.fixture
def desks(engine: str, tmp_path: Path, smtp: SmtpServer, request: pytest.FixtureRequest) -> Iterator[tuple[Desk, Desk]]:
    """a.example.org and b.example.org, each with a database of its own."""
    cluster: Cluster | None = request.getfixturevalue("postgresql") if engine == "postgresql" else None
    first = request.getfixturevalue(f"migrated_{engine}")
    urls = [cluster.create(like=first) if cluster else "" for _ in "ab"]
    for name in "ab" if not cluster else "":
        shutil.copytree(first, tmp_path / name)
    yield tuple(make_desk(name, url, tmp_path / name, smtp) for name, url in zip("ab", urls, strict=True))  # type: ignore[misc]
    for app, engines in list(db._app_engines.items()):
        app.extensions["huey"].storage.close()
        for each in engines.values():
            each.dispose()
    for url in urls:
        if cluster:
            cluster.drop(url)


def make_desk(name: str, url: str, folder: Path, smtp: SmtpServer) -> Desk:
    """A desk with the cast, whose first queue has an address of its own."""
    settings: Settings = make_settings(
        folder, database_url=url, base_url=f"https://desk.{name}.example.org", smtp_port=smtp.port
    )
    desk = Desk(create_app(settings), f"support@{name}.example.org")
    with desk.at_work():
        db.session.query(Queue).filter_by(name="Readers").one().intake_address = desk.intake
        db.session.commit()
    return desk


def a_form(one: Desk, other: Desk) -> None:
    """The reader's address is the other desk."""
    one.open_ticket(other.intake)


def forms_on_both(one: Desk, other: Desk) -> None:
    one.open_ticket(other.intake)
    other.open_ticket(one.intake)


def a_mail(one: Desk, other: Desk) -> None:
    """A mail from the other desk's own address."""
    one.take(letter(from_=other.intake, to=one.intake), sender=other.intake, recipient=one.intake)


def a_mail_to_a_thread(one: Desk, other: Desk) -> None:
    """Both have a thread with the other, and each thread writes to the other's."""
    here, there = one.open_ticket(other.intake), other.open_ticket(one.intake)
    one.take(letter(from_=there, to=here), sender=there, recipient=here)
    other.take(letter(from_=here, to=there), sender=here, recipient=there)


def a_mail_from_a_thread(one: Desk, other: Desk) -> None:
    """A mail from the address that the other's mails have on their envelope, where bounces go."""
    bounces = other.open_ticket("ruth@example.com", is_answered=False)
    one.take(letter(from_=bounces, to=one.intake), sender=bounces, recipient=one.intake)


def a_bounce(one: Desk, other: Desk) -> None:
    """A mail of the other's mail server, with nobody on its envelope."""
    raw = letter(from_="MAILER-DAEMON@b.example.org", to=one.intake, subject="Undelivered Mail Returned to Sender")
    one.take(raw, sender="", recipient=one.intake)


@pytest.mark.parametrize("relay", [unchanged, stripped, rewritten])
@pytest.mark.parametrize("start", [a_form, forms_on_both, a_mail, a_mail_to_a_thread, a_mail_from_a_thread, a_bounce])
def test_class_29_two_desks_are_silent_after_two_mails(
    desks: tuple[Desk, Desk], smtp: SmtpServer, start: Callable[[Desk, Desk], None], relay: Relay
) -> None:
    start(*desks)
    wire = Wire(desks, smtp, relay)
    assert wire.run() <= MOST_HOPS, [(mail.envelope_from, mail.recipients) for mail in wire.hops]
    receipts = [mail for mail in wire.hops if mail.parsed["Auto-Submitted"] != "auto-replied"]
    assert receipts == []
    assert all(desk.tickets() <= 3 for desk in desks)
