"""Name and address out of From, To, Cc and their like: an address the header really names, or none."""

import re
from dataclasses import dataclass, field

from helpdesk.inbound.charsets import decode_short
from helpdesk.inbound.headers import ENCODED_WORD, decode_words, one_line, raw_bytes

NAME_LENGTH = 200
NAME_COMMAS = 3

_ATOM = r"[^\s@<>()\[\]:;,\\\"\x00-\x1f\x7f]"
_ADDRESS = re.compile(rf'(?:{_ATOM}{{1,64}}|"[^"\x00-\x1f]{{1,62}}")@({_ATOM}{{1,253}}|\[[0-9A-Fa-f.:IPv]{{3,60}}\])')
_PLACEHOLDER = re.compile("\ue000([0-9]{1,5})\ue001")
_DAEMONS = frozenset({"mailer-daemon", "mailerdaemon", "postmaster", "mail-daemon", "mdaemon"})


@dataclass(frozen=True)
class Mailbox:
    """A display name (may be empty) and a mail address as its header wrote it."""

    name: str
    address: str


def read_mailboxes(values: list[str], *, limit: int, fallback: str | None = None) -> tuple[Mailbox, ...]:
    """The mailboxes that the header values name, at most `limit`; whatever is ambiguous is left out.

    A header with two readings ("a@x.example)b@y.example") gives no mailbox rather than a guess.
    """
    text = decode_short(raw_bytes(", ".join(values)), fallback)
    words: list[str] = []
    hidden = _hide_words(text, words)
    boxes = [box for entry in _with_whole_names(_scan(hidden, limit)) if (box := _mailbox(entry))]
    if not boxes and words:
        boxes = [box for entry in _scan(decode_words(text), limit) if (box := _mailbox(entry))]
    return tuple(shown for box in boxes if (shown := _in_clear(box, words)))


def is_daemon(address: str) -> bool:
    """Whether the address belongs to a mail system rather than to a person."""
    return address.partition("@")[0].lower() in _DAEMONS


def _hide_words(text: str, words: list[str]) -> str:
    # Encoded words may hold commas and brackets; hidden, they cannot change how the header is cut.
    def hide(word: re.Match[str]) -> str:
        words.append(word.group())
        return f"\ue000{len(words) - 1}\ue001"

    return ENCODED_WORD.sub(hide, _PLACEHOLDER.sub("", text))


def _in_clear(box: Mailbox, words: list[str]) -> Mailbox | None:
    # RFC 2047 §5 allows no encoded word in an address; what one hides must not make a second address of it.
    address = _shown(box.address, words)
    if address != box.address and _address(address) != address:
        return None
    return Mailbox(_shown(box.name, words), address)


def _shown(text: str, words: list[str]) -> str:
    def show(placeholder: re.Match[str]) -> str:
        number = int(placeholder[1])
        return words[number] if number < len(words) else ""

    return one_line(decode_words(_PLACEHOLDER.sub(show, text)))


@dataclass
class _Entry:
    """One entry of an address list, taken apart while it is scanned."""

    raw: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    comment: list[str] = field(default_factory=list)
    angles: list[list[str]] = field(default_factory=list)
    has_at: bool = False
    broken: bool = False


def _scan(text: str, limit: int) -> list[_Entry]:
    """Cut at the commas and semicolons outside quotes, comments and angle brackets; one pass."""
    entries, entry, state, depth, escaped = [], _Entry(), "words", 0, False
    for character in text:
        if state == "words" and character in ",;":
            entries.append(entry)
            entry = _Entry()
            if len(entries) >= limit:
                return entries
            continue
        entry.raw.append(character)
        if escaped or (character == "\\" and state in ("quote", "comment")):
            escaped = not escaped
            if not escaped:
                _keep(entry, state, character)
            continue
        state, depth = _step(entry, state, depth, character)
    entry.broken = entry.broken or state != "words"
    return [*entries, entry]


