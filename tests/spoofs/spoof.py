"""What a spoof is, and the words that those who forge mail know or guess."""

from collections.abc import Iterator
from dataclasses import dataclass

from flask import current_app

from helpdesk.addresses import split_token
from helpdesk.tickets.links import new_message_id, reply_address, status_path
from helpdesk.tickets.models import Ticket
from helpdesk.tokens import Keyring, Kind, keyring
from tests.cast import RUTH

MALLORY = "mallory@evil.example"
BEN = "ben@example.com"
DESK = "support@example.org"
OTHER_DESK = "the secret of another desk, 32 characters or more"
LOOKALIKES = {"a": "а", "c": "с", "e": "е", "o": "о", "p": "р", "x": "х", "y": "у"}  # noqa: RUF001 Cyrillic ones
CAPITALISED = {"s": "ſ", "k": "\u212a", "i": "ı"}  # noqa: RUF001 letters whose capital or small letter is in ASCII


@dataclass(frozen=True)
class Spoof:
    """A mail that pretends, with {words} in braces, and what must come of it.

    `joins` names the ticket it may be added to, which its sender has a token for; without one it opens a ticket of
    its own for `reader`, unless it is `ignored` and kept.
    """

    name: str
    klass: int
    head: str
    body: str = "Please send me everything you have."
    sender: str = MALLORY
    to: tuple[str, ...] = (DESK,)
    joins: str = ""
    reader: str | None = MALLORY
    ignored: bool = False
    silent: bool = False

    def raw(self, words: dict[str, str]) -> bytes:
        """The mail as it is sent: what the head does not say is said as by Mallory."""
        lines = [line.strip().format_map(words) for line in self.head.strip().split("\n") if line.strip()]
        named = {line.partition(":")[0].lower() for line in lines}
        lines += [line for line in usual(self.name) if line.partition(":")[0].lower() not in named]
        return ("\r\n".join(lines) + "\r\n\r\n" + self.body.format_map(words) + "\r\n").encode()


def usual(name: str) -> Iterator[str]:
    """The headers of any mail of Mallory's."""
    yield f"From: Mallory <{MALLORY}>"
    yield f"To: {DESK}"
    yield "Subject: About my message"
    yield "Date: Wed, 25 Nov 2026 10:00:00 +0000"
    yield f"Message-ID: <{name.replace(' ', '.')}@evil.example>"
    yield "MIME-Version: 1.0"
    yield "Content-Type: text/plain; charset=utf-8"


def words_about(ruths: Ticket, bens: Ticket) -> dict[str, str]:
    """What can be known or guessed of Ruth's ticket, and what cannot: her `reply` address, its `token`, an `issued` id.

    Every altered token differs from the real one.
    """
    token, issued = token_of(ruths), new_message_id(ruths)
    id_token = issued.partition("@")[0]
    altered = {
        "cut": token[:-1], "half": token[:18], "flipped": flipped(token), "longer": f"{token}a", "padded": f"{token}===",
        "lookalike": swapped(token, LOOKALIKES), "capital": swapped(token, CAPITALISED),
        "fullwidth": swapped(token, {letter: chr(ord(letter) + 0xFEE0) for letter in token}),
        "invisible": f"{token[:9]}\u200b{token[9:]}", "swapped_halves": token[18:] + token[:18],
        "reversed": token[::-1], "payload_of_ben": token_of(bens)[:11] + token[11:],
    }  # fmt: skip
    assert token not in altered.values()
    kinds = {kind.name.lower(): keyring().issue(kind, ruths.id.to_bytes(5)) for kind in Kind}
    return {
        "id": str(ruths.id), "number": str(ruths.number), "ruth": RUTH, "ben": BEN, "token": token,
        "token_upper": token.upper(), "reply": reply_address(ruths), "bens_reply": reply_address(bens), "issued": issued, "id_token": id_token,
        "id_cut": id_token[:-1], "id_flipped": flipped(id_token), "id_lookalike": swapped(id_token, LOOKALIKES),
        "foreign": Keyring.of([OTHER_DESK]).issue(Kind.READER_REPLY, ruths.id.to_bytes(5)),
        "foreign_id": Keyring.of([OTHER_DESK]).issue(Kind.MESSAGE_ID, ruths.id.to_bytes(5) + b"x" * 8),
        "foreign_forward": Keyring.of([OTHER_DESK]).issue(Kind.FORWARD, (1).to_bytes(5)),
        "status": status_path(ruths).rpartition("/")[2], "first": ruths.messages[0].message_id or "",
        "host": current_app.extensions["settings"].host, **altered, **{f"kind_{name}": it for name, it in kinds.items()},
    }  # fmt: skip


def token_of(ticket: Ticket) -> str:
    """The token of a ticket's reply address."""
    return (split_token(reply_address(ticket)) or ("", ""))[1]


def flipped(token: str) -> str:
    """One letter in the middle of the MAC is another."""
    letter = "b" if token[25] != "b" else "c"
    return token[:25] + letter + token[26:]


def swapped(token: str, letters: dict[str, str]) -> str:
    """The first letter that has a twin is its twin."""
    place = next(number for number, letter in enumerate(token) if letter in letters)
    return token[:place] + letters[token[place]] + token[place + 1 :]
