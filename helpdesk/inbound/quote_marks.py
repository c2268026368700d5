"""How mail clients mark what is quoted: one question about one line, or a few joined ones, at a time."""

import re

from helpdesk.inbound import quote_words

ATTRIBUTION_LINES = 5
SHARED_CHARACTERS = 30
COLONS = 8
LINE_CHARACTERS = 500

_TIME = re.compile(r"\b[0-2]?[0-9][:.h][0-5][0-9]|[0-9]{1,2}[时時점點点시]")
_DATE = re.compile(
    r"\b(?:19|20)[0-9]{2}\b|\b[0-9]{1,2}[./-] ?[0-9]{1,2}[./-] ?(?:[0-9]{2})?[0-9]{2}\b|[0-9]{1,2} ?[月월]"
)
_ADDRESS = re.compile(r"[^\s@<>()]{1,64}@[^\s@<>()]{2,253}")
_TELEPHONE = re.compile(
    r"(?:\+|\b(?:tel|fax|phone|ph|mobile|mobil|mob|cell|t|f|m|p)[.:]{1,2} ?)[(+]?[0-9][0-9 ()./-]{5,25}", re.IGNORECASE
)
_STARTS = re.compile(
    rf"(?:(?:{'|'.join(map(re.escape, quote_words.FIRST_OF_ATTRIBUTION))}|[0-9]{{1,4}})\b|[于在])", re.IGNORECASE
)
_DASHES = "-_=*#~—\u2010\u2013\u2796"
_COLONS = (":", "\uff1a")
_COLON = re.compile("[:\uff1a]")
_INVISIBLE = " \t*_\xa0\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u2068\u2069\ufeff"
_GESENDET = re.compile(r"von mein\w{1,3} .{1,40}gesendet", re.IGNORECASE)
_FORWARD_PREFIXES = frozenset(quote_words.FORWARD_PREFIXES)
_SHARED_STARTS = (" On ", "-On ", " Am ", " Le ", " El ", " Il giorno ", " Op ", " Em ", " Den ")


def is_prefixed(line: str) -> bool:
    """Whether the line is quoted with ">"."""
    is_marked = line.startswith((">", " >", "  >", "|>"))
    return is_marked and not _is_wrapped_attribution(line) and not is_framed_by_marks(line)


def is_framed_by_marks(line: str) -> bool:
    """Whether the line is GroupWise's ">>> Ruth <ruth@example.org> 23.11.2026 09:12 >>>", above an unmarked mail."""
    words = line.strip()
    is_framed = words.startswith(">>> ") and words.endswith(" >>>") and len(words) < 300
    return is_framed and bool(_DATE.search(words) and _TIME.search(words))


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
    if is_framed_attribution(joined):
        return has_date or has_time
    return _says_who_and_when(joined, is_dated=has_date or has_time, has_address=has_address, has_verb=has_verb) or (
        has_date and has_time and has_verb and (_has_colon(joined) or _is_bare(joined))
    )


def _is_bare(joined: str) -> bool:
    """Whether it is "On 14 Nov 2018 08:14:43 -0200 Ruth <ruth@example.org> wrote", as some end it, without a colon."""
    words = joined.strip(_INVISIBLE)
    tail = words.rpartition(">")[2].strip(_INVISIBLE).lower()
    return len(words) < 200 and tail in quote_words.WROTE and "@" in words and may_begin_attribution(words)


def _says_who_and_when(joined: str, *, is_dated: bool, has_address: bool, has_verb: bool) -> bool:
    if not has_address or not _has_colon(joined):
        return False
    if is_dated and has_verb:
        return True
    # Without a verb or a date, only "… <ruth@example.org>:" and "Ruth <ruth@example.org> wrote:" will do.
    tail = joined.rstrip(_INVISIBLE)[-40:]
    if has_verb:
        return ">" in tail
    ends_with_address = tail.rstrip(":\uff1a" + _INVISIBLE).endswith((">", ")", "]"))
    is_moment = bool(_DATE.search(joined) and _TIME.search(joined))
    is_short = len(joined) < 90 and may_begin_attribution(joined) and "@" in joined[-60:].rsplit(" ", maxsplit=1)[-1]
    return is_dated and (ends_with_address or (is_moment and (is_short or "@" in joined.partition("<")[2])))


