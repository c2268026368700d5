"""Every mail about a ticket: what it says, and the headers that bring the answer back."""

from datetime import datetime
from typing import Any

from sqlalchemy import select

from helpdesk.addresses import named
from helpdesk.articles.models import Article
from helpdesk.config import settings
from helpdesk.database import db
from helpdesk.outbound.models import OutboundEmail
from helpdesk.outbound.operations import enqueue
from helpdesk.templating import moment, one_line, without_re
from helpdesk.tickets.links import new_message_id, reply_address, status_path
from helpdesk.tickets.messages import PUBLIC_KINDS, Attachment, Message
from helpdesk.tickets.models import Origin, Ticket

LOOP_HEADER = "X-Helpdesk-Loop"
RECEIPT_HEADERS = {
    "Auto-Submitted": "auto-replied",
    "X-Auto-Response-Suppress": "All",
    "Precedence": "auto_reply",
}
MAX_REFERENCES = 50
MAX_ID_LENGTH = 900


def queue_reply(ticket: Ticket, message: Message, *, to: str, held_until: datetime | None = None) -> OutboundEmail:
    """Put an agent's reply into the outbox, in the reader's thread, with the earlier message quoted below.

    It can be taken back until `held_until`.
    """
    references = _references(ticket, before=message)
    return _queue(
        ticket, to=to, message_id=message.message_id or "", template="emails/reply",
        subject=f"Re: {without_re(one_line(ticket.subject))}",
        context={
            "body": message.body_text,
            "signature": message.signature,
            "article": _about(ticket.article),
            "earlier": _quote(_last_public(ticket, before=message)),
        },
        headers={"In-Reply-To": references[-1], "References": " ".join(references)} if references else {},
        files=[_enclosed(file) for file in message.attachments], held_until=held_until,
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
        headers=RECEIPT_HEADERS,
    )  # fmt: skip


def own_loop_value() -> str:
    """What stands in our loop header: the name of this installation."""
    return settings().host


def thread_of(ticket: Ticket) -> str:
    """The opaque word by which the outbox knows a ticket's mails."""
    return f"ticket:{ticket.id}"


def _queue(
    ticket: Ticket,
    *,
    to: str,
    message_id: str,
    template: str,
    subject: str,
    context: dict[str, Any],
    headers: dict[str, str],
    files: list[dict[str, str]] | None = None,
    held_until: datetime | None = None,
) -> OutboundEmail:
    address = reply_address(ticket)
    return enqueue(
        message_id=message_id,
        sender=named(ticket.queue.sender_name, ticket.queue.intake_address),
        reply_to=address,
        envelope_from=address,
        to=[to],
        subject=subject,
        template=template,
        context={"language": ticket.language, **context},
        headers={LOOP_HEADER: own_loop_value(), **headers},
        files=files,
        thread_token=thread_of(ticket),
        held_until=held_until,
    )


def _enclosed(file: Attachment) -> dict[str, str]:
    return {"name": file.name, "media_type": file.media_type, "key": file.storage_key}


def _about(article: Article | None) -> dict[str, str] | None:
    return {"title": article.title, "url": article.canonical_url} if article else None


def _quote(earlier: Message | None) -> dict[str, str] | None:
    """What a reply quotes, and the line above it; no address in it, so that nobody's is passed on."""
    if earlier is None:
        return None
    when = moment(earlier.created_at, earlier.ticket.site.timezone)
    return {"attribution": f"On {when}, {earlier.from_name or 'you'} wrote:", "body": earlier.body_text}


def _last_public(ticket: Ticket, *, before: Message) -> Message | None:
    """The message that a reply answers: the newest one the reader can see."""
    public = (Message.kind.in_(PUBLIC_KINDS), Message.id != before.id)
    newest = select(Message).where(Message.ticket_id == ticket.id, *public).order_by(Message.id.desc())
    return db.session.scalars(newest.limit(1)).first()


def _references(ticket: Ticket, *, before: Message) -> list[str]:
    """All Message-IDs of the thread in brackets, oldest first; the first and the latest when there are too many."""
    ids = db.session.scalars(
        select(Message.message_id)
        .where(Message.ticket_id == ticket.id, Message.id != before.id, Message.message_id.is_not(None))
        .where(Message.kind.in_(PUBLIC_KINDS))
        .order_by(Message.id)
    )
    bracketed = [f"<{message_id}>" for message_id in ids if _can_be_referred_to(message_id)]
    return bracketed if len(bracketed) <= MAX_REFERENCES else bracketed[:1] + bracketed[1 - MAX_REFERENCES :]


def _can_be_referred_to(message_id: str | None) -> bool:
    """False for an id that a reader's mail made up so badly that it cannot stand in a header."""
    return bool(message_id and message_id.isascii() and message_id.isprintable() and len(message_id) <= MAX_ID_LENGTH)
