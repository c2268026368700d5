"""The signed token in every reader form: for which site, shown when, and the key that makes one ticket of two sends."""

import secrets
from dataclasses import dataclass, field

from helpdesk import clock
from helpdesk.sites.models import Site
from helpdesk.tokens import Kind, keyring

SITE_BYTES = 4
TIME_BYTES = 5
KEY_BYTES = 16
LASTS_SECONDS = 24 * 60 * 60
HEAD_START_SECONDS = 60


def _new_key() -> bytes:
    return secrets.token_bytes(KEY_BYTES)


def _now() -> int:
    return int(clock.now().timestamp())


@dataclass(frozen=True)
class FormToken:
    """What a form carries; `issued_at` in seconds since the epoch."""

    site_id: int
    issued_at: int = field(default_factory=_now)
    key: bytes = field(default_factory=_new_key)

    @property
    def submission_key(self) -> str:
        """The word by which a repeated send and the files kept for it are recognised."""
        return self.key.hex()

    @property
    def age(self) -> int:
        """Seconds since the page was shown."""
        return _now() - self.issued_at

    @property
    def is_expired(self) -> bool:
        """True when the page was open for more than a day."""
        return self.age > LASTS_SECONDS

    def again(self) -> "FormToken":
        """The token of the same form shown once more.

        It gets a head start, because a reader who has written already may press Send at once.
        """
        return FormToken(self.site_id, _now() - HEAD_START_SECONDS, self.key)

    def signed(self) -> str:
        """The token as the form carries it."""
        site, at = self.site_id.to_bytes(SITE_BYTES), self.issued_at.to_bytes(TIME_BYTES)
        return keyring().issue(Kind.FORM, site + at + self.key)


def read_form_token(site: Site, text: str) -> FormToken | None:
    """The token that we issued for a form of this site, expired ones included; None for everything else."""
    payload = keyring().read(Kind.FORM, text)
    if payload is None or len(payload) != SITE_BYTES + TIME_BYTES + KEY_BYTES:
        return None
    site_id, rest = int.from_bytes(payload[:SITE_BYTES]), payload[SITE_BYTES:]
    if site_id != site.id:
        return None
    return FormToken(site_id, int.from_bytes(rest[:TIME_BYTES]), rest[TIME_BYTES:])
