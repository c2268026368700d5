"""A reading as bytes and back, by name and never by pickle: one line of JSON, then the files end to end."""

import json
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from helpdesk.inbound.bodies import Part
from helpdesk.inbound.forwards import Forwarded
from helpdesk.inbound.mailboxes import Mailbox
from helpdesk.inbound.parsing import ParsedEmail
from helpdesk.inbound.quoting import Spans
from helpdesk.inbound.reading import Reading
from helpdesk.inbound.reports import Report


def to_bytes(reading: Reading) -> list[bytes]:
    """The pieces to send. The raw mail is not among them: whoever asked has it."""
    parts = reading.mail.attachments
    bare = replace(reading.mail, raw=b"", attachments=tuple(replace(part, content=b"") for part in parts))
    said = asdict(replace(reading, mail=bare))
    said["sizes"] = [len(part.content) for part in parts]
    return [json.dumps(said, default=_plain).encode() + b"\n", *(part.content for part in parts)]


def from_bytes(content: bytearray, raw: bytes) -> Reading:
    """The reading that those pieces make. Raises ValueError, KeyError or TypeError when they are none."""
    end = content.index(b"\n")
    said = json.loads(content[:end])
    files, start = [], end + 1
    for size in said["sizes"]:
        files.append(bytes(content[start : start + size]))
        start += size
    inner = Spans(**said["inner"]) if said["inner"] else None
    return Reading(_mail(said["mail"], files, raw), Spans(**said["spans"]), said["html"], inner)


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else value.decode() if isinstance(value, bytes) else ""


def _mail(said: dict[str, Any], files: list[bytes], raw: bytes) -> ParsedEmail:
    parts = zip(said["attachments"], files, strict=True)
    failures = said["named_failures"]
    rest = {name: said[name] for name in ("message_id", "return_path", "subject", "text", "html")}
    return ParsedEmail(
        raw=raw,
        in_reply_to=tuple(said["in_reply_to"]),
        references=tuple(said["references"]),
        from_=_mailbox(said["from_"]),
        reply_to=_mailbox(said["reply_to"]),
        to=tuple(Mailbox(**box) for box in said["to"]),
        cc=tuple(Mailbox(**box) for box in said["cc"]),
        delivered_to=tuple(said["delivered_to"]),
        date=datetime.fromisoformat(said["date"]) if said["date"] else None,
        attachments=tuple(Part(**{**part, "content": content}) for part, content in parts),
        headers=_pairs(said["headers"]),
        content_hash=said["content_hash"],
        unreadable=said["unreadable"],
        report=_report(said["report"]),
        forwarded=_forwarded(said["forwarded"]),
        named_failures=(tuple(failures[0]), tuple(failures[1])) if failures else None,
        **rest,
    )


def _mailbox(said: dict[str, str] | None) -> Mailbox | None:
    return Mailbox(**said) if said else None


def _pairs(said: list[list[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in said)


def _report(said: dict[str, Any] | None) -> Report | None:
    if said is None:
        return None
    return Report(said["kind"], tuple(_pairs(group) for group in said["groups"]), _pairs(said["returned"]))


def _forwarded(said: dict[str, Any] | None) -> Forwarded | None:
    return Forwarded(**{**said, "from_": _mailbox(said["from_"])}) if said else None
