"""One mail, any bytes: a frozen ParsedEmail comes out, and nothing is ever raised."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from email import utils as email_utils
from typing import TypedDict

from helpdesk.inbound.bodies import Body, Part, first_text_charset, raw_header, read_body
from helpdesk.inbound.charsets import scrub
from helpdesk.inbound.forwards import Forwarded, read_forward
from helpdesk.inbound.headers import decode_header, one_line, read_date, read_ids
from helpdesk.inbound.mailboxes import Mailbox, read_mailboxes
from helpdesk.inbound.mime import BoundedMessage, UnreadableError, read_headers, read_message
from helpdesk.inbound.notices import read_notice
from helpdesk.inbound.reports import Report, read_report

ADDRESSES = 200
REFERENCES = 100

_ENVELOPE_RECIPIENTS = ("delivered-to", "x-original-to", "envelope-to", "x-envelope-to")

# Temporary and permanent failures that a bounce without machine-readable parts names.
NamedFailures = tuple[tuple[str, ...], tuple[str, ...]]

__all__ = ["Forwarded", "Mailbox", "ParsedEmail", "Part", "Report", "parse"]


@dataclass(frozen=True)
class ParsedEmail:
    """What one mail says. Ids stand without angle brackets; all text is free of NUL and lone surrogates.

    `return_path` is "" for the null sender and None when the mail has no such header. `unreadable` is a
    sentence for staff when the mail passed a bound or defeated the parser; the rest is then what could
    still be read. `report` holds the machine-readable parts of a bounce or complaint, `forwarded` the mail inside a
    forwarded one.
    """

    raw: bytes = field(repr=False)
    message_id: str | None = None
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    from_: Mailbox | None = None
    reply_to: Mailbox | None = None
    to: tuple[Mailbox, ...] = ()
    cc: tuple[Mailbox, ...] = ()
    delivered_to: tuple[str, ...] = ()
    return_path: str | None = None
    subject: str = ""
    date: datetime | None = None
    text: str = ""
    html: str | None = None
    attachments: tuple[Part, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    content_hash: str = ""
    unreadable: str | None = None
    report: Report | None = None
    forwarded: Forwarded | None = None
    named_failures: NamedFailures | None = None

    @classmethod
    def of_bytes(cls, raw: bytes, reason: str) -> "ParsedEmail":
        """A mail of which nothing but its bytes is known, for that reason."""
        return cls(raw=raw, content_hash=_raw_hash(raw), unreadable=reason)

    def all_of(self, name: str) -> tuple[str, ...]:
        """The values of every header of that name, in order; the name's case does not matter."""
        wanted = name.lower()
        return tuple(value for key, value in self.headers if key.lower() == wanted)

    def first_of(self, name: str) -> str:
        """The value of the first header of that name, or an empty string."""
        return next(iter(self.all_of(name)), "")


def parse(raw: bytes) -> ParsedEmail:
    """Read a mail of any bytes (RFC 5322, MIME, and what is sent in their name). Raises nothing but MemoryError."""
    try:
        message = read_message(raw)
        body = read_body(message, charset := first_text_charset(message))
        email = _email(raw, message, body, charset, report=read_report(message) or read_notice(body.text))
        return replace(email, forwarded=_forwarded(email))
    except UnreadableError as unreadable:
        return _unreadable(raw, str(unreadable))
    except RecursionError:
        return _unreadable(raw, "The mail is nested too deeply.")
    except MemoryError:
        raise
    except Exception as error:  # hostile mail finds new ways to fail; it must still become a ticket
        return _unreadable(raw, f"The mail is malformed in a way that cannot be read ({type(error).__name__}).")


def _forwarded(email: ParsedEmail) -> Forwarded | None:
    """The mail that this one forwards, in its text or as its only attached mail."""
    found = read_forward(email.text, subject=email.subject)
    attached = [part for part in email.attachments if part.media_type == "message/rfc822"]
    if found or email.report or len(attached) != 1:
        return found
    try:
        message = read_message(attached[0].content)
        inner = _email(b"", message, read_body(message, charset := first_text_charset(message)), charset)
    except (UnreadableError, RecursionError):
        return None
    sent = email_utils.format_datetime(inner.date) if inner.date else ""
    to = ", ".join(box.address for box in inner.to)
    return Forwarded(inner.from_, to, inner.subject, sent, inner.text, above=email.text)


