"""What templates may use: times in words, text made safe HTML, icons inlined, addresses of our own assets."""

import hashlib
import re
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from datetime import datetime
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from flask import Flask, url_for
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict
from markupsafe import Markup, escape

from helpdesk import clock, paths
from helpdesk.addresses import CONTROL
from helpdesk.pictures import as_markdown, in_html, in_words

_MARKDOWN = MarkdownIt("commonmark", {"html": False, "linkify": True, "breaks": True}).enable("linkify")
_WEB_ADDRESS = re.compile(r"https?://[^\s<>\"'`]{1,2000}")
_EMPTY_LINES = re.compile(r"\n{2,}")
_RE = re.compile(r"^(?:(?:re|aw|antw|sv|vs|odp)(?:\[\d{1,3}\])?:[ ]?){1,9}", re.IGNORECASE)
_TRAILING = ".,;:!?)]}\u2019\u201d\u00bb"
_PLACE = 2147483646
SAFE_REL = "noopener noreferrer nofollow"


def init_app(app: Flask) -> None:
    """Give the templates their filters and globals."""
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update(
        ago=ago, moment=moment, day=day, isotime=isotime, text=as_html, markdown=markdown, size=size, quoted=quoted,
        initials=initials, words=words, one_line=one_line, when=when,
        without_re=without_re, without_pictures=in_words,
    )  # fmt: skip
    app.jinja_env.globals.update(icon=icon, asset=asset, addresses=addresses)


def ago(then: datetime) -> str:
    """How long ago, in the shortest words: 9 min, 3 h, 5 d, then the date."""
    seconds = max(0, int((clock.now() - then).total_seconds()))
    if seconds < 60:
        return "now"
    if seconds < 3600:
        return f"{seconds // 60} min"
    if seconds < 86400:
        return f"{seconds // 3600} h"
    return f"{seconds // 86400} d" if seconds < 86400 * 30 else then.strftime("%-d %b %Y")


def moment(then: datetime, timezone: str = "UTC") -> str:
    """Date and time written out for people: 23 November 2026 at 09:12."""
    return then.astimezone(_zone(timezone)).strftime("%-d %B %Y at %H:%M")


def day(then: datetime, timezone: str = "UTC") -> str:
    """The date written out: 23 November 2026."""
    return then.astimezone(_zone(timezone)).strftime("%-d %B %Y")


def when(then: datetime, timezone: str = "UTC") -> Markup:
    """How long ago, as a <time> that says the whole date when it is pointed at."""
    return Markup(f'<time datetime="{isotime(then)}" title="{moment(then, timezone)}">{ago(then)}</time>')  # noqa: S704


def isotime(then: datetime) -> str:
    """For the datetime attribute of <time>."""
    return then.isoformat(timespec="seconds")


def as_html(text: str, pictures: Mapping[str, str] | None = None) -> Markup:
    """Plain text as paragraphs with line breaks; only http and https addresses become links, and only files that
    `pictures` knows the address of become pictures.
    """
    paragraphs = _EMPTY_LINES.split(text.strip().replace("\r\n", "\n"))
    parts = (_linked(part).replace("\n", "<br>\n") for part in paragraphs if part.strip())
    html = "\n".join(f"<p>{part}</p>" for part in parts)
    return Markup(in_html(html, pictures) if pictures else html)  # noqa: S704 every part is escaped


def markdown(text: str, pictures: Mapping[str, str] | None = None) -> Markup:
    """Markdown by our own people as HTML; raw HTML in it stays text. With `pictures`, addresses by the name of a file,
    these alone are shown, and any other picture is a link to it.
    """
    html = _MARKDOWN.render(as_markdown(text, pictures or ()), {"pictures": pictures})
    return Markup(html.replace("<a href=", f'<a rel="{SAFE_REL}" href='))  # noqa: S704 the renderer escapes all HTML


