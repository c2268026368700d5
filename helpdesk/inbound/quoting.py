"""A mail's text in three spans: what is new, the signature, and what is quoted. When in doubt, new."""

from dataclasses import dataclass

from helpdesk.inbound import quote_marks
from helpdesk.inbound.quote_headers import is_header_block
from helpdesk.inbound.quoting_html import marked_lines_of
from helpdesk.inbound.signatures import signature_lines

MARKED_LINES = 2_000
MARKED_CHARACTERS = 200_000
FAREWELL_LINES = 4
ESCAPED = ">From "  # what mail servers make of a line that begins with "From " (RFC 4155, appendix A)


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
    lines = _with_own_attributions(text.split("\n"))
    forward = _forward_start(lines, subject)
    twin = marked_lines_of(html, lines)
    quoted = _quoted(lines, twin.quoted, forward=forward)
    signed = signature_lines(lines[:forward], quoted, twin.signed)
    folded = _folded(lines, quoted, signed)
    signed = {i for i in signed if i not in folded}
    return Spans(
        new=_joined(lines, [i for i in range(len(lines)) if i not in folded and i not in signed]),
        signature=_joined(lines, sorted(signed)),
        quoted=_joined(lines, sorted(folded)),
    )


def _forward_start(lines: list[str], subject: str) -> int:
    """The line from which on the text is a forwarded mail, which is the message; their number when it is none."""
    looked_at = _looked_at(lines)
    mark = next((i for i in range(looked_at) if quote_marks.is_forward_mark(lines[i])), len(lines))
    if mark < len(lines) or not quote_marks.is_forward_prefix(subject):
        return mark
    return next((i for i in range(looked_at) if _may_begin_quotation(lines, i)), len(lines))


def _may_begin_quotation(lines: list[str], number: int) -> bool:
    line = lines[number]
    if quote_marks.is_prefixed(line) or quote_marks.is_separator(line) or is_header_block(lines, number):
        return True
    return (
        quote_marks.may_end_attribution(line) and _attribution_start(lines, number, before_prefixed=False) is not None
    )


def _with_own_attributions(lines: list[str]) -> list[str]:
    """The same lines, an attribution that shares its line with the answer on a line of its own."""
    own: list[str] = []
    for number, line in enumerate(lines):
        found = quote_marks.attribution_within(line) if number < MARKED_LINES else None
        if found is None:
            own.append(line)
        else:
            start, end = found
            own += [line[:start].rstrip(" -"), line[start:end], *filter(None, [line[end:].strip()])]
    return own


def _quoted(lines: list[str], in_html: set[int], *, forward: int) -> set[int]:
    """The lines that quote an earlier mail, wherever they stand."""
    looked_at = _looked_at(lines)
    marked = {i for i in range(len(lines)) if quote_marks.is_prefixed(lines[i])}
    marked -= {i for i in marked if lines[i].startswith(ESCAPED) and not {i - 1, i + 1} & marked}
    marked |= _attributions(lines[:looked_at], marked) | _broken_links(lines, marked)
    tail = _tail(lines[: min(looked_at, forward)])
    if tail is None and forward == looked_at == len(lines):
        tail = _last_attribution(lines)
    if tail is not None and _has_text(lines, set(range(tail)) - marked):
        return {i for i in marked if i < tail} | set(range(tail, len(lines)))
    return {i for i in marked | in_html if i < forward}


def _broken_links(lines: list[str], prefixed: set[int]) -> set[int]:
    """The ends of links that a client broke out of their ">" lines."""
    found = set()
    for i in range(1, len(lines) - 1):
        if i not in prefixed and i - 1 in prefixed and i + 1 in prefixed and quote_marks.is_rest_of_link(lines[i]):
            found.add(i)
    return found


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
        if last in prefixed or (following := _next_filled(lines, last)) not in prefixed:
            continue
        first = last if quote_marks.dated_line_with_address(line) else None
        if first is None and quote_marks.may_end_attribution(line):
            first = _attribution_start(lines, last, before_prefixed=True)
        found |= set() if first is None else set(range(first, following))
    return found


def _next_filled(lines: list[str], number: int) -> int:
    following = number + 1
    while following < min(len(lines), number + 4) and not lines[following].strip():
        following += 1
    return following


def _attribution_start(lines: list[str], last: int, *, before_prefixed: bool) -> int | None:
    """The first line of the attribution that ends with line `last`, or None; one with blank lines needs its start."""
    has_gap = False
    for first in range(last, max(-1, last - quote_marks.ATTRIBUTION_LINES - 2), -1):
        if not lines[first].strip():
            has_gap = True
        elif has_gap and not quote_marks.may_begin_attribution(lines[first]):
            return None
        elif quote_marks.is_attribution(" ".join(lines[first : last + 1]), before_prefixed=before_prefixed):
            return first if has_gap else _extended_upwards(lines, first, last)
    return None


