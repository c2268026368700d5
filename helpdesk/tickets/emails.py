"""Every mail about a ticket: what it says, and the headers that bring the answer back."""

from flask import render_template
from sqlalchemy import select

from helpdesk.addresses import named
from helpdesk.config import settings
from helpdesk.database import db
from helpdesk.outbound.models import OutboundEmail
from helpdesk.outbound.operations import enqueue
from helpdesk.templating import moment
from helpdesk.tickets.links import new_message_id, reply_address, status_path
from helpdesk.tickets.messages import Message, MessageKind
from helpdesk.tickets.models import Ticket

LOOP_HEADER = "X-Helpdesk-Loop"
MAX_REFERENCES = 50
MAX_ID_LENGTH = 900


def queue_reply(ticket: Ticket, message: Message, *, to: str) -> OutboundEmail:
    """Put an agent's reply into the outbox, in the reader's thread, with the earlier message quoted below."""
    earlier = _last_public(ticket, before=message)
    context: dict[str, object] = {
        "ticket": ticket,
        "message": message,
        "earlier": earlier,
        "attribution": _attribution(earlier),
    }
    references = _references(ticket, before=message)
    headers = {"In-Reply-To": references[-1], "References": " ".join(references)} if references else {}
    files = [
        {"name": file.name, "media_type": file.media_type, "key": file.storage_key} for file in message.attachments
    ]
    return _queue("reply", ticket, message.message_id or "", to=to, context=context, headers=headers, files=files)


def queue_receipt(ticket: Ticket, *, to: str) -> OutboundEmail:
    """Put the receipt for a new ticket into the outbox: our words only, none of the reader's (RFC 3834)."""
    headers = {
        "Auto-Submitted": "auto-replied",
        "X-Auto-Response-Suppress": "All",
        "Precedence": "auto_reply",
    }
    context = {"ticket": ticket, "link": settings().link(status_path(ticket))}
    return _queue("receipt", ticket, new_message_id(ticket), to=to, context=context, headers=headers)


def own_loop_value() -> str:
    """What stands in our loop header: the name of this installation."""
    return settings().host


def thread_of(ticket: Ticket) -> str:
    """The opaque word by which the outbox knows a ticket's mails."""
    return f"ticket:{ticket.id}"


def _queue(
    name: str,
    ticket: Ticket,
    message_id: str,
    *,
    to: str,
    context: dict[str, object],
    headers: dict[str, str],
    files: list[dict[str, str]] | None = None,
) -> OutboundEmail:
    folder = f"emails/{name}"
    address = reply_address(ticket)
    return enqueue(
        message_id=message_id,
        sender=named(ticket.queue.sender_name, ticket.queue.intake_address),
        reply_to=address,
        envelope_from=address,
        to=[to],
        subject=render_template(f"{folder}/subject.txt", **context).strip(),
        body_text=render_template(f"{folder}/body.txt", **context).strip() + "\n",
        body_html=render_template(f"{folder}/body.html", **context),
        headers={LOOP_HEADER: own_loop_value(), **headers},
        files=files,
        thread_token=thread_of(ticket),
    )


def _attribution(earlier: Message | None) -> str:
    """The line above a quote; no address in it, so that nobody's is passed on."""
    if earlier is None:
        return ""
    return f"On {moment(earlier.created_at, earlier.ticket.site.timezone)}, {earlier.from_name or 'you'} wrote:"


def _last_public(ticket: Ticket, *, before: Message) -> Message | None:
    """The message that a reply answers: the newest one the reader can see."""
    public = (Message.kind.in_((MessageKind.READER, MessageKind.REPLY)), Message.id != before.id)
    newest = select(Message).where(Message.ticket_id == ticket.id, *public).order_by(Message.id.desc())
    return db.session.scalars(newest.limit(1)).first()


def _references(ticket: Ticket, *, before: Message) -> list[str]:
    """All Message-IDs of the thread in brackets, oldest first; the first and the latest when there are too many."""
    ids = db.session.scalars(
        select(Message.message_id)
        .where(Message.ticket_id == ticket.id, Message.id != before.id, Message.message_id.is_not(None))
        .where(Message.kind.in_((MessageKind.READER, MessageKind.REPLY)))
        .order_by(Message.id)
    )
    bracketed = [f"<{message_id}>" for message_id in ids if _can_be_referred_to(message_id)]
    return bracketed if len(bracketed) <= MAX_REFERENCES else bracketed[:1] + bracketed[1 - MAX_REFERENCES :]


def _can_be_referred_to(message_id: str | None) -> bool:
    """False for an id that a reader's mail made up so badly that it cannot stand in a header."""
    return bool(message_id and message_id.isascii() and message_id.isprintable() and len(message_id) <= MAX_ID_LENGTH)
