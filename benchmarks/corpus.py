"""What readers and staff wrote in three years: the same words for the same seed, whatever the engine."""

import bisect
import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass

VOCABULARY = 30_000
POOL_WORDS = 400_000
MEDIAN_CHARACTERS = 350
SPREAD = 0.75
LONGEST = 8_000
ARTICLES = 5_000
RETURNING = 0.4
ANONYMOUS = 0.03
RARE_WORD = "zanzibar"
RARE_SHARE = 0.001
PAGE_WORD = "pomegranate"
PAGE_TICKETS = 60
MESSAGE_COUNTS = (0.455, 0.28, 0.13, 0.068, 0.034, 0.018, 0.01, 0.005)
SHORT, LONG = 5, 200
_SYLLABLES = (
    "ba",
    "ce",
    "di",
    "fo",
    "gu",
    "ha",
    "ke",
    "li",
    "mo",
    "nu",
    "pa",
    "re",
    "si",
    "to",
    "vu",
    "wa",
    "ye",
    "zi",
)


@dataclass(frozen=True)
class Story:
    """One ticket in outline. `reader` counts readers from 1, 0 is nobody; `place` runs from 0 (oldest) to 1."""

    number: int
    place: float
    reader: int
    is_new_reader: bool
    article: int
    messages: int
    is_open: bool


class Prose:
    """Texts of Zipf words, cut from one long stream."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        words = _vocabulary()
        weights = list(itertools.accumulate(1 / rank for rank in range(1, VOCABULARY + 1)))
        self.stream = " ".join(chance.choices(words, cum_weights=weights, k=POOL_WORDS))
        self.starts = [0, *(index + 1 for index, letter in enumerate(self.stream) if letter == " ")]

    def text(self, word: str | None = None) -> str:
        """A text of log-normal length, with `word` in it when one is given."""
        length = int(min(LONGEST, self.chance.lognormvariate(0, SPREAD) * MEDIAN_CHARACTERS)) + 10
        start = self.starts[int(self.chance.random() * (len(self.starts) - LONGEST // 2))]
        text = self.stream[start : start + length].rpartition(" ")[0]
        return f"{text} {word} indeed" if word else text

    def message(self) -> str:
        """What a message says; one in a thousand has the rare word."""
        return self.text(RARE_WORD if self.chance.random() < RARE_SHARE else None)


def stories(tickets: int, chance: random.Random) -> Iterator[Story]:
    """All tickets, oldest first; the last but one has 5 messages, the last 200, and both are open."""
    bounds = list(itertools.accumulate(MESSAGE_COUNTS))
    waiting = open_numbers(tickets, chance)
    readers = 0
    for number in range(1, tickets + 1):
        is_new = readers == 0 or chance.random() >= RETURNING
        readers += is_new
        reader = readers if is_new else 1 + int(chance.random() * readers)
        article = 1 + int(ARTICLES * chance.random() ** 2)
        count = 1 + bisect.bisect(bounds, chance.random() * bounds[-1])
        is_anonymous = not is_new and chance.random() < ANONYMOUS / RETURNING
        if number > tickets - 2:
            count, is_anonymous = (LONG if number == tickets else SHORT), False
        is_open = number in waiting or number > tickets - 2
        who = 0 if is_anonymous else reader
        yield Story(number, number / tickets, who, is_new, article, 1 if who == 0 else count, is_open)


def open_numbers(tickets: int, chance: random.Random) -> set[int]:
    """Which tickets nobody has finished: one in fifty, at least 200, most of them of late."""
    wanted = max(tickets // 50, min(200, tickets // 5)) - 2
    latest = range(max(1, tickets - 4 * wanted), tickets - 1)
    return set(chance.sample(latest, wanted))


def _vocabulary() -> list[str]:
    """Words that can be spoken, the frequent ones short."""
    words = ("".join(parts) for size in (1, 2, 3, 4) for parts in itertools.product(_SYLLABLES, repeat=size))
    return list(itertools.islice(words, VOCABULARY))