def parse_headers(raw: bytes, reason: str) -> ParsedEmail:
    """What the headers say of a mail that cannot be read for that reason, a sentence for staff. Never raises."""
    return _unreadable(raw, reason)


def _unreadable(raw: bytes, reason: str) -> ParsedEmail:
    try:
        return _email(raw, read_headers(raw), Body("", None, ()), None, unreadable=reason)
    except Exception:  # not even the headers: the raw bytes and the reason still make a ticket
        return ParsedEmail.of_bytes(raw, reason)


def _email(
    raw: bytes,
    message: BoundedMessage,
    body: Body,
    charset: str | None,
    *,
    unreadable: str | None = None,
    report: Report | None = None,
) -> ParsedEmail:
    return ParsedEmail(
        raw=raw,
        text=body.text,
        html=body.html,
        attachments=body.attachments,
        headers=tuple((one_line(scrub(k)), decode_header(v, charset)) for k, v in message.raw_items()),
        content_hash=_content_hash(message, body) if unreadable is None else _raw_hash(raw),
        unreadable=unreadable,
        report=report,
        **_addressed(message, charset),
        **_identified(message, charset),
    )


class _Addressed(TypedDict):
    from_: Mailbox | None
    reply_to: Mailbox | None
    to: tuple[Mailbox, ...]
    cc: tuple[Mailbox, ...]
    delivered_to: tuple[str, ...]
    return_path: str | None


def _addressed(message: BoundedMessage, charset: str | None) -> _Addressed:
    values = _grouped(message.raw_items())

    def mailboxes(name: str) -> tuple[Mailbox, ...]:
        return read_mailboxes(values.get(name, []), limit=ADDRESSES, fallback=charset)

    envelope = (box.address for name in _ENVELOPE_RECIPIENTS for box in mailboxes(name))
    return {
        "from_": next(iter(mailboxes("from" if "from" in values else "sender")), None),
        "reply_to": next(iter(mailboxes("reply-to")), None),
        "to": mailboxes("to"),
        "cc": mailboxes("cc"),
        "delivered_to": tuple(dict.fromkeys(envelope)),
        "return_path": _return_path(values.get("return-path", [])),
    }


class _Identified(TypedDict):
    message_id: str | None
    in_reply_to: tuple[str, ...]
    references: tuple[str, ...]
    subject: str
    date: datetime | None


def _identified(message: BoundedMessage, charset: str | None) -> _Identified:
    values = _grouped(message.raw_items())
    return {
        "message_id": next(iter(read_ids(values.get("message-id", []), REFERENCES)), None),
        "in_reply_to": read_ids(values.get("in-reply-to", []), REFERENCES),
        "references": read_ids(values.get("references", []), REFERENCES),
        "subject": decode_header(raw_header(message, "Subject"), charset),
        "date": read_date(raw_header(message, "Date")),
    }


def _grouped(items: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for name, value in items:
        grouped.setdefault(name.strip().lower(), []).append(value)
    return grouped


def _return_path(values: list[str]) -> str | None:
    if not values:
        return None
    boxes = read_mailboxes(values[:1], limit=1)
    return boxes[0].address if boxes else one_line(scrub(decode_header(values[0]))).strip("<> ")


def _content_hash(message: BoundedMessage, body: Body) -> str:
    """SHA-256 over From, Date, Subject and the decoded content: equal for copies that took two routes."""
    digest = hashlib.sha256()
    said = [decode_header(raw_header(message, name)) for name in ("From", "Date", "Subject")]
    for piece in [*said, body.text, body.html or ""]:
        digest.update(piece.encode("utf-8", "replace") + b"\0")
    for part in body.attachments:
        digest.update(hashlib.sha256(part.content).digest())
    return digest.hexdigest()


def _raw_hash(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()
