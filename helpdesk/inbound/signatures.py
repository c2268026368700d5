"""Where the signature stands: under the new text, or under everything, and at most twelve lines of it."""

from helpdesk.inbound import quote_marks

SIGNATURE_LINES = 12
FOOTER_LINES = 6


def signature_lines(lines: list[str], quoted: set[int]) -> set[int]:
    """The numbers of the lines that sign the mail, given the numbers of those that quote another.

    Never all of the text that is not quoted: a signature needs something to sign.
    """
    found: set[int] = set()
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
    last = end
    while last > start and not lines[last - 1].strip():
        last -= 1
    candidates = [i for i in range(max(start, last - SIGNATURE_LINES - 1), last) if _begins(lines, i, last)]
    return candidates[0] if candidates else None


def _begins(lines: list[str], number: int, last: int) -> bool:
    """Whether a signature begins at this line and ends before `last`."""
    line = lines[number]
    if quote_marks.is_signature_mark(line):
        return True
    if quote_marks.is_device_line(line):
        return sum(1 for below in lines[number + 1 : last] if below.strip()) <= 2
    return len(line.strip()) >= 20 and not line.strip().strip("_") and last - number <= FOOTER_LINES
