"""HTML nesting is capped before any HTML parser sees it: theirs take quadratic time or lose deep text."""

import re
from collections import Counter

DEPTH = 60
FORMATTING_DEPTH = 12

_OPENER = re.compile(r"<(?:!--|(/?)([a-zA-Z][^\s/>]*+))")
_STYLING = "a b big code em font i nobr s small strike strong tt u"
_FORMATTING = frozenset(_STYLING.split())
# Void, or closed by their own kind: an unclosed one nests nothing.
_VOID = "area base br col embed hr img input link meta param source track wbr"
_CLOSED_BY_THEIR_KIND = "p li dt dd td th tr option optgroup thead tbody tfoot html head body"
_FLAT = frozenset([*_VOID.split(), *_CLOSED_BY_THEIR_KIND.split()])
_EMBEDDED = re.compile(r"data:[A-Za-z0-9/+.-]{1,60};base64,[A-Za-z0-9+/=%\s]*+")
_TAG_STOP = re.compile(r"[>\"']")


def cap_nesting(html: str) -> str:
    """The same HTML without the tags that open deeper than 60 elements (12 for bold and its like)."""
    kept: list[str] = []
    open_tags, dropped, position = Counter[str](), Counter[str](), 0
    while opener := _OPENER.search(html, position):
        end = _end_of_tag(html, opener)
        if end is None:
            break
        kept.append(html[position : opener.start()])
        if opener[2] is None or _fits(opener[2].lower(), bool(opener[1]), open_tags, dropped):
            kept.append(html[opener.start() : end])
        position = end
    return "".join([*kept, html[position:]])


def without_embedded(html: str) -> str:
    """The same HTML without the bytes of files embedded as data: addresses, which may be megabytes."""
    return _EMBEDDED.sub("data:", html)


def _end_of_tag(html: str, opener: re.Match[str]) -> int | None:
    """Where the tag or comment ends; None when it never does, as a parser would read it."""
    if opener[2] is None:
        end = html.find("-->", opener.end())
        return None if end < 0 else end + 3
    position = opener.end()
    while (stop := _TAG_STOP.search(html, position)) and stop.group() != ">":
        closing = html.find(stop.group(), stop.end())
        if closing < 0:
            return None
        position = closing + 1
    return stop.end() if stop else None


def _fits(name: str, closes: bool, open_tags: Counter[str], dropped: Counter[str]) -> bool:
    if name in _FLAT:
        return True
    kind = "formatting" if name in _FORMATTING else "element"
    if closes:
        return _closes(name, kind, open_tags, dropped)
    if open_tags[f"<{kind}>"] >= (FORMATTING_DEPTH if kind == "formatting" else DEPTH):
        dropped[name] += 1
        return False
    open_tags[name] += 1
    open_tags[f"<{kind}>"] += 1
    return True


def _closes(name: str, kind: str, open_tags: Counter[str], dropped: Counter[str]) -> bool:
    if dropped[name]:
        dropped[name] -= 1
        return False
    if open_tags[name]:
        open_tags[name] -= 1
        open_tags[f"<{kind}>"] -= 1
    return True
