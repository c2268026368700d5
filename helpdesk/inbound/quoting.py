"""A mail's text in three spans: what is new, the signature, and what is quoted. When in doubt, new."""

from dataclasses import dataclass

from helpdesk.inbound import quote_marks
from helpdesk.inbound.quoting_html import quoted_lines_of
from helpdesk.inbound.signatures import signature_lines

MARKED_LINES = 2_000
MARKED_CHARACTERS = 200_000
BLOCK_LINES = 12


@dataclass(frozen=True)
class Spans:
    """The text in three parts that together hold each of its lines."""

    new: str
    signature: str
    quoted: str


def split(text: str, html: str | None, *, subject: str = "") -> Spans:
    """Tell the new text from the signature and the quoted mail.

    `html` is the mail's HTML twin, whose structure shows what clients quoted. `subject` tells a forwarded
    mail, which is the message and not a quotation. Text above and between quotations keeps them; `new` is
    never empty when `text` is not. Linear in the length of the text.
    """
    lines = text.split("\n")
    quoted = _quoted(lines, html, is_forward=_is_forward(subject))
    signed = signature_lines(lines, quoted)
    folded = _folded(lines, quoted, signed)
    signed = {i for i in signed if i not in folded}
    return Spans(
        new=_joined(lines, [i for i in range(len(lines)) if i not in folded and i not in signed]),
        signature=_joined(lines, sorted(signed)),
        quoted=_joined(lines, sorted(folded)),
    )


def _is_forward(subject: str) -> bool:
    prefix = subject.strip().lower()[:8].partition(":")
    return bool(prefix[1]) and prefix[0].strip() in {
        "fw",
        "fwd",
        "wg",
        "tr",
        "rv",
        "enc",
        "i",
        "vs",
        "vb",
        "doorst",
    }


def _quoted(lines: list[str], html: str | None, *, is_forward: bool) -> set[int]:
    """The lines that quote an earlier mail, wherever they stand."""
    looked_at = _looked_at(lines)
    forward = next((i for i in range(looked_at) if quote_marks.is_forward_mark(lines[i])), len(lines))
    marked = {i for i in range(len(lines)) if quote_marks.is_prefixed(lines[i])}
    marked |= _attributions(lines[:looked_at], marked)
    tail = None if is_forward else _tail(lines[: min(looked_at, forward)])
    if tail is not None and _has_text(lines, set(range(tail)) - marked):
        return marked | set(range(tail, len(lines)))
    if not is_forward:
        marked |= quoted_lines_of(html, lines)
    return {i for i in marked if i < forward}


def _looked_at(lines: list[str]) -> int:
    characters = 0
    for number, line in enumerate(lines[:MARKED_LINES]):
        characters += len(line)
        if characters > MARKED_CHARACTERS:
            return number
    return min(len(lines), MARKED_LINES)


def _attributions(lines: list[str], prefixed: set[int]) -> set[int]:
    """Attribution lines that stand directly above ">" lines."""
    found: set[int] = set()
    for last, line in enumerate(lines):
        if last not in prefixed and quote_marks.may_end_attribution(line):
            following = _next_filled(lines, last)
            if following in prefixed:
                first = _attribution_start(lines, last, before_prefixed=True)
                found |= set(range(last if first is None else first, following)) if first is not None else set()
    return found


def _next_filled(lines: list[str], number: int) -> int:
    following = number + 1
    while following < min(len(lines), number + 4) and not lines[following].strip():
        following += 1
    return following


def _attribution_start(lines: list[str], last: int, *, before_prefixed: bool) -> int | None:
    """The first line of the attribution that ends with line `last`, or None."""
    for first in range(last, max(-1, last - quote_marks.ATTRIBUTION_LINES), -1):
        if not lines[first].strip():
            return None
        if quote_marks.is_attribution(" ".join(lines[first : last + 1]), before_prefixed=before_prefixed):
            return _extended_upwards(lines, first, last)
    return None


def _extended_upwards(lines: list[str], first: int, last: int) -> int:
    for above in range(first - 1, max(-1, last - quote_marks.ATTRIBUTION_LINES), -1):
        if not lines[above].strip() or quote_marks.may_begin_attribution(lines[first]):
            return first
        if quote_marks.may_begin_attribution(lines[above]):
            return above
    return first


def _tail(lines: list[str]) -> int | None:
    """Where an unprefixed quotation begins that runs to the end of the mail, or None."""
    for number, line in enumerate(lines):
        if not line.strip() or quote_marks.is_prefixed(line):
            continue
        if quote_marks.is_separator(line) or _is_header_block(lines, number):
            return _with_rule_above(lines, number)
        if quote_marks.may_end_attribution(line) and _next_filled(lines, number) < len(lines):
            first = _unprefixed_attribution(lines, number)
            if first is not None:
                return first
    return None


def _unprefixed_attribution(lines: list[str], last: int) -> int | None:
    if quote_marks.is_prefixed(lines[_next_filled(lines, last)]):
        return None
    return _attribution_start(lines, last, before_prefixed=False)


def _is_header_block(lines: list[str], start: int) -> bool:
    """Three labels such as From, Sent, To, Subject below each other, or From with a date or subject."""
    first = quote_marks.header_kind(lines[start])
    if first not in ("from", "sent", "subject"):
        return False
    kinds, strangers = {first}, 0
    for line in lines[start + 1 : start + BLOCK_LINES]:
        kind = quote_marks.header_kind(line)
        strangers = 0 if kind else strangers + 1
        if strangers > 1:
            break
        kinds |= {kind} if kind else set()
    return len(kinds) >= 3 or ("from" in kinds and bool(kinds & {"sent", "subject"}))


def _with_rule_above(lines: list[str], number: int) -> int:
    above = number - 1
    while above >= 0 and number - above <= 3 and not lines[above].strip():
        above -= 1
    is_mark = above >= 0 and (quote_marks.is_rule(lines[above]) or quote_marks.is_separator(lines[above]))
    return above if is_mark else number


def _folded(lines: list[str], quoted: set[int], signed: set[int]) -> set[int]:
    """The quoted lines to fold: below the last new text, or one attributed quotation above all of it.

    Quotations between new text are answered inline and stay.
    """
    filled = [i for i, line in enumerate(lines) if line.strip()]
    new = [i for i in filled if i not in quoted and i not in signed]
    if not new:
        return set()
    trailing = {i for i in quoted if i > new[-1]}
    leading = {i for i in quoted if i < new[-1]}
    if leading and max(leading) < new[0] and _is_whole_mail(lines, leading):
        return trailing | leading
    return trailing


def _is_whole_mail(lines: list[str], leading: set[int]) -> bool:
    first = next((i for i in sorted(leading) if lines[i].strip()), None)
    return first is not None and not quote_marks.is_prefixed(lines[first])


def _has_text(lines: list[str], numbers: set[int]) -> bool:
    return any(lines[i].strip() for i in numbers)


def _joined(lines: list[str], numbers: list[int]) -> str:
    return "\n".join(lines[i] for i in numbers).strip("\n")
