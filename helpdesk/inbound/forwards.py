"""The mail inside a forwarded mail: who wrote it, when, about what, and its text."""

import re
from dataclasses import dataclass, field

from helpdesk.inbound import quote_marks
from helpdesk.inbound.mailboxes import Mailbox, read_mailboxes
from helpdesk.inbound.quote_headers import is_header_block, label_of

_OTHER_HEADER = re.compile(r"[A-Z][A-Za-z]{1,20}(?:-[A-Za-z]{1,20}){0,4}: ?\S")
_WRITER = re.compile(r"(?:\"[^\"]{0,200}\"|[^\",<>]{0,200}) ?<[^<>\s@]{1,64}@[^<>\s@]{1,253}>")
HEADER_LINES = 25
STRANGERS = 2
LINES_ABOVE = 2
SEARCHED_LINES = 2_000


@dataclass(frozen=True)
class Forwarded:
    """What a forwarded mail said of itself; `date` as it was written, in whatever language.

    `above` is what whoever forwarded it wrote before it.
    """

    from_: Mailbox | None
    to: str
    subject: str
    date: str
    text: str
    above: str = field(default="", compare=False)


def is_forward(subject: str) -> bool:
    """Whether the subject begins as that of a forwarded mail ("Fwd:", "WG:", "TR:" …)."""
    return quote_marks.is_forward_prefix(subject)


def read_forward(text: str, *, subject: str) -> Forwarded | None:
    """The first mail that the text forwards, or None.

    A mark ("---------- Forwarded message") tells it; without one the subject must say that it is a forward.
    """
    lines = text.split("\n")[:SEARCHED_LINES]
    found = _start(lines, by_subject=is_forward(subject))
    if found is None:
        return None
    mark, start = found
    rest, is_quoted = _unprefixed(lines[start:])
    fields, end = _said_at_top(rest)
    if not fields.get("from") and len(fields) < 2:
        return None
    body = _until_end(rest[end:] if not is_quoted else _until_unquoted(rest[end:]))
    sender = next(iter(read_mailboxes([_bare(fields.get("from", ""))], limit=1)), None)
    return Forwarded(
        from_=sender or (Mailbox(fields["from"][:200], "") if fields.get("from") else None),
        to=_bare(fields.get("to", "")),
        subject=fields.get("subject", ""),
        date=fields.get("sent", ""),
        text="\n".join(body).strip("\n"),
        above="\n".join(lines[:mark]).strip(),
    )


def _start(lines: list[str], *, by_subject: bool) -> tuple[int, int] | None:
    """The mark's line and the one below it, or twice that of the first line of an unmarked header block.

    The first is meant, whichever it is: what stands further down is the words of who wrote the mail.
    """
    plain = [line.lstrip("> ") for line in lines]
    for number, line in enumerate(plain):
        if quote_marks.is_forward_mark(line):
            return number, number + 1
        if not by_subject:
            continue
        if quote_marks.is_separator(lines[number]) and _said_at_top(lines[number + 1 :])[0]:
            return number, number + 1
        if is_header_block(plain, number) or _attributed(plain[number:])[0]:
            return number, number
    return None


def _unprefixed(lines: list[str]) -> tuple[list[str], bool]:
    """The lines without the ">" that some clients put before a forwarded mail, and whether there was one."""
    first = next((line for line in lines if line.strip()), "")
    if not first.startswith(">"):
        return lines, False
    return [_without_mark(line) if line.startswith(">") else f"\0{line}" for line in lines], True


def _without_mark(line: str) -> str:
    return line[1:].removeprefix(" ")


def _until_unquoted(lines: list[str]) -> list[str]:
    quoted: list[str] = []
    for line in lines:
        if line.startswith("\0") and line.strip("\0 "):
            break
        quoted.append(line.lstrip("\0"))
    return quoted


def _until_end(lines: list[str]) -> list[str]:
    end = next((i for i, line in enumerate(lines) if quote_marks.is_forward_end(line)), len(lines))
    return lines[:end]


def _said_at_top(lines: list[str]) -> tuple[dict[str, str], int]:
    """Who wrote what follows, and when; labels further down than a line or two are words of the mail."""
    fields, end = _attributed(lines)
    return (fields, end) if fields else _fields(lines)


def _fields(lines: list[str]) -> tuple[dict[str, str], int]:
    """The labelled values at the top, and the number of the first line below them."""
    fields: dict[str, str] = {}
    kind, strangers, end, above = None, 0, 0, 0
    for number, line in enumerate(lines[:HEADER_LINES]):
        found = label_of(line) or (_bare_label(line) if number == end and (end or "@" in line) else None)
        if found:
            kind, value = found
            if kind == "from" and strangers and len(fields) > 1 and kind not in fields:
                break  # the writer's own words, below a block that does not name him
            fields.setdefault(kind, value)
            strangers, end = 0, number + 1
        elif line.strip("\0 \t") and kind and not fields[kind]:
            fields[kind] = line.strip("\0 \t*")
            end = number + 1
        elif kind and not strangers and line.strip("\0 \t") and label_of("".join(lines[number + 1 : number + 2])):
            fields[kind] += " " + line.strip("\0 \t")
        elif fields and not strangers and _OTHER_HEADER.match(line):
            kind, end = None, number + 1
        elif (line.strip("\0 \t") and fields and not _continues(line)) or strangers >= STRANGERS:
            break
        elif fields and (strangers or not line.strip("\0 \t")):
            strangers += 1
        elif line.strip("\0 \t") and (above := above + 1) > LINES_ABOVE:
            break
    return fields, end


def _attributed(lines: list[str]) -> tuple[dict[str, str], int]:
    """The same of a forward that begins as a quotation does ("23.11.2026, 08:00, Ruth <ruth@example.org>:")."""
    number = next((i for i, line in enumerate(lines) if line.strip("\0 \t")), None)
    if number is None or not quote_marks.is_attribution(lines[number].lstrip("\0"), before_prefixed=False):
        return {}, 0
    writer = _WRITER.search(lines[number])
    if writer is None:
        return {}, 0
    sent = lines[number][: writer.start()].strip("\0 ,")
    return {"from": writer.group().strip(), "sent": sent}, number + 1


def _bare_label(line: str) -> tuple[str, str] | None:
    """A label without its colon, as eM Client writes it ("From Ruth <ruth@example.org>")."""
    word, _, value = line.strip().partition(" ")
    return label_of(f"{word}: {value}") if value and ":" not in word else None


def _continues(line: str) -> bool:
    """Whether the line goes on with the addresses of the label above."""
    return "@" in line and line.rstrip().endswith((">", ";", ",", "]")) and len(line) < 200


def _bare(value: str) -> str:
    """Addresses as a header writes them: "[mailto:a@b]" and doubled brackets undone."""
    return value.replace("[mailto:", "<").replace("<mailto:", "<").replace("]", ">").replace("*", "").strip()
