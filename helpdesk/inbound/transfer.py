"""Undo content-transfer-encodings, forgiving what real mailers get wrong (RFC 2045 §6)."""

import binascii
import re

from helpdesk.inbound.mime import BoundedMessage

FIRST_LINE_BYTES = 1000

_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]+")
_PADDING = re.compile(rb"=+")
_FOOTER = re.compile(rb"\n(?:[_-]{4,}|[^\s=]{1,80}[ \t]{1,4}[^\s=])")
_UU_BEGIN = re.compile(rb"begin +[0-7]{3,4} ")


def decode_base64(data: bytes, *, keeps_footer: bool = False) -> bytes:
    """Bytes of base64 with stray characters or missing padding.

    Plain text that a list server appended is no base64: it is left out, or kept as it is when the content is text.
    """
    body, footer = _without_footer(data)
    blocks = [_NOT_BASE64.sub(b"", block) for block in _PADDING.split(body)]
    return b"".join(map(_block, blocks)) + (footer if keeps_footer else b"")


def _block(digits: bytes) -> bytes:
    """The bytes of base64 up to where its padding stood: some programs encode a file piece by piece."""
    digits = digits[:-1] if len(digits) % 4 == 1 else digits
    return binascii.a2b_base64(digits + b"=" * (-len(digits) % 4))


def decode_quoted_word(data: bytes) -> bytes:
    """Bytes of the Q encoding of RFC 2047, where an underscore is a space."""
    return binascii.a2b_qp(data, header=True)


def decode_part(part: BoundedMessage) -> bytes:
    """The content bytes of a leaf part."""
    data = part.raw_payload
    return decode_transferred(part, data, keeps_footer=part.get_content_maintype() == "text")


def decode_transferred(part: BoundedMessage, data: bytes, *, keeps_footer: bool = False) -> bytes:
    """The bytes behind `data`, which stands in the transfer encoding that the part names, however it spells it."""
    encoding = "".join(filter(str.isalnum, str(part.get("Content-Transfer-Encoding", "")).lower()))
    if "base64" in encoding:
        return decode_base64(data, keeps_footer=keeps_footer)
    if "quoted" in encoding or "printable" in encoding:
        return binascii.a2b_qp(data)
    return _decode_uu(data) if "uue" in encoding else data


def _without_footer(data: bytes) -> tuple[bytes, bytes]:
    """The base64 lines, and the first line with words in it and all below: a list server appends its footer so."""
    footer = _FOOTER.search(data)
    if _FOOTER.match(b"\n" + data[:FIRST_LINE_BYTES].lstrip()):
        return b"", data  # words from the first line on: it is no base64 at all
    if footer and data[: footer.start()].strip():
        return data[: footer.start()], b"\n" + data[footer.start() :].lstrip(b"\r\n")
    # Some append it to the last line; nothing but padding may follow a "=".
    head, padding, rest = data.partition(b"=")
    return (head, b"") if padding and b" " in rest.strip(b"= \t\r\n") else (data, b"")


def _decode_uu(data: bytes) -> bytes:
    lines = iter(data.splitlines())
    if not any(_UU_BEGIN.match(line) for line in lines):
        return data
    content = bytearray()
    for line in lines:
        if line.strip() in (b"end", b"`", b""):
            break
        content += decode_uu_line(line)
    return bytes(content)


def decode_uu_line(line: bytes) -> bytes:
    """The bytes of one line of uuencode, also of one that is longer than it says. Raises binascii.Error."""
    try:
        return binascii.a2b_uu(line)
    except binascii.Error:
        return binascii.a2b_uu(line[: (((line[0] - 32) & 63) * 4 + 5) // 3])
