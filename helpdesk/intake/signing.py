"""Whether somebody who has a key signed a request a moment ago; the body may be large, and is read once."""

import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from helpdesk import clock
from helpdesk.errors import Unsigned

WINDOW = timedelta(minutes=5)

UNSIGNED = "Sign the request with X-Helpdesk-Timestamp and X-Helpdesk-Signature."
TOO_OLD = "The timestamp is more than 5 minutes from the time here."
WRONG = "The signature fits none of the keys."
_TIMESTAMP = re.compile(r"[0-9]{1,11}")
_SIGNATURE = re.compile(r"[0-9a-f]{64}")


class WrongSignature(Unsigned):
    """All is there and in time, but no key of ours made it."""


@dataclass(frozen=True)
class Claim:
    """What a request says of itself: when it was signed, and the signature."""

    timestamp: str
    signature: str

    @property
    def expires_at(self) -> datetime:
        """The moment from which nobody believes it any more."""
        return datetime.fromtimestamp(int(self.timestamp), UTC) + WINDOW


def read_claim(timestamp: str, signature: str) -> Claim:
    """The claim of these two headers, before any of the body is read.

    `timestamp` is in seconds since the epoch, `signature` 64 hexadecimal digits in lower case. Raises Unsigned when
    either is missing or malformed, or the time is not ours.
    """
    if not _TIMESTAMP.fullmatch(timestamp) or not _SIGNATURE.fullmatch(signature):
        raise Unsigned(UNSIGNED)
    claim = Claim(timestamp, signature)
    if abs(clock.now() - (claim.expires_at - WINDOW)) > WINDOW:
        raise Unsigned(TOO_OLD)
    return claim


class Signer:
    """HMAC-SHA256 (RFC 2104) of timestamp, a dot and the body, by every key at once, a piece at a time."""

    def __init__(self, keys: Sequence[str], claim: Claim) -> None:
        self._claim = claim
        start = claim.timestamp.encode() + b"."
        self._digests = [hmac.new(key.encode(), start, "sha256") for key in keys]

    def update(self, piece: bytes) -> None:
        """Add the next piece of the body."""
        for digest in self._digests:
            digest.update(piece)

    def check(self) -> None:
        """Raises WrongSignature when no key gives the claimed signature; every key is tried, in constant time."""
        fits = [hmac.compare_digest(digest.hexdigest(), self._claim.signature) for digest in self._digests]
        if not any(fits):
            raise WrongSignature(WRONG)
