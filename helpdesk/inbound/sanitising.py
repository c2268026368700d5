"""A reader's HTML made fit to show in a sandboxed frame: no script, no style, nothing from afar."""

from html import escape

import nh3

from helpdesk.inbound.charsets import scrub
from helpdesk.inbound.html_text import html_to_text
from helpdesk.inbound.nesting import cap_nesting, without_embedded

HTML_CHARACTERS = 1_000_000
ROUNDS = 4

_BLOCK_TAGS = "blockquote br center dd div dl dt figcaption figure h1 h2 h3 h4 h5 h6 hr li ol p pre ul"
_TABLE_TAGS = "caption col colgroup table tbody td tfoot th thead tr"
_TEXT_TAGS = (
    "a abbr b bdi bdo big cite code del dfn em font i img ins kbd mark q s samp small span strike strong sub"
    " sup tt u var wbr"
)
_TAGS = {*_BLOCK_TAGS.split(), *_TABLE_TAGS.split(), *_TEXT_TAGS.split()}
_ATTRIBUTES = {
    "*": {"dir", "lang", "title"},
    "a": {"href"},
    "img": {"src", "alt", "width", "height"},
    "ol": {"start"},
    "td": {"colspan", "rowspan", "align", "valign"},
    "th": {"colspan", "rowspan", "align", "valign"},
}
_NUMBERS = frozenset({"width", "height", "start", "colspan", "rowspan"})
_DROPPED_WITH_TEXT = {"script", "style", "title", "template", "noscript", "iframe", "object", "math", "svg"}


def _allowed_value(tag: str, attribute: str, value: str) -> str | None:
    if tag == "img" and attribute == "src":
        return value if value.strip().lower().startswith("cid:") else None
    if attribute in _NUMBERS:
        return value if value.isascii() and value.isdigit() and len(value) <= 4 else None
    return value


_CLEANER = nh3.Cleaner(
    tags=_TAGS,
    attributes=_ATTRIBUTES,
    attribute_filter=_allowed_value,
    clean_content_tags=_DROPPED_WITH_TEXT,
    url_schemes={"http", "https", "mailto", "tel", "cid"},
    url_relative="deny",
    link_rel="noopener noreferrer nofollow",
    strip_comments=True,
)


def clean_html(html: str) -> str:
    """Harmless HTML of a mail body. Pictures stay only when they came with the mail (`cid:`).

    Cleaning what is clean changes nothing. HTML of more than a million characters, or that no number of
    rounds settles, comes back as its plain text.
    """
    cleaned = without_embedded(scrub(html))
    for _ in range(ROUNDS):
        if len(cleaned) > HTML_CHARACTERS:
            break
        before, cleaned = cleaned, _CLEANER.clean(cap_nesting(cleaned))
        if cleaned == before:
            return cleaned
    return _as_plain(html)


def _as_plain(html: str) -> str:
    text = html_to_text(html).strip()
    return f"<div>{escape(text[: HTML_CHARACTERS // 6], quote=False)}</div>"
