"""The body of a mail and the files beside it, found by walking its parts once."""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from email import policy
from html import escape

from helpdesk.file_names import name_of, safe_name
from helpdesk.inbound.charsets import decode, detect
from helpdesk.inbound.headers import decode_header, read_parameters
from helpdesk.inbound.html_text import html_to_text
from helpdesk.inbound.mime import BoundedMessage
from helpdesk.inbound.transfer import decode_part, decode_transferred
from helpdesk.inbound.uuencoded import take_files

# A text longer than any book; the raw mail keeps what is cut.
TEXT_CHARACTERS = 1_000_000

_META_CHARSET = re.compile(rb"<meta[^>]{0,200}charset\s?=\s?[\"']?([A-Za-z0-9_.:-]{1,40})", re.IGNORECASE)
_VIEW_IN_HTML = re.compile(r"\bhtml\b|\bbrowser\b", re.IGNORECASE)
_VIEW_IN_HTML_WORDS = 45
_TEASED = 4  # times the words of a stub that the HTML beside it says more of
_TWIN = 0.9
_WITHOUT_SEMICOLON = re.compile(r"([^;,:\s]{1,100})[\s,:]{1,9}(?=charset)", re.IGNORECASE)
_TEXT_FILES = frozenset({"text/calendar", "text/csv", "text/rfc822-headers", "text/rtf", "text/vcard", "text/x-vcard"})
_FILE_NAME = re.compile(r"[\w-]{1,60}\.(?:png|jpe?g|gif|bmp|tiff?|webp|svg|pdf|html?|txt)", re.IGNORECASE)
_PATH_MARK = re.compile(r"[/\\]")
_HEADER_LINE = re.compile(rb"\s{0,9}[!-9;-~]{1,76}:[ \t]")
_QUOTED_PRINTABLE = re.compile(rb"=3D|=\n")
HEAD_BYTES = 65_536
_UNKNOWN_TYPE = "application/octet-stream"
_LINE_ENDS = re.compile(r"\r\n?")


@dataclass(frozen=True)
class Part:
    """A file in a mail: its safe name, the type the sender claims, and its decoded bytes."""

    name: str
    media_type: str
    content: bytes
    content_id: str | None
    inline: bool


@dataclass(frozen=True)
class Body:
    """What a mail says: the best plain text, the raw HTML if there is any, and the files."""

    text: str
    html: str | None
    attachments: tuple[Part, ...]


@dataclass(frozen=True)
class _Segment:
    plain: str = ""
    html: str = ""


def read_body(message: BoundedMessage, charset: str | None = None) -> Body:
    """Walk the parts: text to read, files to keep. Attached mails stay whole and never become the body."""
    attachments: list[Part] = []
    segments = _with_twins(_walk(message, attachments, charset, is_root=True))
    text = "\n\n".join(filter(None, (_best_text(segment).strip("\n") for segment in segments)))
    return Body(text, _whole_html(segments), tuple(attachments))


def first_text_charset(message: BoundedMessage) -> str | None:
    """The charset of the first text part, as it says or as its bytes do: the best guess for raw 8-bit headers."""
    for part in message.walk():
        if part.get_content_maintype() == "text":
            return read_parameters(raw_header(part, "Content-Type")).get("charset") or detect(decode_part(part))
    return None


def raw_header(part: BoundedMessage, name: str) -> str:
    """The first header of that name as the parser kept it, or nothing."""
    wanted = name.lower()
    return next((value for key, value in part.raw_items() if key.lower() == wanted), "")


def _walk(
    part: BoundedMessage, attachments: list[Part], charset: str | None, *, is_root: bool = False
) -> list[_Segment]:
    if part.get_content_maintype() == "multipart" and part.is_multipart():
        first = part.children[:1]
        found = [_walk(child, attachments, charset, is_root=[child] == first) for child in part.children]
        if part.get_content_subtype() == "alternative":
            return [_best_alternative(found)]
        return [segment for segments in found for segment in segments]
    if _is_body(part, is_root=is_root):
        return [_without_files(_segment(part, charset), attachments)]
    if not _is_redundant(part):
        attachments.append(_attachment(part, charset))
    return []


def _without_files(segment: _Segment, attachments: list[Part]) -> _Segment:
    plain, files = take_files(segment.plain)
    for name, content in files:
        attachments.append(Part(safe_name(name, _UNKNOWN_TYPE), _UNKNOWN_TYPE, content, None, inline=False))
    return _Segment(plain, segment.html)


