"""Where the signature stands: under the new text, or under everything.

It has at most twelve lines, or forty when an address or a telephone number shows what it is.
"""

from helpdesk.inbound import quote_marks

SIGNATURE_LINES = 12
LONG_SIGNATURE_LINES = 40
LINE_CHARACTERS = 80
FOOTER_LINES = 6
DEVICE_LINES_BELOW = 2


def signature_lines(lines: list[str], quoted: set[int], in_html: set[int]) -> set[int]:
    """The numbers of the lines that sign the mail, given the numbers of those that quote another.

    `in_html` are those that the HTML twin shows as a signature. Never all of the text that is not quoted: a
    signature needs something to sign.
    """
    found = {i for i in in_html if i < len(lines)} - quoted
    for start, end in _unquoted_runs(lines, quoted)[-2:]:
        first = _signature_start(lines, start, end)
        if first is not None:
            found |= set(range(first, end))
    unsigned = any(line.strip() and i not in quoted and i not in found for i, line in enumerate(lines))
    return found if unsigned else set()


def _unquoted_runs(lines: list[str], quoted: set[int]) -> list[tuple[int, int]]:
    """Stretches of unquoted lines that hold text, as (first, one past the last)."""
    runs: list[tuple[int, int]] = []
    start = 0
    for number in range(len(lines) + 1):
        if number == len(lines) or number in quoted:
            if any(line.strip() for line in lines[start:number]):
                runs.append((start, number))
            start = number + 1
    return runs


def _signature_start(lines: list[str], start: int, end: int) -> int | None:
    filled = [i for i in range(start, end) if lines[i].strip()]
    if start and len(filled) <= SIGNATURE_LINES and lines[filled[0]].startswith("-- "):
        return filled[0]  # its mark and its first words share a line, with a quotation above and nothing below
    nearest = filled[-SIGNATURE_LINES - 1 :]
    found = next(
        (i for place, i in enumerate(nearest) if _begins(lines[i], [lines[j] for j in nearest[place + 1 :]])), None
    )
    return _with_contact(lines, filled, _with_rule(lines, filled, found))


def _with_rule(lines: list[str], filled: list[int], found: int | None) -> int | None:
    """The rule drawn above a device's line, which belongs to it, or `found`."""
    above = next((i for i in reversed(filled) if found is not None and i < found), None)
    if found is None or above is None or not quote_marks.is_device_line(lines[found]):
        return found
    return above if quote_marks.is_drawn_above_signature(lines[above]) and above > filled[0] else found


def _with_contact(lines: list[str], filled: list[int], found: int | None) -> int | None:
    """The start of a longer signature, or of one below a drawn line, that says how to reach its writer; or `found`."""
    nearest = filled[-LONG_SIGNATURE_LINES:]
    for place, number in enumerate(nearest[:-1]):
        below = [lines[i] for i in nearest[place + 1 :]]
        if not any(quote_marks.names_contact(line) for line in below[:SIGNATURE_LINES]):
            continue
        if quote_marks.is_signature_mark(lines[number]) or _is_drawn(lines, number, below, filled):
            return number if found is None else min(number, found)
    return found


def _is_drawn(lines: list[str], number: int, below: list[str], filled: list[int]) -> bool:
    """Whether the line is the only rule of the text, and short lines stand below it."""
    if not quote_marks.is_drawn_above_signature(lines[number]) or len(below) > SIGNATURE_LINES:
        return False
    rules = sum(quote_marks.is_drawn_above_signature(lines[i]) for i in filled)
    return rules == 1 and all(len(line) <= LINE_CHARACTERS for line in below)


def _begins(line: str, below: list[str]) -> bool:
    """Whether a signature begins with this line, with these filled lines from it to the end."""
    if quote_marks.is_signature_mark(line):
        return True
    if quote_marks.is_device_line(line):
        return len(below) <= DEVICE_LINES_BELOW
    if len(line.strip()) < 20 or line.strip().strip("_") or len(below) >= FOOTER_LINES:
        return False
    return any(_is_of_footer(words) for words in below)  # else it is a rule within the answer


def _is_of_footer(line: str) -> bool:
    is_named = line.rstrip().lower().endswith(" list")  # as Mailman names it
    return is_named or "http" in line or quote_marks.names_contact(line)