def _has_colon(joined: str) -> bool:
    return joined.rstrip(_INVISIBLE).endswith(_COLONS)


def is_framed_attribution(line: str) -> bool:
    """Whether the line is "---- On … wrote ----", dashes on both sides."""
    words = line.strip(_INVISIBLE)
    return words.startswith("--") and words.endswith("--") and _has_verb(words) and len(words) < 300


def may_end_attribution(line: str) -> bool:
    """Whether an attribution could end with this line: the cheap question before the dear one."""
    return _ends_as_attribution(line[:LINE_CHARACTERS])


def may_begin_attribution(line: str) -> bool:
    """Whether the line reads like the first of a wrapped attribution ("On Monday, 23 November 2026,")."""
    starts = len(line) < 200 and bool(_STARTS.match(line.strip(" \t-")))
    return starts and bool(_DATE.search(line) or _TIME.search(line))


def may_go_above(line: str, attribution: str) -> bool:
    """Whether the line is the other half of an attribution below it that lacks its writer, or is but its last words.

    "On Wed, Dec 9, Ruth" stands above "<ruth@example.org> wrote:", "Ruth <ruth@example.org> schrieb am So., 23."
    above "Juni 2024, 21:08:".
    """
    rest = attribution.strip(_INVISIBLE)
    starts = len(line) < 200 and bool(_STARTS.match(line.strip())) and any(map(str.isdigit, line))
    if rest.startswith("<"):
        return starts
    if rest.rstrip(":\uff1a ").lower() in quote_words.WROTE:
        return starts or bool(_ADDRESS.search(line[:LINE_CHARACTERS]))
    has_writer = _has_verb(rest) or bool(_ADDRESS.search(rest))
    return not has_writer and bool(_ADDRESS.search(line[:LINE_CHARACTERS]))


def is_open(line: str) -> bool:
    """Whether the line's words go on below it: it ends no sentence."""
    return not line.rstrip().endswith((".", "!", "?", ":", "\u3002"))


def dated_line_with_address(line: str) -> bool:
    """Whether the line is a date and an address and no more, as "2026/11/23 Ruth <ruth@example.org>"."""
    words = line.strip(_INVISIBLE)
    return len(words) < 160 and words.endswith(">") and bool(_ADDRESS.search(words)) and may_begin_attribution(words)


def is_broken_attribution(above: str, below: str) -> bool:
    """Whether `below`, which reads like an attribution, is only the rest of one that a client broke in two."""
    if len(above) > LINE_CHARACTERS:
        return False
    if above.rstrip().endswith("<"):
        return True
    has_address = bool(_ADDRESS.search(above)) and "@" not in below
    return has_address and (below.lstrip().startswith("(") or bool(_DATE.search(above)))


def is_rest_of_link(line: str) -> bool:
    """Whether the line is the end of a link, and no words: one piece, or a link in brackets."""
    words = line.strip(" \t>")
    is_link = words.startswith(("http", "(http", "<http", "[http")) or words.endswith((")", ">"))
    return bool(words) and is_link and len(words.split()) <= 2


def attribution_within(line: str) -> tuple[int, int] | None:
    """Where an attribution begins and ends that shares its line with the answer or the quotation; or None."""
    if len(line) < SHARED_CHARACTERS or is_prefixed(line) or may_begin_attribution(line[:SHARED_CHARACTERS]):
        return None
    for start in _SHARED_STARTS:
        position = line.rfind(start, 0, LINE_CHARACTERS)
        if position > 0 and (end := _end_of_attribution(line, position + 1)):
            return position + 1, end
    return None


def _end_of_attribution(line: str, start: int) -> int | None:
    rest = line[start : start + LINE_CHARACTERS]
    for colon in list(_COLON.finditer(rest))[:COLONS]:
        if _has_verb(rest[: colon.start()][-60:]) and is_attribution(rest[: colon.end()], before_prefixed=False):
            return start + colon.end()
    return len(line) if is_framed_attribution(rest) else None


def _ends_as_attribution(line: str) -> bool:
    end = line.rstrip(_INVISIBLE + "-")
    return end.endswith(_COLONS) or _has_verb(end[-14:])


def _has_verb(text: str) -> bool:
    words = text.lower()
    return any(verb in words for verb in quote_words.WROTE)


