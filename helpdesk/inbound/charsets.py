"""Bytes of any claimed charset become text that every database can store."""

import re

import chardet

DETECTABLE_BYTES = 40
DETECTION_SAMPLE_BYTES = 20_000

_ALIASES = {
    "ks_c_5601-1987": "cp949",
    "ks_c_5601": "cp949",
    "euc-kr": "cp949",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "gb_2312-80": "gb18030",
    "iso-8859-1": "cp1252",
    "iso8859-1": "cp1252",
    "iso_8859-1": "cp1252",
    "latin1": "cp1252",
    "latin-1": "cp1252",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "sjis": "cp932",
    "x-sjis": "cp932",
    "iso-8859-8-i": "iso-8859-8",
    "iso-8859-6-i": "iso-8859-6",
    "utf8mb4": "utf-8",
    "unicode-1-1-utf-7": "utf-7",
    "big5": "big5hkscs",
    "x-mac-roman": "mac-roman",
    "macintosh": "mac-roman",
}
_KANJI_ESCAPE = re.compile(rb"\x1b\$[@B]([^\x1b]*+)(?:\x1b\([BJ])?")
# ASCII says nothing about bytes above 127, and the rest are not charsets or are slow on hostile input.
_SAYS_NOTHING = frozenset({"", "us-ascii", "ascii", "ansi_x3.4-1968", "unknown", "unknown-8bit", "x-unknown"})
_SAYS_NOTHING |= {"binary", "8bit", "default", "none", "idna", "punycode", "unicode_escape", "unicode-escape"}
_SAYS_NOTHING |= {"raw_unicode_escape", "raw-unicode-escape", "undefined", "mbcs", "oem"}
# Of the same few letters the detector often takes these for likelier than cp1252, which mail is written in.
_NOT_SENT_BY_MAIL = frozenset({"cp437", "cp850", "cp858", "hp-roman8", "macroman", "mac-roman"})
# A text in one of these with letters beyond ASCII is as good as never UTF-8 by chance.
_OF_ONE_BYTE = re.compile(r"cp125|windows-?125|iso[-_]?8859|latin|koi8|mac")
_CHARSET_NAME = re.compile(r"[A-Za-z0-9_.:-]{1,40}")
_ASCII = frozenset(map(chr, range(128)))
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def decode(data: bytes, declared: str | None = None) -> str:
    """Text of `data`: by the declared charset, else UTF-8, else by detection. Never raises."""
    charset = _charset(declared)
    return scrub(
        _unlabelled_utf8(data, charset)
        or _strictly(data, charset)
        or _shifted_japanese(data, charset)
        or _vendor_japanese(data, charset)
        or _strictly(data, "utf-8")
        or _mislabelled(data, charset)
        or _decoded(data, charset, "replace")
        or _decoded(data, detect(data), "replace")
        or data.decode("cp1252", "replace")
    ).removeprefix("\ufeff")


def decode_short(data: bytes, fallback: str | None = None) -> str:
    """Text of a header's raw bytes: UTF-8, else the body's charset, else cp1252; too short to detect."""
    return scrub(_strictly(data, "utf-8") or _strictly(data, _charset(fallback)) or data.decode("cp1252", "replace"))


def scrub(text: str) -> str:
    """The text without NUL (PostgreSQL refuses it) and with U+FFFD for halves of characters."""
    return _LONE_SURROGATE.sub("\ufffd", text.replace("\0", ""))


def _charset(declared: str | None) -> str | None:
    found = _CHARSET_NAME.search((declared or "").strip().strip("\"'"))
    name = found.group().lower() if found else ""
    return None if name in _SAYS_NOTHING else _ALIASES.get(name, name)


def _strictly(data: bytes, charset: str | None) -> str | None:
    return _decoded(data, charset, "strict")


def _decoded(data: bytes, charset: str | None, errors: str) -> str | None:
    if charset is None:
        return None
    try:
        return data.decode(charset, errors)
    except (LookupError, ValueError):
        return None


def _unlabelled_utf8(data: bytes, charset: str | None) -> str | None:
    return _strictly(data, "utf-8") if charset and _OF_ONE_BYTE.match(charset) and not data.isascii() else None


def _shifted_japanese(data: bytes, charset: str | None) -> str | None:
    # ISO-2022-JP is seven-bit, so undeclared it would pass for UTF-8.
    return _strictly(data, "iso-2022-jp") if charset is None and b"\x1b$" in data else None


def _mislabelled(data: bytes, charset: str | None) -> str | None:
    # Programs that say UTF-8 of everything: it is none when not one of its longer characters is in the text.
    if charset not in ("utf-8", "utf8") or set(data.decode("utf-8", "ignore")) - _ASCII:
        return None
    return _decoded(data, detect(data), "replace") or data.decode("cp1252", "replace")


def detect(data: bytes) -> str | None:
    """The charset that the bytes look like, or None when they are plain ASCII or too few to tell."""
    if len(data) <= DETECTABLE_BYTES or data.isascii():
        return None
    guess = _charset(chardet.detect(data[:DETECTION_SAMPLE_BYTES])["encoding"])
    return None if guess in _NOT_SENT_BY_MAIL else guess


def _vendor_japanese(data: bytes, charset: str | None) -> str | None:
    """ISO-2022-JP with the circled digits and other signs that Windows adds to it and the standard does not know."""
    if not (charset or "").startswith("iso-2022-jp"):
        return None
    pieces = _KANJI_ESCAPE.split(data)
    turned = [bytes(byte | 0x80 for byte in piece) if number % 2 else piece for number, piece in enumerate(pieces)]
    return _strictly(b"".join(turned), "euc_jis_2004")