def quoted(text: str) -> str:
    """Each line behind `> `, as mail quotes (RFC 3676 §4.5)."""
    return "\n".join(f"> {line}" if line and not line.startswith(">") else f">{line}" for line in text.splitlines())


def size(count: int) -> str:
    """Bytes in a unit people read."""
    if count < 1024:
        return f"{count} bytes"
    return f"{count / 1024:.0f} kB" if count < 1024 * 1024 else f"{count / 1024 / 1024:.1f} MB"


def initials(name: str) -> str:
    """One or two letters that stand for a name."""
    parts = [part for part in re.split(r"[\s@._-]+", name) if part]
    return "".join(part[0] for part in (parts[:1] + parts[-1:] if len(parts) > 1 else parts)).upper()[:2] or "?"


def one_line(text: str) -> str:
    """Text for a header: no line break, no control character."""
    return " ".join(CONTROL.sub(" ", text).split())


def without_re(subject: str) -> str:
    """A subject without the Re: that mail programs put before it."""
    return _RE.sub("", subject)


def words(value: str) -> str:
    """An enum value as people write it: no_action becomes “no action”."""
    return value.replace("_", " ")


@lru_cache(maxsize=512)
def icon(name: str, label: str = "") -> Markup:
    """A Bootstrap icon as inline SVG; without a label it is decoration."""
    body = _icons()[name]
    spoken = Markup('role="img" aria-label="{}"').format(label) if label else Markup('aria-hidden="true"')
    return Markup('<svg class="icon" viewBox="0 0 16 16" fill="currentColor" {}>{}</svg>').format(spoken, body)


def addresses(endpoint: str, part: str, **values: Any) -> Callable[[int], str]:
    """A function from the number that varies (`part` of the route) to the address; for long lists, where it is fast."""
    before, _, after = url_for(endpoint, **(values | {part: _PLACE})).partition(str(_PLACE))
    return lambda number: f"{before}{number}{after}"


def asset(name: str) -> str:
    """The address of one of our static files, with its content's hash so that it may be cached for ever."""
    return url_for("static", filename=name, v=_digest(name))


def _picture(
    self: RendererHTML, tokens: Sequence[Token], place: int, options: OptionsDict, env: MutableMapping[str, Any]
) -> str:
    """A picture that is sent along, with its address there; what lies elsewhere would tell who reads the mail."""
    token, pictures = tokens[place], env.get("pictures")
    source = str(token.attrGet("src") or "")
    if pictures is None:
        return self.image(tokens, place, options, env)
    if unquote(source) in pictures:
        token.attrs = {"src": pictures[unquote(source)], "alt": "", "style": "max-width:100%;height:auto"}
        return self.image(tokens, place, options, env)
    words = self.renderInlineAsText(token.children or [], options, env) or unquote(source)
    return Markup('<a href="{}">{}</a>').format(source, words)


_MARKDOWN.add_render_rule("image", _picture)


def _linked(text: str) -> str:
    """Escaped text with its addresses as links; a plain string, because joining thousands of Markups takes its time."""
    if "://" not in text:
        return str(escape(text))
    parts, end = [], 0
    for match in _WEB_ADDRESS.finditer(text):
        address = match.group().rstrip(_TRAILING)
        link = Markup('<a href="{0}" rel="{1}">{0}</a>').format(address, SAFE_REL)
        parts += [escape(text[end : match.start()]), link]
        end = match.start() + len(address)
    return "".join([*parts, escape(text[end:])])


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")


@cache
def _icons() -> dict[str, Markup]:
    sprite = files("flask_bootstrap").joinpath("static/bootstrap5/icons/bootstrap-icons.svg").read_text()
    symbols = re.findall(r'<symbol[^>]* id="([\w-]+)"[^>]*>(.*?)</symbol>', sprite, re.DOTALL)
    return {name: Markup(body) for name, body in symbols}  # noqa: S704 a file of an installed package


@cache
def _digest(name: str) -> str:
    return hashlib.sha256((paths.static() / name).read_bytes()).hexdigest()[:12]