def _with_whole_names(entries: list[_Entry]) -> list[_Entry]:
    """Put names together again that hold a comma without quotes ("Reader, Ruth <ruth@example.org>")."""
    pending: list[str] = []
    for entry in entries:
        words = "".join(entry.words)
        if entry.angles and pending and not entry.has_at:
            entry.words = [", ".join([*pending, words.strip()])]
        is_name = bool(words.strip()) and not (entry.angles or entry.has_at or entry.broken or entry.comment)
        pending = [*pending, words.strip()] if is_name and len(pending) < NAME_COMMAS else []
    return entries


def _step(entry: _Entry, state: str, depth: int, character: str) -> tuple[str, int]:
    if state == "words":
        return _step_in_words(entry, character)
    if state == "comment":
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth == 0:
            return "words", 0
    elif character == {"quote": '"', "angle": ">"}[state]:
        return "words", 0
    _keep(entry, state, character)
    return state, depth


def _step_in_words(entry: _Entry, character: str) -> tuple[str, int]:
    if character == '"':
        return "quote", 0
    if character == "(":
        return "comment", 1
    if character == "<":
        entry.angles.append([])
        return "angle", 0
    if character in ")>":
        entry.broken = True
    entry.has_at = entry.has_at or character == "@"
    if character == ":" and not entry.has_at:
        entry.words.clear()  # the name of a group, or "mailto:"
    else:
        entry.words.append(character)
    return "words", 0


def _keep(entry: _Entry, state: str, character: str) -> None:
    if state == "comment":
        entry.comment.append(character)
    elif state == "angle":
        entry.angles[-1].append(character)
    else:
        entry.words.append(character)


def _mailbox(entry: _Entry) -> Mailbox | None:
    words, comment = "".join(entry.words), "".join(entry.comment)
    if entry.broken:
        return _only_address("".join(entry.raw), "")
    if not entry.angles:
        address = _address("".join(entry.raw)) or _address(words)  # the quotes may belong to the address
        return _named(comment, address) if address else _only_address(words, comment)
    angles = ["".join(angle) for angle in entry.angles]
    named = list(dict.fromkeys(address for angle in angles if (address := _address(angle))))
    if len(named) == 1:
        return _named(f"{words} ({comment})" if words.strip() and comment else words or comment, named[0])
    return None if named else _only_address(words, angles[0]) or _daemon(words)


def _daemon(words: str) -> Mailbox | None:
    """The mail system that names itself where its address should be ("MAILER-DAEMON <>")."""
    return Mailbox("", words.strip()) if words.strip().lower() in _DAEMONS else None


def _only_address(text: str, name: str) -> Mailbox | None:
    words = text.replace("<", " ").replace(">", " ").split()
    found = list(dict.fromkeys(word for word in words if "@" in word))
    if len(found) != 1 or not (address := _address(found[0]) or _address(found[0].strip("[]"))):
        return None
    return _named(" ".join(word for word in words if word != found[0]) or name, address)


def _named(name: str, address: str) -> Mailbox:
    cleaned = one_line(name).strip(" ")
    while len(cleaned) > 1 and cleaned[0] == cleaned[-1] and cleaned[0] in "'\"":
        cleaned = cleaned[1:-1].strip()
    cleaned = cleaned.strip('"')[:NAME_LENGTH].strip()
    return Mailbox("" if cleaned.lower() == address.lower() else cleaned, address)


def _address(text: str) -> str | None:
    bare = "@".join(part.strip() for part in text.split("@")).strip("'")
    bare = bare.removeprefix("mailto:") if bare.lower().startswith("mailto:") else bare
    if bare.startswith("@"):
        bare = bare.partition(":")[2]  # a source route of RFC 822
    if bare.lower() in _DAEMONS:
        return bare
    match = _ADDRESS.fullmatch(text.strip()) or _ADDRESS.fullmatch(bare)
    return match.group() if match and _is_domain(match[1]) else None


def _is_domain(domain: str) -> bool:
    return domain.startswith("[") or not (domain.startswith((".", "-")) or ".." in domain)
