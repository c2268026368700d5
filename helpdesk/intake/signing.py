"""Whether somebody who has a key signed a request a moment ago; the body may be large, and is read once."""

import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pydantic import SecretStr

from helpdesk import clock
from helpdesk.errors import Unsigned

WINDOW = timedelta(minutes=5)

UNSIGNED = "Sign the request with X-Helpdesk-Timestamp and X-Helpdesk-Signature."
TOO_OLD = "The timestamp is more than 5 minutes from the time here."
WRONG = "The signature fits none of the keys."
_TIMESTAMP = re.compile(r"[0-9]{1,11}")
_SIGNATURE = re.compile(r"[0-9a-f]{64}")


class Forged(Unsigned):
    """All is there and in time, but it fits no key or password of ours."""


@dataclass(frozen=True)
class Scheme:
    """A way to sign: what a 401 asks for, how long a signature is believed, and what is said of those that are not."""

    challenge: str
    lasts: timedelta
    unsigned: str
    too_old: str


OWN = Scheme("Helpdesk-Signature", WINDOW, UNSIGNED, TOO_OLD)


@dataclass(frozen=True)
class Claim:
    """What a request says of itself: when it was signed, and the signature; `lasts` is how long we believe it."""

    timestamp: str
    signature: str
    lasts: timedelta = WINDOW

    @property
    def signed_at(self) -> datetime:
        """When it says that it was signed."""
        return datetime.fromtimestamp(int(self.timestamp), UTC)

    @property
    def expires_at(self) -> datetime:
        """The moment from which nobody believes it any more."""
        return self.signed_at + self.lasts


def read_claim(timestamp: str, signature: str, scheme: Scheme = OWN) -> Claim:
    """The claim of these two values, before the mail itself is looked at.

    `timestamp` is in seconds since the epoch, `signature` 64 hexadecimal digits in lower case. Raises Unsigned when
    either is missing or malformed, or the time is not ours.
    """
    if not _TIMESTAMP.fullmatch(timestamp) or not _SIGNATURE.fullmatch(signature):
        raise Unsigned(scheme.unsigned)
    claim = Claim(timestamp, signature, scheme.lasts)
    if not -WINDOW <= clock.now() - claim.signed_at <= scheme.lasts:
        raise Unsigned(scheme.too_old)
    return claim


class Signer:
    """HMAC-SHA256 (RFC 2104) of `start` and what is added to it, by every key at once, a piece at a time."""

    def __init__(self, keys: Sequence[SecretStr], claim: Claim, *, start: str) -> None:
        self._claim = claim
        plain = [key.get_secret_value().encode() for key in keys]
        self._digests = [hmac.new(key, start.encode(), "sha256") for key in plain]

    def update(self, piece: bytes) -> None:
        """Add the next piece of the body."""
        for digest in self._digests:
            digest.update(piece)

    def check(self) -> None:
        """Raises Forged when no key gives the claimed signature; every key is tried, in constant time."""
        fits = [hmac.compare_digest(digest.hexdigest(), self._claim.signature) for digest in self._digests]
        if not any(fits):
            raise Forged(WRONG)
