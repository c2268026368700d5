"""What a provider says of the envelope: text from outside, made fit to be stored."""

from collections.abc import Iterable

LONGEST = 320  # RFC 5321: 64 octets, an @ and 255
MOST_RECIPIENTS = 100


def sender_of(said: object) -> str | None:
    """The address of MAIL FROM; "" is the null sender, None means that nobody said."""
    return _plain(said) if isinstance(said, str) else None


def recipients_of(said: Iterable[object]) -> tuple[str, ...]:
    """The addresses of RCPT TO; what is none is left out."""
    plain = [_plain(one) for one in said if isinstance(one, str)]
    return tuple(address for address in plain if address)[:MOST_RECIPIENTS]


def _plain(address: str) -> str:
    shown = "".join(character for character in address if character.isprintable()).strip()
    return shown.removeprefix("<").removesuffix(">")[:LONGEST]
