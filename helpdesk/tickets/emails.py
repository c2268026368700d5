"""Every mail about a ticket: what it says, and the headers that bring the answer back."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Select, bindparam, select

from helpdesk.addresses import named
from helpdesk.articles.models import Article
from helpdesk.config import settings
from helpdesk.database import db
from helpdesk.outbound.models import OutboundEmail
from helpdesk.outbound.operations import enqueue
from helpdesk.pictures import shown_in
from helpdesk.templating import moment, one_line, without_re
from helpdesk.tickets.links import mark_of, new_message_id, reply_address, status_path
from helpdesk.tickets.messages import PUBLIC_KINDS, Attachment, Message, is_for_reader
from helpdesk.tickets.models import Origin, Ticket

LOOP_HEADER = "X-Helpdesk-Loop"
THREAD = "ticket:"  # begins the word by which the outbox knows a ticket's mails
RECEIPT_HEADERS = {
    "Auto-Submitted": "auto-replied",
    "X-Auto-Response-Suppress": "All",
    "Precedence": "auto_reply",
}
MAX_REFERENCES = 50
MAX_ID_LENGTH = 900


class Said(NamedTuple):
    """A message between readers and us, as a thread is made of them, and whether the ticket's own reader knows it."""

    id: int
    message_id: str | None
    is_known: bool


def said_in(ticket: Ticket) -> list[Said]:
    """The thread, oldest first."""
    of_ticket = {"ticket_id": ticket.id, "reader_id": ticket.reader_id or 0}
    return [Said._make(row) for row in db.session.execute(_thread(), of_ticket)]


def queue_reply(
    ticket: Ticket,
    message: Message,
    *,
    thread: Sequence[Said],
    to: str,
    copies: Sequence[str] = (),
    held_until: datetime | None = None,
) -> OutboundEmail:
    """Put an agent's reply into the outbox, as the next in the `thread`, whose last message is quoted below.

    What came from another address than the reader's and the participants' is neither quoted nor named. It can be taken
    back until `held_until`. `copies` are the participants' addresses.
    """
    thread = [said for said in thread if said.is_known]
    references = _references(thread)
    pictures = {file: f"{place}.{message.message_id}" for place, file in enumerate(_pictures_of(message), start=1)}
    return _queue(
        ticket, to=to, copies=copies, message_id=message.message_id or "", template="emails/reply",
        subject=f"Re: {without_re(one_line(ticket.subject))}",
        context={
            "body": message.body_text,
            "pictures": {file.name: f"cid:{content_id}" for file, content_id in pictures.items()},
            "signature": message.signature,
            "article": _about(ticket.article),
            "earlier": _quote(ticket, thread[-1].id, nameless="somebody" if copies else "you") if thread else None,
        },
        headers={"In-Reply-To": references[-1], "References": " ".join(references)} if references else {},
        files=[_enclosed(file, pictures.get(file)) for file in message.attachments], held_until=held_until,
    )  # fmt: skip


def queue_receipt(ticket: Ticket, *, to: str) -> OutboundEmail:
    """Put the receipt for a new ticket into the outbox: our words only, none of the reader's (RFC 3834)."""
    return _queue(
        ticket, to=to, message_id=new_message_id(ticket), template="emails/receipt",
        subject=f"We have your message (#{ticket.number})",
        context={
            "site": ticket.site.name,
            "answer_within": ticket.site.answer_within,
            "number": ticket.number,
            "link": settings().link(status_path(ticket)),
            "came_by_mail": ticket.origin is Origin.EMAIL,
        },
        headers=RECEIPT_HEADERS, automatic=True,
    )  # fmt: skip


def own_loop_value() -> str:
    """What stands in our loop header: the name of this installation."""
    return settings().host


def thread_of(ticket: Ticket) -> str:
    """The opaque word by which the outbox knows a ticket's mails."""
    return f"{THREAD}{ticket.id}"


def _queue(
    ticket: Ticket,
    *,
    to: str,
    copies: Sequence[str] = (),
    message_id: str,
    template: str,
    subject: str,
    context: dict[str, Any],
    headers: dict[str, str],
    files: list[dict[str, str]] | None = None,
    held_until: datetime | None = None,
    automatic: bool = False,
) -> OutboundEmail:
    address = reply_address(ticket)
    return enqueue(
        message_id=message_id,
        sender=named(ticket.queue.sender_name, ticket.queue.intake_address),
        reply_to=address,
        envelope_from=address,
        to=[to],
        copies=copies,
        subject=subject,
        template=template,
        context={"language": ticket.language, **_mark(ticket), **context},
        headers={LOOP_HEADER: own_loop_value(), **headers},
        files=files,
        thread_token=thread_of(ticket),
        held_until=held_until,
        automatic=automatic,
    )


def _mark(ticket: Ticket) -> dict[str, str]:
    return {} if settings().plus_addressing else {"mark": mark_of(ticket)}


def _pictures_of(message: Message) -> list[Attachment]:
    """The files that the text shows, the first of each name."""
    by_name = {file.name: file for file in reversed(message.attachments) if file.is_picture}
    shown = shown_in(message.body_text, by_name)
    return [file for file in message.attachments if by_name.get(file.name) is file and file.name in shown]


def _enclosed(file: Attachment, content_id: str | None) -> dict[str, str]:
    """A file for the outbox, as a part of the text when it has an id that this shows it by (RFC 2392)."""
    enclosed = {"name": file.name, "media_type": file.media_type, "key": file.storage_key}
    return enclosed | {"content_id": content_id} if content_id else enclosed


def _about(article: Article | None) -> dict[str, str] | None:
    return {"title": article.title, "url": article.canonical_url} if article else None


def _quote(ticket: Ticket, message_id: int, *, nameless: str) -> dict[str, str]:
    """What a reply quotes, and the line above it; no address in it, so that nobody's is passed on."""
    said_at, name, body = db.session.execute(_words(), {"id": message_id}).one()
    return {"attribution": f"On {moment(said_at, ticket.site.timezone)}, {name or nameless} wrote:", "body": body}


@cache
def _thread() -> Select[int, str | None, bool]:
    """This and the next are written once, as they are asked with every reply."""
    thread = select(Message.id, Message.message_id, is_for_reader(bindparam("reader_id")))
    of_ticket = Message.ticket_id == bindparam("ticket_id")
    return thread.where(of_ticket, Message.kind.in_(PUBLIC_KINDS)).order_by(Message.id)


@cache
def _words() -> Select[datetime, str, str]:
    return select(Message.created_at, Message.from_name, Message.body_text).where(Message.id == bindparam("id"))


def _references(thread: Sequence[Said]) -> list[str]:
    """All Message-IDs of the thread in brackets, oldest first; the first and the latest when there are too many."""
    bracketed = [f"<{said.message_id}>" for said in thread if _can_be_referred_to(said.message_id)]
    return bracketed if len(bracketed) <= MAX_REFERENCES else bracketed[:1] + bracketed[1 - MAX_REFERENCES :]


def _can_be_referred_to(message_id: str | None) -> bool:
    """False for an id that a reader's mail made up so badly that it cannot stand in a header."""
    return bool(message_id and message_id.isascii() and message_id.isprintable() and len(message_id) <= MAX_ID_LENGTH)
