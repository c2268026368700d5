"""Words as they are searched: without accents, in small letters, on every engine the same."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from unicodedata import combining, normalize

from helpdesk.columns import storable
from helpdesk.tickets.filters import Filter

WORD = re.compile(r"[^\W_]+")
MAX_WORDS = 12
MIN_PREFIX = 3


@dataclass(frozen=True)
class Wanted:
    """Words that must stand one after the other; of the last only the beginning when it `is_prefix`."""

    words: tuple[str, ...]
    is_prefix: bool = False


def folded(text: str) -> str:
    """The text as it is searched: without accents, in small letters."""
    text = storable(text)
    if not text.isascii():
        text = "".join(letter for letter in normalize("NFKD", text) if not combining(letter))
    return text.casefold()


def words_in(text: str) -> list[str]:
    """The words of a text, folded; all else only stands between them."""
    return WORD.findall(folded(text))


def wanted_in(asked: Filter) -> Sequence[Wanted]:
    """What a filter wants found: its phrases, then its words; at most twelve.

    A word that ends in * and the last one, which somebody may still be writing, need only begin so.
    """
    last = len(asked.words) - 1
    phrases = (Wanted(tuple(words_in(phrase))) for phrase in asked.phrases)
    words = (
        Wanted(tuple(words_in(word)), is_prefix=word.endswith("*") or at == last) for at, word in enumerate(asked.words)
    )
    found = [one for one in (*phrases, *words) if one.words]
    return [Wanted(one.words, one.is_prefix and len(one.words[-1]) >= MIN_PREFIX) for one in found[:MAX_WORDS]]
