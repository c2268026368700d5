"""What people do in the sample desk's history, each through the real operation or by a real mail."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import format_datetime

from sqlalchemy import select

from helpdesk import clock
from helpdesk.agents.models import Agent
from helpdesk.agents.operations import find_agent
from helpdesk.database import db
from helpdesk.demo.letters import Earlier, answered_subject, reader_mail
from helpdesk.demo.publication import AGENTS, INTAKE
from helpdesk.errors import NotFound
from helpdesk.inbound.operations import process, receive
from helpdesk.sites.models import Priority, Queue, Site, Topic
from helpdesk.tickets import triage
from helpdesk.tickets.links import reply_address
from helpdesk.tickets.messages import Message, MessageKind
from helpdesk.tickets.models import Origin, Resolution, Then, Ticket
from helpdesk.tickets.operations import Letter, open_ticket
from helpdesk.tickets.replying import add_note
from helpdesk.tickets.replying import reply as send_reply


@dataclass(frozen=True)
class Person:
    """A reader."""

    name: str
    address: str


@dataclass
class Stage:
    """Where a history is played: the site, its articles' addresses, and the tickets by the key of their story."""

    site: Site
    articles_url: str
    tickets: dict[str, int] = field(default_factory=dict)

    def ticket(self, key: str) -> Ticket:
        return db.session.get_one(Ticket, self.tickets[key])


Act = Callable[[Stage, str], None]

REPORT = """From: Mail Delivery System <mailer-daemon@mx.example.com>
Subject: Undelivered Mail Returned to Sender
Date: {date}
Message-ID: <{boundary}@mx.example.com>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="{boundary}"

--{boundary}
Content-Type: text/plain

Your mail to {to} could not be delivered: {reason}

--{boundary}
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.com

Final-Recipient: rfc822; {to}
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; {reason}

--{boundary}
Content-Type: text/rfc822-headers

Message-ID: <{id}>

--{boundary}--
"""


def form(person: Person | None, topic: str, article: str, text: str) -> Act:
    """A reader sends the contact form below an article."""

    def act(stage: Stage, key: str) -> None:
        chosen = db.session.scalars(select(Topic).where(Topic.site_id == stage.site.id, Topic.slug == topic)).one()
        letter = Letter(
            body_text=text, from_name=person.name if person else "", from_address=person.address if person else ""
        )
        ticket = open_ticket(
            stage.site, queue=chosen.queue, letter=letter, origin=Origin.FORM, topic=chosen,
            article_url=stage.articles_url + article if article else None, wants_answer=person is not None,
        )  # fmt: skip
        stage.tickets[key] = ticket.id

    return act


def spam(person: Person, text: str) -> Act:
    """Something that the screening files as spam."""

    def act(stage: Stage, key: str) -> None:
        topic = db.session.scalars(select(Topic).where(Topic.site_id == stage.site.id, Topic.slug == "other")).one()
        letter = Letter(body_text=text, from_name=person.name, from_address=person.address)
        ticket = open_ticket(
            stage.site, queue=topic.queue, letter=letter, origin=Origin.FORM, topic=topic, spam_reason="many links"
        )
        stage.tickets[key] = ticket.id

    return act


def mail(person: Person, subject: str, text: str) -> Act:
    """A reader writes to the newsroom's address."""

    def act(stage: Stage, key: str) -> None:
        letter = reader_mail(name=person.name, address=person.address, to=INTAKE, subject=subject, text=text)
        stage.tickets[key] = _deliver(letter.as_bytes(), sender=person.address, to=INTAKE).ticket_id

    return act


def answers(person: Person, text: str) -> Act:
    """The reader answers our last mail."""

    def act(stage: Stage, key: str) -> None:
        ticket = stage.ticket(key)
        ours = _last_reply(ticket)
        to = reply_address(ticket)
        letter = reader_mail(
            name=person.name, address=person.address, to=to, subject=answered_subject(ticket.subject), text=text,
            earlier=_as_quoted(ours),
        )  # fmt: skip
        _deliver(letter.as_bytes(), sender=person.address, to=to)

    return act


def bounces(reason: str) -> Act:
    """Our last mail comes back (RFC 3464)."""

    def act(stage: Stage, key: str) -> None:
        ticket = stage.ticket(key)
        _deliver(_report(_last_reply(ticket), reason), sender="", to=reply_address(ticket))

    return act


def reply(by: str, text: str, then: Then = Then.SEND) -> Act:
    """Somebody of the newsroom answers."""
    return lambda stage, key: _ignore(send_reply(stage.ticket(key), body=text, by=colleague(by), then=then))


def note(by: str, text: str) -> Act:
    """Somebody writes a note for the others."""
    return lambda stage, key: _ignore(add_note(stage.ticket(key), body=text, by=colleague(by)))


def take(by: str) -> Act:
    """Somebody makes it theirs."""
    return lambda stage, key: triage.take(stage.ticket(key), by=colleague(by))


def assign(by: str, to: str) -> Act:
    """Somebody hands it to somebody."""
    return lambda stage, key: triage.assign(stage.ticket(key), assignee=colleague(to), by=colleague(by))


def tag(by: str, *names: str) -> Act:
    """Somebody puts tags on it."""

    def act(stage: Stage, key: str) -> None:
        for name in names:
            triage.add_tag(stage.ticket(key), name=name, by=colleague(by))

    return act


def urgent(by: str) -> Act:
    """Somebody says that it cannot wait."""
    return lambda stage, key: triage.set_priority(stage.ticket(key), priority=Priority.URGENT, by=colleague(by))


def close(by: str, resolution: Resolution) -> Act:
    """Somebody says that nothing more is to be done."""
    return lambda stage, key: triage.close(stage.ticket(key), resolution=resolution, by=colleague(by))


def colleague(first_name: str) -> Agent:
    """The account of one of the newsroom, by first name."""
    email = next(agent.email for agent in AGENTS if agent.name.startswith(first_name))
    agent = find_agent(email)
    if agent is None:
        raise NotFound
    return agent


def _deliver(raw: bytes, *, sender: str, to: str) -> Message:
    taken = receive(raw, envelope_from=sender, envelope_to=(to,))
    became = process(taken.id).became
    return became or db.session.scalars(select(Message).order_by(Message.id.desc()).limit(1)).one()


def _last_reply(ticket: Ticket) -> Message:
    return [message for message in ticket.messages if message.kind is MessageKind.REPLY][-1]


def _as_quoted(ours: Message) -> Earlier:
    queue: Queue = ours.ticket.queue
    return Earlier(
        message_id=f"<{ours.message_id}>", references="", written_by=f"{queue.sender_name} <{queue.intake_address}>",
        written_on=f"{ours.created_at:%a, %d %b %Y at %H:%M}", text=ours.body_text,
    )  # fmt: skip


def _report(ours: Message, reason: str) -> bytes:
    date, boundary = format_datetime(clock.now()), secrets.token_hex(12)
    words = {"to": ours.recipients[0], "reason": reason, "id": ours.message_id, "date": date, "boundary": boundary}
    return REPORT.format(**words).replace("\n", "\r\n").encode()


def _ignore(_result: object) -> None:
    return None
