"""What mail clients wrap around a quoted mail in HTML, found there and carried over to the text."""

import re
from dataclasses import dataclass

import lxml.html  # type: ignore[import-untyped]
from lxml import etree

from helpdesk.inbound import quote_clients
from helpdesk.inbound.html_text import HTML_CHARACTERS, html_to_text
from helpdesk.inbound.nesting import cap_nesting, without_embedded
from helpdesk.inbound.quote_marks import is_forward_mark

KEY_CHARACTERS = 40
KEY_LEAST = 12

_BEGIN, _END = "\ue004", "\ue005"
_SIGNED, _UNSIGNED = "\ue006", "\ue007"
_NOT_WORD = re.compile(r"[\W_]+")
_PRIVATE = re.compile("[\ue004-\ue007]")


@dataclass(frozen=True)
class MarkedLines:
    """The numbers of the lines that the HTML twin shows as quoted, and as signature."""

    quoted: set[int]
    signed: set[int]


def marked_lines_of(html: str | None, lines: list[str]) -> MarkedLines:
    """What the HTML twin of the text's `lines` marks; nothing when it marks nothing or says something else."""
    if not html or not html.strip():
        return MarkedLines(set(), set())
    marked = _marked_text(html)
    if _BEGIN not in marked and _SIGNED not in marked:
        return MarkedLines(set(), set())
    twin, quoted, signed = _read_marks(marked)
    filled = [i for i, line in enumerate(lines) if line.strip()]
    if [_key(line) for line in twin] == [_key(lines[i]) for i in filled[: len(twin)]]:
        return MarkedLines(_with_blanks_between(filled, quoted), {filled[i] for i in signed})
    return MarkedLines(_found_again(lines, filled, twin, quoted), _signature_again(lines, filled, twin, signed))


def _marked_text(html: str) -> str:
    """The HTML as text, quotations and signatures between private characters."""
    capped = cap_nesting(_PRIVATE.sub("", without_embedded(html)[:HTML_CHARACTERS]))
    try:
        document = lxml.html.document_fromstring(capped)
    except (etree.ParserError, ValueError):
        return ""
    starter_seen = False
    for element in list(document.iter(etree.Element)):
        if _is_wrapper(element):
            _mark(element, _BEGIN, _END)
        elif _is_named(
            element, quote_clients.SIGNATURE_CLASSES, quote_clients.SIGNATURE_IDS, quote_clients.SIGNATURE_NAMES
        ):
            _mark(element, _SIGNED, _UNSIGNED)
        elif not starter_seen and _is_starter(element):
            starter_seen = True
            _insert_before(element, _BEGIN)
    return html_to_text(lxml.html.tostring(document, encoding="unicode"))


def _is_named(
    element: etree._Element, classes: frozenset[str], ids: frozenset[str], names: frozenset[str] = frozenset()
) -> bool:
    """Whether a class, id or name is one of those, also as other mail programs rename them in what they quote."""
    own = (quote_clients.FOREIGN_PREFIX.sub("", word, count=1) for word in (element.get("class") or "")[:500].split())
    return (
        any(word in classes for word in own)
        or quote_clients.FOREIGN_PREFIX.sub("", (element.get("id") or "")[:100], count=1) in ids
        or (element.get("name") or "") in names
    )


def _is_wrapper(element: etree._Element) -> bool:
    if element.tag == "blockquote" and (element.get("type") or "").lower() == "cite":
        return True
    identifier = element.get("id") or ""
    named = (
        _is_named(element, quote_clients.WRAPPER_CLASSES, quote_clients.WRAPPER_IDS, quote_clients.WRAPPER_NAMES)
        or "yahoo_quoted" in identifier[:60]
    )
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
    return _is_named(element, frozenset(), quote_clients.STARTER_IDS) or bool(
        quote_clients.OUTLOOK_BORDER.search(style[:500])
    )


def _mark(element: etree._Element, begin: str, end: str) -> None:
    if element.getparent() is None:
        return
    _insert_before(element, begin)
    after = etree.Element("p")
    after.text, after.tail = end, element.tail
    element.tail = None
    element.addnext(after)


def _insert_before(element: etree._Element, mark: str) -> None:
    before = etree.Element("p")
    before.text = mark
    element.addprevious(before)


def _read_marks(marked: str) -> tuple[list[str], set[int], set[int]]:
    """The filled lines without the marks, which of them are quoted, and which sign; forwarded text is neither."""
    twin: list[str] = []
    quoted: set[int] = set()
    signed: set[int] = set()
    depth = signing = 0
    for line in marked.split("\n"):
        depth = max(0, depth + line.count(_BEGIN) - line.count(_END))
        signing = max(0, signing + line.count(_SIGNED) - line.count(_UNSIGNED))
        bare = _PRIVATE.sub("", line)
        if not bare.strip(" >"):
            continue
        if is_forward_mark(bare):
            break
        if depth:
            quoted.add(len(twin))
        elif signing:
            signed.add(len(twin))
        twin.append(bare)
    return twin, quoted, signed


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


def _signature_again(lines: list[str], filled: list[int], twin: list[str], signed: set[int]) -> set[int]:
    """Where the signature of the HTML stands in a text that was written apart from it: the same lines, once each."""
    wanted = {_key(twin[number]) for number in signed} - {""}
    found = [i for i in filled if _key(lines[i]) in wanted]
    return set(found) if len(found) == len(wanted) == len(signed) else set()


def _key(text: str) -> str:
    return _NOT_WORD.sub("", text[:1000]).lower()
