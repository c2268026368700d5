"""How the desk reads a mail, told to the owner who wants to know why."""

import hashlib

from helpdesk.inbound.bounces import Bounce
from helpdesk.inbound.forwards import Forwarded
from helpdesk.inbound.mailboxes import Mailbox
from helpdesk.inbound.parsing import ParsedEmail, Part, parse
from helpdesk.inbound.quoting import Spans, split
from helpdesk.inbound.screening import Verdict, screen

_LABELS = (
    ("from", "From"),
    ("reply_to", "Reply to"),
    ("to", "To"),
    ("cc", "Cc"),
    ("delivered_to", "Delivered to"),
    ("subject", "Subject"),
    ("date", "Date"),
    ("message_id", "Message-ID"),
    ("in_reply_to", "In reply to"),
    ("references", "References"),
    ("errors", "Unreadable"),
)
_TEXTS = (("reply_text", "Reply text"), ("signature", "Signature"), ("quoted_text", "Quoted text"))


def inspect(
    raw: bytes,
    *,
    own_addresses: frozenset[str] = frozenset(),
    own_loop_header: str = "X-Helpdesk-Loop",
    trusted_hosts: frozenset[str] = frozenset(),
    is_returned: bool = False,
) -> dict[str, object]:
    """Everything the desk makes of a mail before it looks for the ticket, ready for JSON."""
    mail = parse(raw)
    spans = split(mail.text, mail.html, subject=mail.subject)
    verdict = screen(
        mail, own_addresses=own_addresses, own_loop_header=own_loop_header, trusted_hosts=trusted_hosts,
        is_returned=is_returned,
    )  # fmt: skip
    return {**_envelope(mail), **_said(mail, spans), **_judged(verdict)}


def as_text(report: dict[str, object]) -> str:
    """The report of `inspect` for people to read in a terminal."""
    lines = [f"{label + ':':14}{_shown(report.get(key))}" for key, label in _LABELS if report.get(key)]
    lines.append(f"{'Verdict:':14}{report['verdict']}")
    lines.append(f"{'Why:':14}{report['reason']}")
    bounce = report.get("bounce")
    if isinstance(bounce, dict):
        lines += [f"  {name.replace('_', ' ')}: {_shown(value)}" for name, value in bounce.items()]
    lines += _files(report)
    for key, label in _TEXTS:
        if report.get(key):
            lines += ["", f"--- {label} ---", str(report[key])]
    return "\n".join(lines) + "\n"


def _envelope(mail: ParsedEmail) -> dict[str, object]:
    return {
        "from": _mailbox(mail.from_),
        "reply_to": _mailbox(mail.reply_to),
        "to": [_mailbox(box) for box in mail.to],
        "cc": [_mailbox(box) for box in mail.cc],
        "delivered_to": list(mail.delivered_to),
        "return_path": mail.return_path,
        "subject": mail.subject,
        "date": mail.date.isoformat() if mail.date else None,
        "message_id": mail.message_id,
        "in_reply_to": list(mail.in_reply_to),
        "references": list(mail.references),
        "content_hash": mail.content_hash,
        "errors": [mail.unreadable] if mail.unreadable else [],
    }


def _said(mail: ParsedEmail, spans: Spans) -> dict[str, object]:
    return {
        "body_text": mail.text,
        "has_html": mail.html is not None,
        "reply_text": spans.new,
        "signature": spans.signature,
        "quoted_text": spans.quoted,
        "forwarded": _forwarded(mail.forwarded) if mail.forwarded else None,
        "attachments": [_attachment(part) for part in mail.attachments],
    }


def _forwarded(forwarded: Forwarded) -> dict[str, object]:
    return {
        "from": _mailbox(forwarded.from_),
        "to": forwarded.to,
        "subject": forwarded.subject,
        "date": forwarded.date,
        "body_text": forwarded.text,
    }


def _attachment(part: Part) -> dict[str, object]:
    return {
        "name": part.name,
        "media_type": part.media_type,
        "size": len(part.content),
        "sha256": hashlib.sha256(part.content).hexdigest(),
        "content_id": part.content_id,
        "inline": part.inline,
    }


def _judged(verdict: Verdict) -> dict[str, object]:
    return {
        "verdict": verdict.kind.value,
        "reason": verdict.reason,
        "may_be_answered": verdict.may_be_answered,
        "bounce": _bounce(verdict.bounce) if verdict.bounce else None,
    }


def _bounce(bounce: Bounce) -> dict[str, object]:
    return {
        "recipients": [
            {
                "address": failure.address,
                "status": failure.status,
                "permanent": failure.permanent,
                "reason": failure.reason,
            }
            for failure in bounce.failures
        ],
        "status": bounce.status,
        "diagnostic": bounce.diagnostic,
        "hard": bounce.hard,
        "delayed": bounce.delayed,
        "original_message_id": bounce.original_message_id,
    }


def _mailbox(box: Mailbox | None) -> dict[str, str] | None:
    return {"name": box.name, "address": box.address} if box else None


def _shown(value: object) -> str:
    if isinstance(value, dict):
        name, address = value.get("name"), str(value["address"])
        return f"{name} <{address}>" if name else address
    if isinstance(value, list):
        return ", ".join(_shown(item) for item in value)
    return "-" if value is None else str(value)


def _files(report: dict[str, object]) -> list[str]:
    files = report["attachments"]
    if not isinstance(files, list):
        return []
    return [f"{'File:':14}{file['name']} ({file['media_type']}, {file['size']} bytes)" for file in files]
