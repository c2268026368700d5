"""Signed tokens for links, reply addresses and Message-IDs: HMAC-SHA256 cut to 128 bits, with a key id, base32.

A token is base32(key id, kind, payload, MAC) in lower case, so that it survives mail servers that fold case.
"""

import base64
import binascii
import hashlib
import hmac
import re
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

from flask import Flask, current_app

MAC_BYTES = 16

# What wrapping, quoting and layout put between the letters of a token: none of it is a letter of one, so that looking
# for tokens takes a time that grows with the text alone.
_BREAK = r"(?:=?(?:\r?\n|</a>|<w?br ?/?>|[\u00ad\u200b\u2060\ufeff])(?:[\s>|]|&gt;|</a>|<w?br ?/?>){0,80})"
_GAP, _BREAKS = f"{_BREAK}?", re.compile(_BREAK)


class Kind(IntEnum):
    """What a token is good for; a token of one kind never passes as another."""

    READER_REPLY = 1
    MESSAGE_ID = 2
    STATUS_LINK = 3
    FORM = 4
    SETUP = 5
    RECEIPT_ID = 6
    PROBE = 7
    SELFTEST = 8
    MARK = 9
    FORWARD = 10
    BOUNCE = 16


@dataclass(frozen=True)
class Keyring:
    """Secret keys, newest first; a key's id is one byte of its own digest, so order may change."""

    keys: tuple[bytes, ...]

    @classmethod
    def of(cls, secrets: list[str]) -> "Keyring":
        return cls(tuple(secret.encode() for secret in secrets))

    def issue(self, kind: Kind, payload: bytes) -> str:
        """A token for `payload` (bytes), signed with the newest key."""
        key = self.keys[0]
        head = bytes((_key_id(key), kind)) + payload
        return base64.b32encode(head + _mac(key, head)).decode().rstrip("=").lower()

    def read(self, kind: Kind, token: str) -> bytes | None:
        """The payload of a token of this kind that we issued, else None."""
        raw = _decode(token)
        if raw is None or len(raw) < 2 + MAC_BYTES or raw[1] != kind:
            return None
        head, mac = raw[:-MAC_BYTES], raw[-MAC_BYTES:]
        for key in self.keys:
            if _key_id(key) == head[0] and hmac.compare_digest(_mac(key, head), mac):
                return head[2:]
        return None


def init_app(app: Flask, secrets: list[str]) -> None:
    """Bind the keys, newest first."""
    app.extensions["keyring"] = Keyring.of(secrets)


def keyring() -> Keyring:
    """The keys of the running application."""
    ring: Keyring = current_app.extensions["keyring"]
    return ring


def without_tokens(kind: Kind, size: int, text: str) -> str:
    """The text with … in place of each token of this kind that we issued for a payload of `size` bytes, whatever stands
    right before and behind it, and across broken lines.
    """
    ring, kept, end = keyring(), [], 0
    for found in _candidates(ring, kind, size).finditer(text):
        if found.start() >= end and ring.read(kind, _BREAKS.sub("", found[1])) is not None:
            kept += [text[end : found.start()], "…"]
            end = found.end(1)
    return "".join([*kept, text[end:]])


def keyed_hash(purpose: str, value: str) -> str:
    """A one-way name for something we must recognise but not keep, such as a network address."""
    return hmac.new(keyring().keys[0], f"{purpose}\0{value}".encode(), hashlib.sha256).hexdigest()[:32]


@lru_cache
def _candidates(ring: Keyring, kind: Kind, size: int) -> re.Pattern[str]:
    """Finds what could be such a token: each begins with the letters that its key's id and its kind make."""
    heads = {base64.b32encode(bytes((_key_id(key), kind)))[:3].decode() for key in ring.keys}
    begins = "|".join(_GAP.join(head) for head in sorted(heads))
    rest = -(-(2 + size + MAC_BYTES) * 8 // 5) - 3
    return re.compile(rf"(?i:(?=((?:{begins})(?:{_GAP}[a-z2-7]){{{rest}}})))", re.ASCII)


def _key_id(key: bytes) -> int:
    return hashlib.sha256(b"key id\0" + key).digest()[0]


def _mac(key: bytes, head: bytes) -> bytes:
    return hmac.new(key, b"token\0" + head, hashlib.sha256).digest()[:MAC_BYTES]


def _decode(token: str) -> bytes | None:
    text = token.strip().upper() if token.isascii() else ""  # other letters have an ASCII letter as their capital
    try:
        raw = base64.b32decode(text + "=" * (-len(text) % 8))
    except (binascii.Error, ValueError):
        return None
    canonical = base64.b32encode(raw).decode().rstrip("=")
    return raw if canonical == text else None
