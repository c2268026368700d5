"""Raw bytes become a tree of MIME parts, within bounds that hold while the tree grows.

The bounds stop a hostile mail after a known amount of work: the parser itself would recurse on deep
nesting and is slow on many parts and long headers.
"""

import re
from email import policy
from email.errors import MissingHeaderBodySeparatorDefect
from email.message import Message
from email.parser import BytesHeaderParser
from typing import cast

from helpdesk.inbound.whole import WholeParser

MAIL_BYTES = 50 * 1024 * 1024
HEADER_BLOCK_BYTES = 256 * 1024
HEADER_BYTES = 16 * 1024
PARTS = 500
DEPTH = 30

_BLANK_LINES = b" \t\r\n\xef\xbb\xbf"
_JUNK_LINES = 10
_HEADER_LINE = re.compile(rb"[!-9;-~]{1,76}[ \t]*:")
_KNOWN_HEADER = re.compile(
    rb"(?:from|to|subject|date|received|return-path|message-id|mime-version|content-type|delivered-to"
    rb"|reply-to|x-original-to|envelope-to|dkim-signature)[ \t]*:",
    re.IGNORECASE,
)
_PART_LINE = re.compile(rb"\n--([^\r\n]{1,200}?)[ \t]{0,9}\r?\n[Cc]ontent-")
BOUNDARY_BYTES = 64 * 1024
STRAY_LINES = 5
_GENERIC_HEADER = re.compile(rb"content-[a-z-]{2,30}[ \t]*:", re.IGNORECASE)
_PLAIN_BOUNDARY = b"boundary-that-was-not-ascii"
_MEDIA_TYPE = re.compile(r"\s{0,9}\"?([a-z0-9!#$&^_.+-]{1,60}) ?/ ?([a-z0-9!#$&^_.+-]{1,100})", re.IGNORECASE)
_NO_MEDIA_TYPES = {"plain/text": "text/plain", "html/text": "text/html", "html": "text/html"}


class UnreadableError(Exception):
    """The mail is over a bound; the message is one sentence for staff."""


def read_message(raw: bytes) -> "BoundedMessage":
    """The mail as a tree of parts.

    Raises UnreadableError when it is larger, deeper or made of more parts than the bounds above.
    """
    if len(raw) > MAIL_BYTES:
        raise UnreadableError(f"The mail is larger than {MAIL_BYTES // 1024 // 1024} MB.")
    try:
        parser = WholeParser(_Budget().new_part)
        message = cast("BoundedMessage", parser.parsebytes(_from_first_header(raw)))
        return _with_whole_headers(_with_found_boundary(message, parser), parser)
    except RecursionError as error:
        raise UnreadableError("The mail is nested too deeply.") from error


def _with_found_boundary(message: "BoundedMessage", parser: WholeParser) -> "BoundedMessage":
    """The same mail, cut at the line that its parts begin with, when its headers name another boundary or none."""
    if message.get_content_maintype() != "multipart" or message.is_multipart():
        return message
    body = message.raw_payload
    found = _PART_LINE.search(b"\n" + body[:BOUNDARY_BYTES])
    if not found:
        return message
    boundary = found[1]
    if not boundary.isascii():
        boundary, body = _PLAIN_BOUNDARY, body.replace(b"--" + boundary, b"--" + _PLAIN_BOUNDARY)
    top = b'Content-Type: multipart/mixed; boundary="' + boundary.replace(b'"', b"") + b'"\n\n'
    parts = cast("BoundedMessage", parser.parsebytes(top + body))
    if parts.children:
        message.set_payload(parts.get_payload())
    return message


def _with_whole_headers(message: "BoundedMessage", parser: WholeParser) -> "BoundedMessage":
    """The same mail, headers read on behind a line that is none when more of them follow it."""
    for _ in range(STRAY_LINES):
        if not (broken := _continued(message) or _interrupted(message)):
            break
        message = cast("BoundedMessage", parser.parsebytes(broken))
    for part in list(message.walk()):
        for number, child in enumerate(part.children if isinstance(part, BoundedMessage) else []):
            if broken := _continued(child):
                mended = cast("BoundedMessage", parser.parsebytes(broken))
                mended.depth = child.depth
                cast("list[BoundedMessage]", part.get_payload())[number] = mended
    return message


def _continued(part: "BoundedMessage") -> bytes | None:
    """The source of a part whose headers a stray line broke off: it goes on with the header above, or stands alone."""
    if part.children or not any(isinstance(defect, MissingHeaderBodySeparatorDefect) for defect in part.defects):
        return None
    stray, _, rest = part.raw_payload.partition(b"\n")
    if stray.startswith(b"--") or not (_KNOWN_HEADER.match(rest) or _GENERIC_HEADER.match(rest)):
        return None
    headers = _source_of_headers(part)
    return headers + (b" " if headers.rstrip().endswith(b";") else b"X-Stray-Line: ") + stray + b"\n" + rest


