"""What mail clients wrap around a quoted mail in HTML, found there and carried over to the text."""

import re

import lxml.html  # type: ignore[import-untyped]
from lxml import etree

from helpdesk.inbound.html_text import HTML_CHARACTERS, html_to_text
from helpdesk.inbound.nesting import cap_nesting, without_embedded
from helpdesk.inbound.quote_marks import is_forward_mark

QUOTE_CLASS = "helpdesk-quote"
KEY_CHARACTERS = 40
KEY_LEAST = 12

_BEGIN, _END = "\ue004", "\ue005"
_WRAPPER_CLASSES = frozenset(
    f"{QUOTE_CLASS} gmail_quote moz-cite-prefix yahoo_quoted protonmail_quote zmail_extra tutanota_quote"
    " gmail_extra hs_reply front-blockquote".split()
)
_WRAPPER_IDS = frozenset(["OLK_SRC_BODY_SECTION", "mail-editor-reference-message-container"])
# From these on, everything is the earlier mail.
_STARTER_IDS = frozenset(["divRplyFwdMsg", "appendonsend", "x_divRplyFwdMsg", "x_appendonsend", "reply-intro"])
_OUTLOOK_BORDER = re.compile(
    r"border:none;border-top:solid #(?:b5c4df|e1e1e1) 1\.0pt|border-top:1px solid #(?:b5c4df|e1e1e1)"
)
_NOT_WORD = re.compile(r"[\W_]+")


def quoted_lines_of(html: str | None, lines: list[str]) -> set[int]:
    """The numbers of the text's `lines` that the HTML twin shows as quoted; empty when it shows none."""
    if not html or not html.strip():
        return set()
    marked = _marked_text(html)
    if _BEGIN not in marked:
        return set()
    twin, quoted = _read_marks(marked)
    filled = [i for i, line in enumerate(lines) if line.strip()]
    if [_key(line) for line in twin] == [_key(lines[i]) for i in filled]:
        return _with_blanks_between(filled, quoted)
    return _found_again(lines, filled, twin, quoted)


def _marked_text(html: str) -> str:
    """The HTML as text, the quotations between private characters."""
    capped = cap_nesting(without_embedded(html)[:HTML_CHARACTERS].replace(_BEGIN, "").replace(_END, ""))
    try:
        document = lxml.html.document_fromstring(capped)
    except (etree.ParserError, ValueError):
        return ""
    starter_seen = False
    for element in list(document.iter(etree.Element)):
        if _is_wrapper(element):
            _mark(element)
        elif not starter_seen and _is_starter(element):
            starter_seen = True
            _insert_before(element, _BEGIN)
    return html_to_text(lxml.html.tostring(document, encoding="unicode"))


def _is_wrapper(element: etree._Element) -> bool:
    classes = (element.get("class") or "").split()
    if element.tag == "blockquote" and element.get("type") == "cite":
        return True
    named = bool(_WRAPPER_CLASSES.intersection(classes)) or element.get("id") in _WRAPPER_IDS
    return named and not _is_answered_inside(element)


def _is_answered_inside(wrapper: etree._Element) -> bool:
    """Whether text of the answer stands between or below the quotations inside their wrapper."""
    depth, seen = 0, False
    for event, element in etree.iterwalk(wrapper, events=("start", "end")):
        text = element.text if event == "start" else element.tail
        if element.tag == "blockquote":
            depth += 1 if event == "start" else -1
            seen = True
            text = element.tail if event == "end" else None
        if seen and depth == 0 and (event == "start" or element is not wrapper) and (text or "").strip():
            return True
    return False


def _is_starter(element: etree._Element) -> bool:
    style = (element.get("style") or "").lower().replace("; ", ";").replace(": ", ":")
    return element.get("id") in _STARTER_IDS or bool(_OUTLOOK_BORDER.search(style[:500]))


def _mark(element: etree._Element) -> None:
    if element.getparent() is None:
        return
    _insert_before(element, _BEGIN)
    after = etree.Element("p")
    after.text, after.tail = _END, element.tail
    element.tail = None
    element.addnext(after)


def _insert_before(element: etree._Element, mark: str) -> None:
    before = etree.Element("p")
    before.text = mark
    element.addprevious(before)


def _read_marks(marked: str) -> tuple[list[str], set[int]]:
    """The filled lines without the marks, and which of them are quoted; forwarded text is not."""
    twin: list[str] = []
    quoted: set[int] = set()
    depth = 0
    for line in marked.split("\n"):
        depth = max(0, depth + line.count(_BEGIN) - line.count(_END))
        bare = line.replace(_BEGIN, "").replace(_END, "")
        if not bare.strip(" >"):
            continue
        if is_forward_mark(bare):
            return twin, quoted
        if depth:
            quoted.add(len(twin))
        twin.append(bare)
    return twin, quoted


def _with_blanks_between(filled: list[int], quoted: set[int]) -> set[int]:
    found = {filled[number] for number in quoted}
    for number in quoted:
        if number + 1 in quoted:
            found |= set(range(filled[number], filled[number + 1]))
    return found


def _found_again(lines: list[str], filled: list[int], twin: list[str], quoted: set[int]) -> set[int]:
    """Where the last quotation of the HTML begins in a text that was written apart from it."""
    if not quoted or max(quoted) != len(twin) - 1:
        return set()
    start = max(quoted)
    while start - 1 in quoted:
        start -= 1
    wanted = _key(" ".join(twin[start : start + 4]))[:KEY_CHARACTERS]
    places = [
        number
        for number in range(len(filled))
        if _key(" ".join(lines[i] for i in filled[number : number + 4])).startswith(wanted)
    ]
    if len(wanted) < KEY_LEAST or len(places) != 1:
        return set()
    return set(range(filled[places[0]], len(lines)))


def _key(text: str) -> str:
    return _NOT_WORD.sub("", text[:1000]).lower()