def is_forward_mark(line: str) -> bool:
    """Whether the line says that a forwarded mail follows ("---------- Forwarded message ---------")."""
    words = line.strip(_INVISIBLE)[:LINE_CHARACTERS].lower()
    framed = words[:2] in ("--", "==", "__", "**", "- ") or words.startswith("begin ") or words.endswith(_COLONS)
    return framed and len(words) < 120 and any(word in words for word in quote_words.FORWARDED)


def is_forward_end(line: str) -> bool:
    """Whether the line ends a forwarded mail ("----- End forwarded message -----")."""
    return is_forward_mark(line) and " end " in f" {line.strip(_DASHES + ' ').lower()} "


def is_forward_prefix(subject: str) -> bool:
    """Whether the subject begins as that of a forwarded mail."""
    words = subject.strip().lower()
    if words.startswith("["):
        words = words.partition("]")[2].strip()
    prefix, colon, _ = words[:20].replace("\uff1a", ":").partition(":")
    return bool(colon) and prefix.strip() in _FORWARD_PREFIXES


def is_separator(line: str) -> bool:
    """Whether the line is "-----Original Message-----" or "reply above this line" in some language."""
    if is_framed_by_marks(line):
        return True
    words = line.strip(" \t>\xa0")[:LINE_CHARACTERS]
    inner = words.strip(_DASHES + " \xa0").lower()
    if not inner or len(inner) > 120:
        return False
    if is_rule_like(words) and any(word in inner for word in quote_words.REPLY_ABOVE):
        return True
    if inner.startswith("original message processed by"):
        return True
    is_drawn = not words[:2].strip(_DASHES) or words.startswith("- - -")
    return is_drawn and any(word in inner for word in quote_words.ORIGINAL)


def is_bare_separator(line: str) -> bool:
    """Whether the line is "Original message" without dashes, or a Lotus Notes one ("Ruth ---23/11/2026 09:12---")."""
    words = line.strip(_INVISIBLE).lower()
    if len(words) < 40 and len(words.split()) <= 3:
        return any(word in words for word in quote_words.ORIGINAL)
    return len(words) < 250 and words.count("---") == 2 and bool(_DATE.search(words.partition("---")[2][:30]))


def is_rule_like(line: str) -> bool:
    """Whether the line begins with dashes, underscores or their like."""
    return line.lstrip("*")[:1] in tuple(_DASHES) or line[:2] == "**"


def is_rule(line: str) -> bool:
    """Whether the line is nothing but dashes or underscores, as some draw above a quoted mail."""
    words = line.strip()
    return len(words) >= 3 and not words.strip(_DASHES)


def is_signature_mark(line: str) -> bool:
    """Whether the line is the usual "-- " above a signature (RFC 3676 §4.3), or what clients make of it."""
    return line.strip(" \t\xa0\u200b") in ("--", "\u2014", "\u2013\u2013", "__", "- --")


def is_drawn_above_signature(line: str) -> bool:
    """Whether the line is a rule as some draw above their name and address."""
    words = line.strip()
    return len(words) >= 5 and not words.strip("-_=\u2014\u2013")


def names_contact(line: str) -> bool:
    """Whether the line holds a mail address or a telephone number."""
    return bool(_ADDRESS.search(line[:LINE_CHARACTERS]) or _TELEPHONE.search(line[:LINE_CHARACTERS]))


def is_closing(line: str) -> bool:
    """Whether the line is a farewell ("Kind regards,") that its writer's name follows."""
    return line.strip(" \t,.!*_").lower() in _CLOSINGS


def is_device_line(line: str) -> bool:
    """Whether the line is a telephone's or a program's own signature ("Sent from my …")."""
    words = line.strip(" \t*_[(<-—\xa0\u200b").lower()
    if words.startswith(("from my iphone", "from my ipad", "from my android")):
        return len(words.split()) <= 4  # "From my iPhone I see no photo" is a sentence
    if len(words) > 140 or words.startswith(("sent from the ", "sent by the ")) or " is " in words:
        return False
    words = words.lstrip("\u200e\u200f\u202b").partition("<http")[0].rstrip(" .。")
    is_known = words.startswith(quote_words.SENT_FROM_DEVICE) or words.endswith(quote_words.SENT_FROM_DEVICE_ENDS)
    return is_known or bool(_GESENDET.match(words))


_CLOSINGS = frozenset(quote_words.CLOSINGS)
