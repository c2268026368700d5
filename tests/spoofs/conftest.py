"""The desk's own LMTP door, open on this machine, and tickets of two readers that nobody else may learn of."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest
from flask import Flask
from sqlalchemy import select

from helpdesk.database import db
from helpdesk.inbound.models import InboundEmail
from helpdesk.inbound.operations import process_received
from helpdesk.inbound.sources.lmtp import Conversation, keep_mail
from helpdesk.tickets.delivery import deliver_due
from helpdesk.tickets.links import ticket_of_address
from helpdesk.tickets.models import Ticket
from helpdesk.tickets.operations import Letter
from helpdesk.tickets.replying import add_note, reply
from tests.cast import RUTH, Cast
from tests.factories import make_ticket
from tests.letters import use_server
from tests.servers.smtp import CaughtMail, SmtpServer
from tests.spoofs.spoof import BEN, token_of

RUTHS_SECRETS = ("The harbour file", "I saw it from the crane.", "Only you know that.", "Her name is safe.")
BENS_SECRETS = ("The mayor's garden", "He planted it himself.", "We keep that.", "Ben is a source.")


@dataclass
class Door:
    """A mail server's side of a conversation by LMTP (RFC 2033), in bytes that nobody has tidied."""

    port: int

    def hand_over(self, raw: bytes, *, sender: str, to: tuple[str, ...]) -> None:
        """Hand over one mail; every step is answered well, or the mail does not count as sent."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as connection:
            lines = connection.makefile("rb")
            envelope = [f"MAIL FROM:<{sender}> SMTPUTF8", *(f"RCPT TO:<{address}>" for address in to), "DATA"]
            assert answer(lines).startswith(b"220")
            connection.sendall(b"LHLO mx.evil.example\r\n" + "".join(f"{line}\r\n" for line in envelope).encode())
            answers = [answer(lines) for _ in ("LHLO", *envelope)]
            assert [said[:3] for said in answers] == [b"250"] * (2 + len(to)) + [b"354"], answers
            connection.sendall(raw.replace(b"\r\n.", b"\r\n..") + b"\r\n.\r\n")
            assert [answer(lines) for _ in to] == [b"250 2.0.0 The mail is kept.\r\n"] * len(to)
            connection.sendall(b"QUIT\r\n")
            assert answer(lines).startswith(b"221")


def answer(lines: object) -> bytes:
    """The last line of one answer."""
    line: bytes = lines.readline()  # type: ignore[attr-defined]
    return answer(lines) if line[3:4] == b"-" else line


@pytest.fixture
def door(app: Flask) -> Iterator[Door]:
    """Open the door, as `helpdesk lmtp` does."""
    loop, listener = asyncio.new_event_loop(), socket.create_server(("127.0.0.1", 0))
    connections: set[Conversation] = set()
    with ThreadPoolExecutor(1) as threads:

        def keep(raw: bytes, sender: str, recipients: tuple[str, ...]) -> "asyncio.Future[str]":
            return loop.run_in_executor(threads, keep_mail, app, raw, sender, recipients)

        def converse() -> Conversation:
            return Conversation(keep, connections, most=10, seconds=60.0, loop=loop)

        thread = threading.Thread(target=loop.run_forever)  # this thread may have a loop already, of a browser
        thread.start()
        server = asyncio.run_coroutine_threadsafe(loop.create_server(converse, sock=listener), loop).result(60)
        yield Door(listener.getsockname()[1])
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
    loop.close()


@dataclass
class Tickets:
    """Ruth's and Ben's ticket, what is secret in each, and what left the desk since."""

    cast: Cast
    smtp: SmtpServer
    ruths: Ticket
    bens: Ticket
    known: dict[int, int] = field(default_factory=dict)

    def added(self) -> list[str]:
        """Whose tickets have more messages than before."""
        return [name for name in ("ruths", "bens") if self._count(getattr(self, name)) > self.known[self._id(name)]]

    def opened(self) -> list[Ticket]:
        """The tickets that were not there before."""
        db.session.rollback()
        old = select(Ticket).where(Ticket.id.not_in(self.known)).order_by(Ticket.id)
        return list(db.session.scalars(old))

    def answer_all(self) -> list[CaughtMail]:
        """Staff answer every ticket that has a reader; returns all mails that left the desk since."""
        for ticket in db.session.scalars(select(Ticket).order_by(Ticket.id)).all():
            if ticket.reader is not None:
                reply(ticket, body=f"An answer to ticket {ticket.id}.", by=self.cast.ann)
        deliver_due("one")
        return self.smtp.mails

    def recipients(self) -> dict[int, set[str]]:
        """Whom the mails about each ticket went to."""
        found: dict[int, set[str]] = {}
        for mail in self.smtp.mails:
            found.setdefault(ticket_of(mail), set()).update(mail.recipients)
        return found

    def leaks(self, mail: CaughtMail, *, known: str) -> list[str]:
        """What a mail says of a ticket that it is not about, but for what was `known` to who wrote to us."""
        secrets = {
            self.ruths.id: [*RUTHS_SECRETS, token_of(self.ruths)],
            self.bens.id: [*BENS_SECRETS, token_of(self.bens)],
        }
        said, about = text_in(mail), ticket_of(mail)
        others = [secret for owner, words in secrets.items() if owner != about for secret in words]
        return [secret for secret in others if secret in said and secret not in known]

    def note_all(self) -> None:
        """From here on it counts."""
        self.smtp.mails.clear()
        self.known = {ticket.id: self._count(ticket) for ticket in (self.ruths, self.bens)}

    def _count(self, ticket: Ticket) -> int:
        db.session.rollback()
        return len(db.session.get_one(Ticket, ticket.id).messages)

    def _id(self, name: str) -> int:
        ticket: Ticket = getattr(self, name)
        return ticket.id


@pytest.fixture
def tickets(app: Flask, cast: Cast, smtp: SmtpServer) -> Tickets:
    """Each reader wrote, staff noted something and answered; those mails have left."""
    use_server(app, smtp)
    ruths, bens = (
        confide(cast, secrets, address=address)
        for secrets, address in ((RUTHS_SECRETS, RUTH), (BENS_SECRETS, BEN))
    )  # fmt: skip
    deliver_due("one")
    assert len(smtp.mails) == 2
    found = Tickets(cast, smtp, ruths, bens)
    found.note_all()
    return found


def confide(cast: Cast, secrets: tuple[str, ...], *, address: str) -> Ticket:
    """A ticket whose subject, words, answer and note are secret."""
    subject, words, answered, noted = secrets
    letter = Letter(body_text=words, from_address=address, message_id=f"first-{address}")
    ticket = make_ticket(cast, letter=letter, subject=subject, may_be_answered=False)
    add_note(ticket, body=noted, by=cast.eve)
    reply(ticket, body=answered, by=cast.ann)
    return ticket


def ticket_of(mail: CaughtMail) -> int:
    """The ticket that a mail of ours is about."""
    found = ticket_of_address(str(mail.parsed["Reply-To"]))
    assert found is not None
    return found


def text_in(mail: CaughtMail) -> str:
    """All that a mail of ours says: its bytes, its headers and its bodies in clear."""
    parsed = mail.parsed
    bodies = [str(part.get_content()) for part in parsed.walk() if part.get_content_maintype() == "text"]
    return "\n".join([mail.raw.decode("latin-1"), *(str(value) for value in parsed.values()), *bodies])


def take_in() -> InboundEmail:
    """Read what came; returns its row."""
    db.session.rollback()
    process_received()
    db.session.rollback()
    return db.session.scalars(select(InboundEmail).order_by(InboundEmail.id.desc())).first()  # type: ignore[return-value]
