"""HTML of a mail as plain text, its quotations as lines that begin with ">"."""

import re

import nh3
from inscriptis import get_text  # type: ignore[import-untyped]
from inscriptis.css_profiles import CSS_PROFILES  # type: ignore[import-untyped]
from inscriptis.model.config import ParserConfig  # type: ignore[import-untyped]

from helpdesk.inbound.charsets import scrub
from helpdesk.inbound.nesting import cap_nesting, without_embedded

HTML_CHARACTERS = 1_000_000

_KEPT_TAGS = "p br div blockquote ul ol li h1 h2 h3 h4 h5 h6 pre hr table tr td th"
# Each stands on lines of its own, as a div does; dropped, their words would run together.
_BLOCK_TAGS = """
    address article aside button caption center dd details dir dl dt fieldset figcaption figure footer form header
    label legend main marquee menu nav optgroup option section summary textarea
"""
_BLOCKS = _BLOCK_TAGS.split()
_FLAT_TAGS = {*_KEPT_TAGS.split(), *_BLOCKS}
_DROPPED_WITH_TEXT = {"script", "style", "title", "template", "noscript"}
_OPEN_QUOTE, _CLOSE_QUOTE = "\ue002", "\ue003"
_CLEAN_TAGS = re.compile(rf"</?(?:blockquote|table|t[rdh]|hr|{'|'.join(_BLOCKS)})>")
# A table is laid out as rows, not padded to columns: one wide cell would multiply every line.
_AS_BLOCKS = {
    "<blockquote>": f"<div>{_OPEN_QUOTE}</div><div>",
    "</blockquote>": f"</div><div>{_CLOSE_QUOTE}</div>",
    "<table>": "<div>",
    "</table>": "</div>",
    "<tr>": "<div>",
    "</tr>": "</div>",
    "<td>": "",
    "</td>": " ",
    "<th>": "",
    "</th>": " ",
    "<hr>": "<div></div>",
    "</hr>": "",
    **{f"<{name}>": "<div>" for name in _BLOCKS},
    **{f"</{name}>": "</div>" for name in _BLOCKS},
}
_BLANK_LINES = re.compile(r"\n{4,}")


def html_to_text(html: str) -> str:
    """Readable plain text of an HTML body; at most the first million characters are read."""
    flat = nh3.clean(
        cap_nesting(_without_marks(without_embedded(html)[:HTML_CHARACTERS])),
        tags=_FLAT_TAGS,
        clean_content_tags=_DROPPED_WITH_TEXT,
        attributes={},
    )
    blocks = _CLEAN_TAGS.sub(lambda tag: _AS_BLOCKS[tag.group()], flat)
    text = scrub(get_text(blocks, ParserConfig(css=CSS_PROFILES["strict"]))).replace("\xa0", " ")
    return _BLANK_LINES.sub("\n\n\n", "\n".join(_quoted_lines(text))).strip("\n")


def _without_marks(html: str) -> str:
    return html.replace(_OPEN_QUOTE, "").replace(_CLOSE_QUOTE, "")


def _quoted_lines(text: str) -> list[str]:
    lines: list[str] = []
    depth, is_first = 0, False
    for line in text.split("\n"):
        mark = line.strip()
        if mark == _OPEN_QUOTE:
            depth += 1
            is_first = True
        elif mark == _CLOSE_QUOTE:
            while depth and lines and not lines[-1].strip("> "):
                lines.pop()
            depth = max(0, depth - 1)
        elif is_first and not mark:
            continue
        else:
            bare = line.replace(_OPEN_QUOTE, "").replace(_CLOSE_QUOTE, "").rstrip()
            is_first = False
            lines.append(f"{'>' * min(depth, 20)} {bare}".rstrip() if depth else bare)
    return lines