def _best_alternative(found: list[list[_Segment]]) -> _Segment:
    plains = ["\n\n".join(filter(None, (s.plain for s in segments))) for segments in found]
    htmls = ["\n".join(filter(None, (s.html for s in segments))) for segments in found]
    return _Segment("\n\n".join(_distinct(plains, str)), "\n".join(_distinct(htmls, html_to_text)))


def _distinct(texts: list[str], words_of: Callable[[str], str]) -> list[str]:
    """The texts that do not say again what one before says: alternatives of one kind that differ are all shown."""
    kept: list[str] = []
    for text in filter(None, texts):
        if all(_shared(words_of(text), words_of(other)) < _TWIN for other in kept):
            kept.append(text)
    return kept


def _with_twins(segments: list[_Segment]) -> list[_Segment]:
    """The same segments, a text and the HTML next to it that says the same as one."""
    kept: list[_Segment] = []
    for segment in segments:
        last = kept[-1] if kept else _Segment()
        if bool(last.plain) != bool(last.html) and bool(segment.plain) == bool(last.html) != bool(segment.html):
            both = _Segment(last.plain or segment.plain, last.html or segment.html)
            if _shared(both.plain, html_to_text(both.html)) >= _TWIN:
                kept[-1] = both
                continue
        kept.append(segment)
    return kept


def _shared(one: str, other: str) -> float:
    """How much of the words of the longer text are those of the other, from 0 to 1."""
    ours, theirs = Counter(one.split()), Counter(other.split())
    return (ours & theirs).total() / max(ours.total(), theirs.total(), 1)


def _is_body(part: BoundedMessage, *, is_root: bool) -> bool:
    media_type = part.get_content_type()
    if media_type.startswith("multipart/"):
        return True  # a multipart whose boundary never comes: show what is there
    if media_type == "text/plain" and _is_of_unknown_type(part):
        return False
    if part.depth == 1 and media_type.startswith("text/") and media_type not in _TEXT_FILES:
        return _disposition(part) != "attachment" and (media_type in ("text/plain", "text/html") or not _name(part))
    if is_root and media_type in ("text/plain", "text/html"):
        return _disposition(part) != "attachment" and not _names_file(part)
    return media_type in ("text/plain", "text/html") and _disposition(part) != "attachment" and not _name(part)


def _is_of_unknown_type(part: BoundedMessage) -> bool:
    """Whether the part is a file whose type is written without its slash, for which the parser takes it as text."""
    written = raw_header(part, "Content-Type").partition(";")[0].strip().lower()
    return bool(written) and "/" not in written and not written.startswith("text") and bool(_name(part))


def _names_file(part: BoundedMessage) -> bool:
    return bool(read_parameters(";" + raw_header(part, "Content-Disposition")).get("filename"))


def _is_redundant(part: BoundedMessage) -> bool:
    return part.get_content_type() in ("text/x-amp-html", "text/watch-html")


def _segment(part: BoundedMessage, charset: str | None) -> _Segment:
    parameters = read_parameters(_WITHOUT_SEMICOLON.sub(r"\1;", raw_header(part, "Content-Type"), count=1))
    data = decode_part(part)
    declared = parameters.get("charset") or charset
    if part.get_content_type() == "text/html":
        meta = _META_CHARSET.search(data[:2000])
        declared = parameters.get("charset") or (meta[1].decode("ascii") if meta else None)
        return _Segment(html=_unix_lines(decode(data, declared)))
    text = _unix_lines(decode(data, declared)[:TEXT_CHARACTERS])
    if parameters.get("format", "").lower() == "flowed":
        text = unflow(text, joins_words=parameters.get("delsp", "").lower() == "yes")
    return _Segment(plain="\n".join(line.rstrip() for line in text.split("\n")).strip("\n"))


def unflow(text: str, *, joins_words: bool) -> str:
    """Join the soft line breaks of format=flowed (RFC 3676); `joins_words` is its DelSp=yes."""
    lines: list[str] = []
    flowing_depth = -1
    for line in text.split("\n"):
        content = line.lstrip(">")
        depth = len(line) - len(content)
        content = content.removeprefix(" ")
        flows = content.endswith(" ") and content != "-- "
        piece = content[:-1] if flows and joins_words else content
        if flowing_depth == depth and content != "-- ":
            lines[-1] += piece
        else:
            lines.append(f"{'>' * depth} {piece}" if depth else piece)
        flowing_depth = depth if flows else -1
    return "\n".join(lines)


