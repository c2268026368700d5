"""The language of the search box and of saved views: `is:open topic:mistake -tag:done "exact words" more words`."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Key(StrEnum):
    """What a filter can ask of a ticket."""

    IS = "is"
    TOPIC = "topic"
    ASSIGNEE = "assignee"
    ARTICLE = "article"
    READER = "reader"
    QUEUE = "queue"
    SITE = "site"
    TAG = "tag"
    PRIORITY = "priority"
    HAS = "has"
    BEFORE = "before"
    AFTER = "after"
    SORT = "sort"


OTHER_NAMES = {"from": Key.READER, "status": Key.IS, "assigned": Key.ASSIGNEE, "in": Key.QUEUE, "since": Key.AFTER}
MOST_CHARACTERS = 500
_NAMES = "|".join([*Key, *OTHER_NAMES])
_PART = re.compile(rf'(?P<minus>-?)(?:(?P<key>{_NAMES}):)?(?:"(?P<quoted>[^"]*)"?|(?P<bare>[^\s"]+))', re.IGNORECASE)


@dataclass(frozen=True)
class Term:
    """One question, such as `tag:history`; `negated` when it was asked with a minus."""

    key: Key
    value: str
    negated: bool = False

    def __str__(self) -> str:
        return f"{'-' if self.negated else ''}{self.key.value}:{_written(self.value)}"


@dataclass(frozen=True)
class Filter:
    """What was asked: questions that all must hold, words and exact phrases that all must be found."""

    terms: tuple[Term, ...] = ()
    words: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """True when nothing is asked."""
        return not (self.terms or self.words or self.phrases)

    @property
    def number(self) -> int | None:
        """The ticket's number when that is all that was written, with or without #."""
        word = self.words[0].removeprefix("#") if len(self.words) == 1 and not (self.terms or self.phrases) else ""
        return int(word) if word.isdecimal() and len(word) < 10 else None

    def values(self, key: Key) -> Sequence[str]:
        """What was asked about `key`, without what was excluded."""
        return [term.value for term in self.terms if term.key is key and not term.negated]

    def __str__(self) -> str:
        """The filter as one would write it; reading that gives the same filter."""
        return " ".join([*map(str, self.terms), *(f'"{phrase}"' for phrase in self.phrases), *self.words])


def read_filter(text: str) -> Filter:
    """Understand what was written in the search box; what is no question is a word to be found.

    A quotation mark that is never closed reaches to the end. At most 500 characters are read.
    """
    terms, words, phrases = [], [], []
    for part in _PART.finditer(" ".join(text[:MOST_CHARACTERS].split())):
        value = (part["bare"] or part["quoted"] or "").strip()
        if not value:
            continue
        if part["key"]:
            terms.append(Term(_key(part["key"].lower()), value, negated=bool(part["minus"])))
        elif part["bare"]:
            words.append(part["minus"] + value)
        elif part["minus"]:
            words.append(f'-"{value}"')
        else:
            phrases.append(value)
    return Filter(tuple(terms), tuple(words), tuple(phrases))


def _key(name: str) -> Key:
    return OTHER_NAMES.get(name) or Key(name)


def _written(value: str) -> str:
    return f'"{value}"' if " " in value else value
