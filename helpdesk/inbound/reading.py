"""Everything that one mail costs to read, in one call: its parts, its three spans, its harmless HTML."""

from dataclasses import dataclass, replace

from helpdesk.inbound.bounces import cues, named_failures
from helpdesk.inbound.parsing import ParsedEmail, parse, parse_headers
from helpdesk.inbound.quoting import Spans, split
from helpdesk.inbound.sanitising import clean_html

TOO_LARGE = "The mail needs more memory to read than one mail may have."


@dataclass(frozen=True)
class Reading:
    """A mail as it was read. A mail that could not be read says why in `mail.unreadable`.

    `inner` are the spans of the mail that it forwards.
    """

    mail: ParsedEmail
    spans: Spans
    html: str | None
    inner: Spans | None = None


def read(raw: bytes) -> Reading:
    """Read a mail of any bytes, here and now. Raises nothing but MemoryError."""
    mail = parse(raw)
    if cues(mail):
        mail = replace(mail, named_failures=named_failures(mail))
    forwarded = mail.forwarded
    return Reading(
        mail=mail,
        spans=split(mail.text, mail.html, subject=mail.subject),
        html=clean_html(mail.html) if mail.html else None,
        inner=split(forwarded.text, None, subject=forwarded.subject) if forwarded else None,
    )


def unread(raw: bytes, reason: str) -> Reading:
    """What the headers alone tell of a mail that could not be read, with the reason for staff."""
    return Reading(parse_headers(raw, reason), Spans("", "", ""), None)


def unopened(raw: bytes, reason: str) -> Reading:
    """A mail of which nothing could be read but its bytes."""
    return Reading(ParsedEmail.of_bytes(raw, reason), Spans("", "", ""), None)