def _unix_lines(text: str) -> str:
    return _LINE_ENDS.sub("\n", text)


def _best_text(segment: _Segment) -> str:
    if not segment.html:
        return segment.plain
    is_long = len(segment.plain) >= 400 or len(segment.plain.split()) > _VIEW_IN_HTML_WORDS
    if segment.plain.strip() and is_long:
        return segment.plain
    text = html_to_text(segment.html)
    if segment.plain.strip() and not _VIEW_IN_HTML.search(segment.plain) and not _is_stub_of(segment.plain, text):
        return segment.plain
    return text or segment.plain


def _is_stub_of(plain: str, text: str) -> bool:
    """Whether the few words say only that the HTML beside them says something else, and more of it."""
    words, all_words = plain.lower().split(), text.lower().split()
    theirs = set(all_words)
    own = [word for word in words if word not in theirs]
    return len(all_words) >= _TEASED * len(words) + _TEASED and 2 * len(own) > len(words)


def _whole_html(segments: Iterable[_Segment]) -> str | None:
    kept = [segment for segment in segments if segment.html or segment.plain.strip()]
    if not any(segment.html for segment in kept):
        return None
    return "\n".join(segment.html or _as_html(segment.plain) for segment in kept)


def _as_html(plain: str) -> str:
    return "<div>" + escape(plain).replace("\n", "<br>\n") + "</div>"


def _disposition(part: BoundedMessage) -> str:
    return raw_header(part, "Content-Disposition").partition(";")[0].strip().lower()


def _name(part: BoundedMessage, charset: str | None = None) -> str:
    disposition = read_parameters(";" + raw_header(part, "Content-Disposition"), charset)
    content_type = read_parameters(raw_header(part, "Content-Type"), charset)
    named = disposition.get("filename") or content_type.get("name") or disposition.get("name")
    return named or content_type.get("filename") or ""


def _location(part: BoundedMessage, charset: str | None) -> str:
    """The file that Content-Location names (RFC 2557), without its folders and query."""
    return decode_header(raw_header(part, "Content-Location"), charset).partition("?")[0]


def _described(part: BoundedMessage, media_type: str, content_id: str | None, charset: str | None) -> str:
    """A name for a file without one: of the mail that it is, of the file its id was made of, or what describes it."""
    if media_type == "message/rfc822" and part.children:
        subject = decode_header(raw_header(part.children[0], "Subject"), charset)
        return name_of(_PATH_MARK.sub("-", subject), media_type)
    local = (content_id or "").partition("@")[0]
    if _FILE_NAME.fullmatch(local):
        return local
    return name_of(_PATH_MARK.sub("-", decode_header(raw_header(part, "Content-Description"), charset)), media_type)


def _attachment(part: BoundedMessage, charset: str | None) -> Part:
    media_type = part.get_content_type()
    content_id = decode_header(raw_header(part, "Content-ID")).strip("<> ") or None
    inline = _disposition(part) == "inline" or (content_id is not None and _disposition(part) != "attachment")
    named = _name(part, charset) or _location(part, charset) or _described(part, media_type, content_id, charset)
    name = safe_name(named, media_type)
    return Part(name, media_type, _content(part), content_id, inline and not media_type.startswith("message/"))


def _content(part: BoundedMessage) -> bytes:
    if not part.is_multipart():
        # What a list server appended to a file in base64 is none of the file, unless nothing else is there.
        return decode_transferred(part, part.raw_payload) or decode_part(part)
    written = part.whole if part.whole is not None else b"\n".join(_source(child) for child in part.children)
    return written if _is_bare(written) else decode_transferred(part, written)


def _is_bare(mail: bytes) -> bool:
    """True for a mail that is not encoded, whatever its part says: that is forbidden (RFC 2046 §5.2.1), and seen."""
    head = mail.replace(b"\r\n", b"\n").partition(b"\n\n")[0][:HEAD_BYTES]
    return bool(_HEADER_LINE.match(head)) and not _QUOTED_PRINTABLE.search(head)


def _source(message: BoundedMessage) -> bytes:
    if not message.keys() and message.raw_payload.strip():
        return message.raw_payload  # it is no mail, whatever its part is called
    try:
        return message.as_bytes(policy=policy.compat32)
    except (ValueError, LookupError, TypeError, AttributeError):
        # The stdlib cannot write every mail it can read; the headers and raw text are better than nothing.
        top = "".join(f"{name}: {value}\n" for name, value in message.raw_items())
        return top.encode("utf-8", "surrogateescape") + b"\n" + message.raw_payload
