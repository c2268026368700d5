"""Filling placeholders: plain substitution from a closed list, never a template language."""

import re

PLACEHOLDERS = {
    "reader_name": "the reader's name",
    "article_title": "the title of the article",
    "article_url": "the address of the article",
    "ticket_number": "the number of the ticket",
    "agent_name": "your name",
    "site_name": "the name of the publication",
}
_BRACED = re.compile(r"\{([^{}\n]{0,60})\}")


def unknown_placeholders(body: str) -> list[str]:
    """The braced words that are not on the list, in order."""
    return [word for word in _BRACED.findall(body) if word not in PLACEHOLDERS]


def fill(body: str, values: dict[str, str]) -> str:
    """The text with each listed placeholder replaced by its value; one without a value stays, to be seen."""
    return _BRACED.sub(lambda match: _value(match, values), body)


def left_over(body: str) -> list[str]:
    """The listed placeholders that are still in a text; such a text is not sent."""
    return [word for word in _BRACED.findall(body) if word in PLACEHOLDERS]


def _value(match: re.Match[str], values: dict[str, str]) -> str:
    word = match.group(1)
    return (values.get(word) or match.group(0)) if word in PLACEHOLDERS else match.group(0)