def _extended_upwards(lines: list[str], first: int, last: int) -> int:
    for above in range(first - 1, max(-1, last - quote_marks.ATTRIBUTION_LINES), -1):
        if not lines[above].strip():
            return _above_gap(lines, above, first)
        if quote_marks.is_broken_attribution(lines[above], lines[first]):
            first = above
            continue
        if quote_marks.may_begin_attribution(lines[first]):
            return first
        if quote_marks.may_begin_attribution(lines[above]):
            return above
    return _with_other_half(lines, first, last)


def _above_gap(lines: list[str], gap: int, first: int) -> int:
    """The line above the gap when the attribution goes on with a bracket below it, else the first below."""
    begins = gap > 0 and quote_marks.may_begin_attribution(lines[gap - 1]) and quote_marks.is_open(lines[gap - 1])
    return gap - 1 if begins and lines[gap + 1].lstrip().startswith("<") else _with_other_half(lines, first, first)


def _with_other_half(lines: list[str], first: int, last: int) -> int:
    start = first
    while start and last - start < quote_marks.ATTRIBUTION_LINES:
        if not quote_marks.may_go_above(lines[start - 1], " ".join(lines[start : last + 1])):
            break
        start -= 1
    return start


def _tail(lines: list[str]) -> int | None:
    """Where an unprefixed quotation begins that runs to the end of the mail, or None."""
    for number, line in enumerate(lines):
        if not line.strip() or quote_marks.is_prefixed(line):
            continue
        if quote_marks.is_separator(line) or is_header_block(lines, number):
            return _with_rule_above(lines, number)
        if quote_marks.may_end_attribution(line) and _next_filled(lines, number) < len(lines):
            first = _unprefixed_attribution(lines, number)
            if first is not None:
                return first
    return None


def _last_attribution(lines: list[str]) -> int | None:
    """Where an attribution begins that the text ends with: whoever answered took away what it quotes."""
    last = next((i for i in range(len(lines) - 1, -1, -1) if lines[i].strip()), 0)
    if quote_marks.is_prefixed(lines[last]) or not quote_marks.may_end_attribution(lines[last]):
        return None
    return _attribution_start(lines, last, before_prefixed=False)


def _unprefixed_attribution(lines: list[str], last: int) -> int | None:
    if quote_marks.is_prefixed(lines[_next_filled(lines, last)]):
        return None
    return _attribution_start(lines, last, before_prefixed=False)


def _with_rule_above(lines: list[str], number: int) -> int:
    above = number - 1
    while above >= 0 and number - above <= 3 and not lines[above].strip():
        above -= 1
    if above < 0:
        return number
    line = lines[above]
    is_mark = quote_marks.is_rule(line) or quote_marks.is_separator(line) or quote_marks.is_bare_separator(line)
    return above if is_mark else number


def _folded(lines: list[str], quoted: set[int], signed: set[int]) -> set[int]:
    """The quoted lines to fold: below the last new text, or one attributed quotation above all of it.

    Quotations between new text are answered inline and stay; a farewell below them is no answer.
    """
    filled = [i for i, line in enumerate(lines) if line.strip()]
    new = [i for i in filled if i not in quoted and i not in signed]
    if not new:
        return set()
    new = _without_farewell(lines, new, quoted)
    leading = {i for i in quoted if i < new[-1]}
    trailing = quoted - leading
    if leading and max(leading) < new[0] and _is_whole_mail(lines, leading):
        return trailing | leading
    return trailing


def _without_farewell(lines: list[str], new: list[int], quoted: set[int]) -> list[int]:
    """The new lines without a farewell of at most four lines below all quotations."""
    last_quoted = max(quoted, default=len(lines))
    above = [i for i in new if i < last_quoted]
    below = new[len(above) :]
    if above and 0 < len(below) <= FAREWELL_LINES and quote_marks.is_closing(lines[below[0]].partition(",")[0]):
        return above
    return new


def _is_whole_mail(lines: list[str], leading: set[int]) -> bool:
    first = next((i for i in sorted(leading) if lines[i].strip()), None)
    return first is not None and not quote_marks.is_prefixed(lines[first])


def _has_text(lines: list[str], numbers: set[int]) -> bool:
    return any(lines[i].strip() for i in numbers)


def _joined(lines: list[str], numbers: list[int]) -> str:
    return "\n".join(lines[i] for i in numbers).strip("\n")