def _source_of_headers(part: "BoundedMessage") -> bytes:
    return b"".join(f"{name}: {value}\n".encode("utf-8", "surrogateescape") for name, value in part.raw_items())


def _interrupted(message: "BoundedMessage") -> bytes | None:
    """The source of a mail whose headers blank lines part before any of them says from whom or about what."""
    rest = b"" if message.children else message.raw_payload[:HEADER_BYTES].lstrip()
    if any(message.get(name) is not None for name in ("From", "To", "Subject")) or not _HEADER_LINE.match(rest):
        return None
    block = b"\n" + rest.replace(b"\r", b"").partition(b"\n\n")[0].lower()
    return _source_of_headers(message) + message.raw_payload.lstrip() if b"\nfrom:" in block else None


def read_headers(raw: bytes) -> "BoundedMessage":
    """Only the top headers, as far as they fit the bounds: what can be had of an unreadable mail."""
    start = _from_first_header(raw[: HEADER_BLOCK_BYTES + HEADER_BYTES])
    budget = _Budget(cuts=True)
    parser = BytesHeaderParser(budget.new_part, policy=policy.compat32)
    return cast("BoundedMessage", parser.parsebytes(start))


class _Budget:
    """What one mail may still spend."""

    def __init__(self, *, cuts: bool = False) -> None:
        self.cuts = cuts
        self.parts = 0
        self.header_bytes = 0

    def new_part(self, policy: policy.Compat32 = policy.compat32) -> "BoundedMessage":
        self.parts += 1
        # The parser makes one part more than the mail has, to learn how its factory is called.
        if self.parts > PARTS + 1:
            raise UnreadableError(f"The mail has more than {PARTS} parts.")
        return BoundedMessage(policy, self)


class BoundedMessage(Message):
    """A part that counts its depth and its header bytes while the parser fills it."""

    _payload: object

    def __init__(self, policy: policy.Compat32, budget: _Budget) -> None:
        super().__init__(policy=policy)
        self.budget = budget
        self.depth = 1
        self.whole: bytes | None = None  # the source of an attached mail or report

    @property
    def children(self) -> list["BoundedMessage"]:
        """The parts of a multipart, the mail in a message/rfc822, or none."""
        payload = self._payload
        return [part for part in payload if isinstance(part, BoundedMessage)] if isinstance(payload, list) else []

    @property
    def raw_payload(self) -> bytes:
        """The bytes of a leaf part as they stood in the mail; get_payload would guess at a charset."""
        payload = self._payload
        return payload.encode("utf-8", "surrogateescape") if isinstance(payload, str) else b""

    def get_content_type(self) -> str:
        """The media type, also of one with its words the wrong way round or more behind it than belongs there."""
        written = str(self.get("content-type", ""))
        found = _MEDIA_TYPE.match(written)
        name = (f"{found[1]}/{found[2]}" if found else written.partition(";")[0].strip()).lower()
        return _NO_MEDIA_TYPES.get(name) or (name if found else super().get_content_type())

    def set_raw(self, name: str, value: str) -> None:
        if self.budget.header_bytes > HEADER_BLOCK_BYTES:
            if self.budget.cuts:
                return
            raise UnreadableError(f"The headers are larger than {HEADER_BLOCK_BYTES // 1024} KB.")
        value = value[:HEADER_BYTES]
        self.budget.header_bytes += len(name) + len(value)
        super().set_raw(name, value)

    def attach(self, payload: Message) -> None:  # type: ignore[override]
        if isinstance(payload, BoundedMessage):
            payload.depth = self.depth + 1
            if payload.depth > DEPTH:
                raise UnreadableError(f"The mail is nested more than {DEPTH} parts deep.")
        super().attach(payload)


def _from_first_header(raw: bytes) -> bytes:
    """Without blank lines, a byte order mark or a few lines of junk before the first header."""
    start = raw.lstrip(_BLANK_LINES) if raw[:1] in (b" ", b"\t", b"\r", b"\n", b"\xef") else raw
    lines = start[:HEADER_BYTES].splitlines(keepends=True)[: _JUNK_LINES + 1]
    if not lines or _HEADER_LINE.match(lines[0]) or lines[0].startswith(b"From "):
        return start
    skipped = 0
    for line in lines:
        if _KNOWN_HEADER.match(line):
            return start[skipped:]
        skipped += len(line)
    return b"\n" + start
