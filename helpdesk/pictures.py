"""Pictures that a text shows: `![a bridge](bridge.png)` names a file that is sent along."""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache, partial

from markupsafe import escape

SHOWN_TYPES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
ANY_WORDS = r"[^\]\n]{0,500}"
WORDS_IN_HTML = r"[^\]\n<>\"]{0,500}"  # nothing that could end an attribute or a tag


def shown_in(text: str, names: Iterable[str]) -> set[str]:
    """Those of the files' names that the text shows as a picture."""
    return {name for name in names if _mention(name).search(text)}


def as_markdown(text: str, names: Iterable[str]) -> str:
    """The text with names that Markdown can read, blanks and brackets in them too (CommonMark 0.31 §6.3)."""
    for name in names:
        text = _mention(name).sub(partial(_put, "![", f"](<{name}>)", ""), text)
    return text


def in_words(text: str, names: Iterable[str]) -> str:
    """The text for whoever sees no pictures: what each shows, else its file's name."""
    for name in names:
        text = _mention(name).sub(partial(_put, "[", "]", name), text)
    return text


def in_html(html: str, addresses: Mapping[str, str]) -> str:
    """Text that was escaped already, with each picture in its place; `addresses` are by file name."""
    for name, address in addresses.items():
        shown, before = str(escape(name)), f'<img class="picture" loading="lazy" src="{escape(address)}" alt="'
        html = _mention(shown, WORDS_IN_HTML).sub(partial(_put, before, '">', shown), html)
    return html


def _put(before: str, after: str, instead: str, match: re.Match[str]) -> str:
    return f"{before}{match[1] or instead}{after}"


@lru_cache(maxsize=256)
def _mention(name: str, words: str = ANY_WORDS) -> re.Pattern[str]:
    return re.compile(rf"!\[({words})\]\((?:{re.escape(name)}|<{re.escape(name)}>)\)")
