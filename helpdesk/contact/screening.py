"""Whether a form looks like the work of a machine. It only ever files as spam, so it may be wrong at little cost."""

import re

FASTEST_SECONDS = 3
ENOUGH = 3
FREE_LINKS = 2
SHOUTED_LETTERS = 30

_LINK = re.compile(r"https?://|www\.|\[url", re.IGNORECASE)
_SPAM_WORDS = re.compile(
    r"\b(?:backlinks?|casino|cialis|crypto investment|forex|guest post|payday loan|seo (?:service|expert|agency)s?"
    r"|sponsored post|viagra)\b",
    re.IGNORECASE,
)


def spam_reason(*, trap: str, seconds: int, name: str, text: str) -> str | None:
    """Why a form is filed as spam, else None.

    `trap` is what stood in the field that people cannot see, `seconds` the time between the page and the send.
    """
    if trap:
        return "the hidden field was filled in"
    if seconds < FASTEST_SECONDS:
        return f"sent {max(seconds, 0)} s after the page was opened"
    score = content_score(name, text)
    return f"its words look like spam (score {score})" if score >= ENOUGH else None


def content_score(name: str, text: str) -> int:
    """How much the words look like spam: 0 for what people write, 3 and more for advertising."""
    links = max(0, len(_LINK.findall(text)) - FREE_LINKS)
    words = len({word.lower() for word in _SPAM_WORDS.findall(text)})
    return links + 2 * words + 2 * bool(_LINK.search(name)) + _shouts(text)


def _shouts(text: str) -> bool:
    letters = [letter for letter in text if letter.isupper() or letter.islower()]
    return len(letters) >= SHOUTED_LETTERS and sum(map(str.isupper, letters)) > 0.8 * len(letters)
