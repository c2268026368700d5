"""The header block above a quoted or forwarded mail: "From:", "Sent:", "To:", "Subject:" in some thirty languages."""

import re

from helpdesk.inbound import quote_words

BLOCK_LINES = 12
LABEL_CHARACTERS = 40
LINE_CHARACTERS = 500

_KIND_OF_LABEL = {label: kind for kind, labels in quote_words.LABELS.items() for label in labels}
_AROUND_LABEL = " \t*_>|\xa0\u200b\u200e\u200f\u202a\u202b\u202c\u2022"
_AROUND_VALUE = " \t*_\xa0\u200e\u200f\u202a\u202b\u202c"
_DIRECTION_MARKS = str.maketrans("", "", "\u200e\u200f")
_LABEL_WITHIN = re.compile(r"(?:^|(?<=\s))([^\s:]{1,20}) ?:(?=\s)")
_MOMENT = re.compile(r"[0-9]{1,2}[:.][0-9]{2}")
_DATE = re.compile(r"(?:19|20)[0-9]{2}|[0-9]{1,2}[./-][0-9]{1,2}[./-][0-9]{2}|[0-9]{1,2}[:.][0-9]{2}")


def label_of(line: str) -> tuple[str, str] | None:
    """The kind of label the line begins with (from, sent, to, cc, subject, other), and its value; or None."""
    label, colon, value = line[:LINE_CHARACTERS].replace("\uff1a", ":").partition(":")
    if not colon or len(label) > LABEL_CHARACTERS:
        return None
    kind = _KIND_OF_LABEL.get(label.strip(_AROUND_LABEL).lower())
    return (kind, value.strip(_AROUND_VALUE)) if kind else None


def is_header_block(lines: list[str], start: int) -> bool:
    """Whether labels of a mail stand below each other here: three of them, or two whose values can be nothing else."""
    first = label_of(lines[start])
    if first is None or first[0] not in ("from", "sent", "subject", "to"):
        return False
    if _is_in_one_line(lines[start]):
        return True
    values = _values(lines, start)
    if first[0] == "to" and not {"from", "subject"} & values.keys():
        return False
    has_address = any("@" in values.get(kind, "") for kind in ("from", "to", "cc"))
    sent = values.get("sent", "").translate(_DIRECTION_MARKS)
    is_dated = bool(_DATE.search(sent))
    if len(values) >= 3:
        is_addressed = first[0] == "from" and "to" in values and bool(_MOMENT.search(sent))
        return has_address or (is_dated and ("subject" in values or is_addressed))
    return _is_certain_pair(values, has_address=has_address, is_dated=is_dated)


def _is_in_one_line(line: str) -> bool:
    """Whether the line holds who wrote and when, each behind its label, as a block that lost its line ends."""
    start = line[:LINE_CHARACTERS]
    labels = (_KIND_OF_LABEL.get(label.strip(_AROUND_LABEL).lower()) for label in _LABEL_WITHIN.findall(start))
    is_dated = _DATE.search(start) and _MOMENT.search(start)
    return {"from", "sent"} <= set(labels) and "@" in start and bool(is_dated)


def _is_certain_pair(values: dict[str, str], *, has_address: bool, is_dated: bool) -> bool:
    # "From" and "Subject" alone are what contact forms write above a reader's words.
    return is_dated and has_address and bool(values.get("from") or values.keys() == {"sent", "to"})


def _values(lines: list[str], start: int) -> dict[str, str]:
    values: dict[str, str] = {}
    kind, strangers = "", 0
    for line in lines[start : start + BLOCK_LINES]:
        found = label_of(line)
        if found:
            kind, strangers = found[0], 0
            values.setdefault(*found)
        elif kind and not values[kind]:
            values[kind] = line.strip()
        elif strangers or not values:
            break
        else:
            strangers += 1
    return values
