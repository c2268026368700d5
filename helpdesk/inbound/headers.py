"""One header value, however broken, becomes one line of text, a set of parameters, ids or a moment."""

import re
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_tz
from urllib.parse import unquote_to_bytes

from helpdesk.inbound.charsets import decode, decode_short
from helpdesk.inbound.transfer import decode_base64, decode_quoted_word

PARAMETER_PIECES = 100
PLAIN = -1  # the number of a value in the old form, which is there for those who cannot read the new one

ENCODED_WORD = re.compile(r"=\?([^?\s]{1,60})\?([bBqQ])\?((?:[^?=]|=(?!\?[^=])|\?(?!=))*+)\?=")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_SPACES = re.compile(r" {2,}")
_PARAMETER = re.compile(r';\s*+([^\s=;"]++)\s*+=\s*+(?:"((?:[^"\\]|\\.)*+)"|([^;]*+))', re.DOTALL)
_ESCAPED = re.compile(r'\\(["\\])')
_SECTION = re.compile(r"([^*]+)(?:\*(\d{1,4}))?(\*)?")
_BRACKETED_ID = re.compile(r"<([^<>]{1,998})>")
_WHITE = re.compile(r"\s+")


def raw_bytes(value: str) -> bytes:
    """The bytes behind a header value as the stdlib parser keeps it (surrogate escapes)."""
    return value.encode("utf-8", "surrogateescape")


def decode_header(value: str, fallback: str | None = None) -> str:
    """A header value as one line of readable text (RFC 2047, with what real clients make of it)."""
    return one_line(decode_words(decode_short(raw_bytes(value), fallback)))


def one_line(text: str) -> str:
    """The text with control characters and runs of spaces as single spaces."""
    return _SPACES.sub(" ", _UNPRINTABLE.sub(" ", text)).strip()


def decode_words(text: str) -> str:
    """Replace encoded words; neighbours of one charset are joined before their bytes are decoded."""
    pieces: list[str] = []
    run, run_charset, position = bytearray(), "", 0
    for word in ENCODED_WORD.finditer(text):
        gap, charset = text[position : word.start()], word[1].partition("*")[0].lower()
        if gap.strip() or not run_charset or charset != run_charset:
            pieces.append(decode(bytes(run), run_charset))
            pieces.append("" if run_charset and not gap.strip() else gap)
            run = bytearray()
        run += _word_bytes(word)
        run_charset, position = charset, word.end()
    return "".join([*pieces, decode(bytes(run), run_charset), text[position:]])


def _word_bytes(word: re.Match[str]) -> bytes:
    content = word[3].encode("utf-8", "replace")
    return decode_base64(content) if word[2] in "bB" else decode_quoted_word(content)


def read_parameters(value: str, fallback: str | None = None) -> dict[str, str]:
    """Parameters of a Content-Type or Content-Disposition (RFC 2231, broken forms and raw 8-bit too)."""
    sections: dict[str, dict[int, tuple[bool, bytes]]] = {}
    for piece, _ in zip(_PARAMETER.finditer(value), range(PARAMETER_PIECES), strict=False):
        section = _SECTION.fullmatch(piece[1].lower())
        if section:
            text = _ESCAPED.sub(r"\1", piece[2]) if piece[2] is not None else _unclosed(piece[3].strip())
            number = int(section[2] or (0 if section[3] else PLAIN))
            sections.setdefault(section[1], {}).setdefault(number, (bool(section[3]), raw_bytes(text)))
    return {name: _joined(pieces, fallback) for name, pieces in sections.items()}


def _unclosed(value: str) -> str:
    """The value without a quotation mark that opens it and has no partner, or stands alone at its end."""
    return value.strip('"') if value.count('"') == 1 else value


def _joined(pieces: dict[int, tuple[bool, bytes]], fallback: str | None) -> str:
    charset, content = "", b""
    numbers = [number for number in sorted(pieces) if number != PLAIN] or [PLAIN]
    for position, number in enumerate(numbers):
        extended, piece = pieces[number]
        if extended and position == 0 and piece.count(b"'") >= 2:
            name, _, piece = piece.split(b"'", 2)
            charset = name.decode("ascii", "replace")
        content += unquote_to_bytes(piece) if extended else piece
    if charset:
        return one_line(decode(content, charset))
    return one_line(decode_words(decode_short(content, fallback)))


def read_ids(values: list[str], limit: int) -> tuple[str, ...]:
    """Message ids without their brackets, in order, once each, the last `limit` (RFC 5322 §3.6.4)."""
    text = " ".join(decode_short(raw_bytes(value)) for value in values)
    found = [_WHITE.sub("", inner) for inner in _BRACKETED_ID.findall(text)]
    if not found:
        found = [word.strip("<>,;\"'") for word in text.split() if "@" in word]
    unique = dict.fromkeys(one_line(identifier) for identifier in found)
    return tuple(identifier for identifier in unique if identifier)[-limit:]


def read_date(value: str) -> datetime | None:
    """The moment in UTC, or None when the header names none that exists (RFC 5322 §3.3)."""
    try:
        parsed = parsedate_tz(value)
        if parsed is None:
            return None
        zone = timezone(timedelta(seconds=parsed[9] or 0))
        return datetime(*parsed[:6], tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
