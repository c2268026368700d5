"""A few words around what was found, with the hits marked."""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import takewhile
from unicodedata import normalize

from helpdesk.tickets.words import WORD, Wanted, folded

BEFORE, LENGTH = 24, 160

Piece = tuple[str, bool]  # some text, and whether it is a hit


def excerpt(text: str, wanted: Sequence[Wanted]) -> list[Piece]:
    """The text around the first hit in pieces, each with whether it is a hit; empty when nothing is found in it.

    `wanted` are words and phrases; every word of them is marked wherever it stands.
    """
    text = normalize("NFC", " ".join(text.split()))
    first = next(_hits(text, 0, wanted), None)
    if first is None:
        return []
    start = _word_begins(text, first[0] - BEFORE)
    end = _word_ends(text, start + LENGTH)
    hits = takewhile(lambda hit: hit[1] <= end, _hits(text[: end + 1], first[0], wanted))
    return list(_pieces(text, start, end, list(hits)))


def _hits(text: str, start: int, wanted: Sequence[Wanted]) -> Iterator[tuple[int, int]]:
    """Where words that are wanted begin and end in `text`, from `start` on."""
    if text.isascii():  # then folding moves no letter, and the words can be looked for in one go
        return (match.span() for match in _pattern(tuple(wanted)).finditer(text.lower(), start))
    return (match.span() for match in WORD.finditer(text, start) if _is_wanted(folded(match[0]), wanted))


@lru_cache(maxsize=64)
def _pattern(wanted: tuple[Wanted, ...]) -> re.Pattern[str]:
    whole = [word for one in wanted for word in one.words]
    begun = [f"{one.words[-1]}[^\\W_]*" for one in wanted if one.is_prefix]
    return re.compile(rf"(?<![^\W_])(?:{'|'.join([*begun, *whole])})(?![^\W_])")


def _pieces(text: str, start: int, end: int, hits: list[tuple[int, int]]) -> Iterator[Piece]:
    at = start
    for first, last in hits:
        before = ("… " if at == start > 0 else "") + text[at:first]
        if before:
            yield before, False
        yield text[first:last], True
        at = last
    rest = text[at:end] + (" …" if end < len(text) else "")
    if rest:
        yield rest, False


def _is_wanted(word: str, wanted: Sequence[Wanted]) -> bool:
    return any(word in one.words or (one.is_prefix and word.startswith(one.words[-1])) for one in wanted)


def _word_begins(text: str, place: int) -> int:
    return 0 if place <= 0 else text.find(" ", place) + 1


def _word_ends(text: str, place: int) -> int:
    return len(text) if place >= len(text) else max(text.rfind(" ", 0, place), 0) or place
