"""Files that a mail holds in its plain text: "begin 644 name", lines of uuencode, "end"."""

import binascii
import re

from helpdesk.inbound.transfer import decode_uu_line

FILES = 20

_BEGIN = re.compile(r"begin [0-7]{3,4} (\S.{0,200})")
_LINE = re.compile(r"[ -`]{1,90}")


def take_files(text: str) -> tuple[str, list[tuple[str, bytes]]]:
    """The text without its files, and each file's name and content. What does not decode whole stays text."""
    if "begin " not in text:
        return text, []
    lines, kept, files, number = text.split("\n"), list[str](), list[tuple[str, bytes]](), 0
    while number < len(lines):
        begin = _BEGIN.fullmatch(lines[number]) if len(files) < FILES else None
        found = _content(lines, number + 1) if begin else None
        if begin and found:
            files.append((begin[1], found[0]))
            number = found[1]
        else:
            kept.append(lines[number])
            number += 1
    return "\n".join(kept).strip("\n") if files else text, files


def _content(lines: list[str], start: int) -> tuple[bytes, int] | None:
    """The file that begins with this line, and the number of the line below its "end"; None when it is no file."""
    content = bytearray()
    for number in range(start, len(lines)):
        line = lines[number]
        if line == "end":
            return (bytes(content), number + 1) if content else None
        if not line.strip(" `"):
            continue
        if not _LINE.fullmatch(line):
            return None
        try:
            content += decode_uu_line(line.encode("ascii"))
        except binascii.Error:
            return None
    return None
