"""Where the signature stands: under the new text, or under everything, and at most twelve lines of it."""

from helpdesk.inbound import quote_marks

SIGNATURE_LINES = 12
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
    nearest = filled[-SIGNATURE_LINES - 1 :]
    return next((i for place, i in enumerate(nearest) if _begins(lines[i], len(nearest) - place - 1)), None)


def _begins(line: str, lines_below: int) -> bool:
    """Whether a signature begins with this line, so many filled lines above the end."""
    if quote_marks.is_signature_mark(line):
        return True
    if quote_marks.is_device_line(line):
        return lines_below <= DEVICE_LINES_BELOW
    return len(line.strip()) >= 20 and not line.strip().strip("_") and lines_below < FOOTER_LINES
