"""How mail clients mark what is quoted: one question about one line, or a few joined ones, at a time."""

import re

from helpdesk.inbound import quote_words

ATTRIBUTION_LINES = 5
LINE_CHARACTERS = 500

_TIME = re.compile(r"\b[0-2]?[0-9][:.h][0-5][0-9]\b|[0-9]{1,2}[时時点點시]")
_DATE = re.compile(r"\b(?:19|20)[0-9]{2}\b|\b[0-9]{1,2}[./-][0-9]{1,2}[./-](?:[0-9]{2})?[0-9]{2}\b|[0-9]{1,2}[月월]")
_ADDRESS = re.compile(r"[^\s@<>()]{1,64}@[^\s@<>()]{2,253}")
_STARTS = re.compile(rf"(?:(?:{'|'.join(quote_words.FIRST_OF_ATTRIBUTION)}|[0-9]{{1,4}})\b|[于在])", re.IGNORECASE)
_DASHES = "-_=*—\u2013\u2796"
_COLONS = (":", "\uff1a")
_KIND_OF_LABEL = {label: kind for kind, labels in quote_words.LABELS.items() for label in labels}
_GESENDET = re.compile(r"von mein\w{1,3} .{1,40}gesendet", re.IGNORECASE)


def is_prefixed(line: str) -> bool:
    """Whether the line is quoted with ">"."""
    return line.startswith((">", " >", "  >", "|>")) and not _is_wrapped_attribution(line)


def _is_wrapped_attribution(line: str) -> bool:
    # A client that wraps "<ruth@example.org> wrote:" may leave the bracket first on its line.
    return line.startswith("> ") and _ends_as_attribution(line) and len(line) < 20 and _has_verb(line)


def is_attribution(joined: str, *, before_prefixed: bool) -> bool:
    """Whether the joined lines say who wrote what follows; `before_prefixed`: a ">" line comes next.

    No list of languages decides: it is the colon at the end, a date or time, and an address or a known verb.
    """
    if len(joined) > LINE_CHARACTERS or not _ends_as_attribution(joined):
        return False
    has_date, has_time = bool(_DATE.search(joined)), bool(_TIME.search(joined))
    has_address, has_verb = bool(_ADDRESS.search(joined)), _has_verb(joined)
    if before_prefixed:
        return has_verb or has_address or has_date or has_time
    if not joined.rstrip().endswith(_COLONS):
        return False
    return (has_address and (has_date or has_time)) or (has_date and has_time and has_verb)


def may_end_attribution(line: str) -> bool:
    """Whether an attribution could end with this line: the cheap question before the dear one."""
    return _ends_as_attribution(line[:LINE_CHARACTERS])


def may_begin_attribution(line: str) -> bool:
    """Whether the line reads like the first of a wrapped attribution ("On Monday, 23 November 2026,")."""
    return len(line) < 200 and bool(_STARTS.match(line.strip())) and bool(_DATE.search(line) or _TIME.search(line))


def _ends_as_attribution(line: str) -> bool:
    end = line.rstrip(" \t*_")
    return end.endswith(_COLONS) or _has_verb(end[-14:])


def _has_verb(text: str) -> bool:
    words = text.lower()
    return any(verb in words for verb in quote_words.WROTE)


def is_forward_mark(line: str) -> bool:
    """Whether the line says that a forwarded mail follows ("---------- Forwarded message ---------")."""
    words = line.strip()[:LINE_CHARACTERS].lower()
    framed = words[:2] in ("--", "==", "__", "**") or words.startswith("begin ") or words.endswith(_COLONS)
    return framed and len(words) < 120 and any(word in words for word in quote_words.FORWARDED)


def is_separator(line: str) -> bool:
    """Whether the line is "-----Original Message-----" in some language."""
    words = line.strip(" \t>")[:LINE_CHARACTERS]
    inner = words.strip(_DASHES + " ")
    if not inner or len(inner) > 80 or not words.startswith(("---", "___", "===", "***", "——", "- - -")):
        return False
    return any(word in inner.lower() for word in quote_words.ORIGINAL)


def is_rule(line: str) -> bool:
    """Whether the line is nothing but dashes or underscores, as Outlook draws above a quoted mail."""
    words = line.strip()
    return len(words) >= 5 and not words.strip(_DASHES)


def header_kind(line: str) -> str | None:
    """from, sent, to, cc, subject or other when the line is such a label with its colon; else None."""
    label, colon, value = line[:LINE_CHARACTERS].replace("\uff1a", ":").partition(":")
    if not colon or len(label) > 40:
        return None
    kind = _KIND_OF_LABEL.get(label.strip(" \t*_>\xa0\u200e\u200f").lower())
    return None if kind == "from" and not value.strip(" \t*_") else kind


def is_signature_mark(line: str) -> bool:
    """Whether the line is the usual "-- " above a signature (RFC 3676 §4.3)."""
    return line.rstrip() == "--"


def is_device_line(line: str) -> bool:
    """Whether the line is a telephone's own signature ("Sent from my …")."""
    words = line.strip(" \t*_[(<-—").lower()
    if len(words) > 100 or words.startswith("sent from the "):
        return False
    return words.startswith(quote_words.SENT_FROM_DEVICE) or bool(_GESENDET.match(words))
