"""Undo content-transfer-encodings, forgiving what real mailers get wrong (RFC 2045 §6)."""

import binascii
import re

from helpdesk.inbound.mime import BoundedMessage

_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]+")
_UU_BEGIN = re.compile(rb"begin +[0-7]{3,4} ")


def decode_base64(data: bytes) -> bytes:
    """Bytes of base64 with stray characters, missing padding or plain text appended after the padding."""
    body = data.partition(b"=")[0] if b"=" in data.rstrip(b"= \t\r\n") and _ends_early(data) else data
    digits = _NOT_BASE64.sub(b"", body)
    digits = digits[:-1] if len(digits) % 4 == 1 else digits
    return binascii.a2b_base64(digits + b"=" * (-len(digits) % 4))


def decode_quoted_word(data: bytes) -> bytes:
    """Bytes of the Q encoding of RFC 2047, where an underscore is a space."""
    return binascii.a2b_qp(data, header=True)


def decode_part(part: BoundedMessage) -> bytes:
    """The content bytes of a leaf part."""
    data = part.raw_payload
    encoding = str(part.get("Content-Transfer-Encoding", "")).strip().lower()
    if encoding.startswith("base64"):
        return decode_base64(data)
    if encoding.startswith("quoted"):
        return binascii.a2b_qp(data)
    if encoding.startswith(("x-uue", "uue", "x-uuencode")):
        return _decode_uu(data)
    return data


def _ends_early(data: bytes) -> bool:
    # A list server that appends its footer to base64 leaves spaces and sentences after the "=".
    return b" " in data.partition(b"=")[2].strip(b"= \t\r\n")


def _decode_uu(data: bytes) -> bytes:
    lines = iter(data.splitlines())
    if not any(_UU_BEGIN.match(line) for line in lines):
        return data
    content = bytearray()
    for line in lines:
        if line.strip() in (b"end", b"`", b""):
            break
        try:
            content += binascii.a2b_uu(line)
        except binascii.Error:
            content += binascii.a2b_uu(line[: (((line[0] - 32) & 63) * 4 + 5) // 3])
    return bytes(content)
