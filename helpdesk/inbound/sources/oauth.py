"""Access tokens for mailboxes (OAuth 2.0, RFC 6749): asked for by refresh token, kept sealed, shared by all workers."""

import hashlib
import json
import re
import time
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Self

from flask import Flask, current_app
from sqlalchemy import or_, update

from helpdesk import clock
from helpdesk.config import settings
from helpdesk.database import db, transactional
from helpdesk.inbound.models import Source, SourceToken
from helpdesk.inbound.sources.signing_in import Token, TokenRefused
from helpdesk.inbound.sources.token_server import Answer, NoAnswer, ask
from helpdesk.sealing import seal, unseal

PURPOSE = "token of a mailbox"
RENEWING = timedelta(seconds=60)
WAIT_SECONDS, LOOK_AGAIN_SECONDS = 30.0, 0.25
SHORTEST, LONGEST, MARGIN = 1, 24 * 60 * 60, 60
LONGEST_REASON = 200
IF_UNSAID = 5 * 60
GOOGLE = {
    "token_endpoint": "https://oauth2.googleapis.com/token",
    "authorization_endpoint": "https://accounts.google.com/o/oauth2/v2/auth",
    "scope": "https://mail.google.com/",  # which Google grants to no device code
}
MICROSOFT = {
    "token_endpoint": "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token",
    "device_endpoint": "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/devicecode",
    "scope": "https://outlook.office.com/IMAP.AccessAsUser.All offline_access",
}
PARTS = ("token_endpoint", "device_endpoint", "authorization_endpoint", "scope")
PROVIDERS = {"google": GOOGLE, "microsoft": MICROSOFT}

_TOKEN = re.compile(r"[\x21-\x7e]{1,16384}")


@dataclass(frozen=True)
class Grant:
    """Who we are to the token server of a mailbox, and what the owner's settings give us for it."""

    mailbox: str
    token_endpoint: str
    device_endpoint: str
    authorization_endpoint: str
    client_id: str
    scope: str
    ca_file: Path | None
    client_secret: str = field(default="", repr=False)
    refresh_token: str = field(default="", repr=False)

    @classmethod
    def of(cls, name: str, given: dict[str, Any]) -> Self:
        """The grant in the settings of the source called `name`; `given` is their part called "oauth"."""
        known: dict[str, str] = PROVIDERS.get(str(given.get("provider", "")), {})
        tenant = str(given.get("tenant") or "common")
        said = {part: str(given.get(part) or known.get(part, "").replace("{tenant}", tenant)) for part in PARTS}
        return cls(
            mailbox=name,
            client_id=str(given.get("client_id", "")),
            ca_file=Path(given["ca_file"]) if given.get("ca_file") else None,
            client_secret=settings().imap_client_secret_of(name),
            refresh_token=settings().imap_refresh_token_of(name),
            **said,
        )

    @property
    def configured(self) -> str:
        """A name for the refresh token of the settings: another one there outranks what we were given since."""
        return hashlib.sha256(self.refresh_token.encode()).hexdigest() if self.refresh_token else ""

    def ask(self, endpoint: str, **fields: str) -> Answer:
        """Ask the token server as ourselves. Raises TokenRefused with a sentence when it does not answer."""
        own = {"client_id": self.client_id, "client_secret": self.client_secret}
        try:
            return ask(endpoint, own | fields, ca_file=self.ca_file)
        except NoAnswer as error:
            raise TokenRefused(self._hidden(error.message)) from error

    def sentence(self, answer: Answer, *, refresh_token: str = "") -> str:
        """Why the token server gave no token, for staff, without any secret: it may quote what we said."""
        said = f"{answer.error or 'without a reason'} {answer.error_description}".strip()
        why = self._hidden(said, refresh_token)[:LONGEST_REASON]
        if answer.error == "invalid_grant":
            todo = f"It was withdrawn or has ended; give a new one with “helpdesk mail authorise {self.mailbox}”."
            return f"We have no permission to read this mailbox any more ({why}). {todo}"
        if answer.error in ("invalid_client", "unauthorized_client"):
            todo = "Its secret may have ended; see HELPDESK_IMAP_CLIENT_SECRET."
            return f"The token server does not know us as client {self.client_id} ({why}). {todo}"
        return f"The token server gives no access token ({why})."

    def _hidden(self, text: str, *secrets: str) -> str:
        for secret in filter(None, (self.client_secret, self.refresh_token, *secrets)):
            text = text.replace(secret, "…")
        return text


@dataclass(frozen=True)
class Kept:
    """What the token server gave us: a refresh token, an access token and when that ends (seconds of Unix time)."""

    configured: str = ""
    refresh_token: str = ""
    access_token: str = ""
    ends_at: float = 0.0

    @classmethod
    def from_answer(cls, answer: Answer, *, grant: Grant, refresh_token: str) -> Self:
        """What an answer gives; the refresh token is the old one unless there is another. Raises TokenRefused."""
        access = answer.said.get("access_token")
        if answer.status != 200 or not isinstance(access, str) or not _TOKEN.fullmatch(access):
            raise TokenRefused(grant.sentence(answer, refresh_token=refresh_token))
        given, lasts = answer.said.get("refresh_token"), _seconds(answer.said.get("expires_in"))
        margin = min(MARGIN, lasts / 10)
        return cls(
            configured=grant.configured,
            refresh_token=given if isinstance(given, str) and given else refresh_token,
            access_token=access,
            ends_at=clock.now().timestamp() + lasts - margin,
        )

    def is_good(self, refused: str) -> bool:
        """True for an access token that has not ended and was not refused."""
        return bool(self.access_token) and self.access_token != refused and clock.now().timestamp() < self.ends_at


def token_of(source: Source) -> Token | None:
    """How to get an access token for a mailbox, at any time and on any thread; None for one with a password."""
    given = source.settings.get("oauth")
    if not isinstance(given, dict):
        return None
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    source_id, grant = source.id, Grant.of(source.name, given)

    def token(refused: str) -> str:
        with app.app_context():
            return _access_token(source_id, grant, refused)

    return token


def keep(source_id: int, grant: Grant, answer: Answer, *, refresh_token: str = "") -> Kept:
    """Keep what a token server gave us for good, before it is used. Raises TokenRefused when that is nothing."""
    kept = Kept.from_answer(answer, grant=grant, refresh_token=refresh_token)
    _write(source_id, sealed=seal(json.dumps(asdict(kept)), purpose=PURPOSE))
    return kept


def _access_token(source_id: int, grant: Grant, refused: str) -> str:
    """One that is good, renewed if need be, by one worker at a time: some servers take each refresh token only once."""
    until = time.monotonic() + WAIT_SECONDS
    while not (kept := _read(source_id, grant)).is_good(refused):
        if _claim(source_id, until=(claim := clock.now() + RENEWING)):
            return _renewed(source_id, grant, refused, claim)
        if time.monotonic() > until:
            raise TokenRefused("Another worker is asking for an access token, and does not get one.")
        time.sleep(LOOK_AGAIN_SECONDS)
    return kept.access_token


def _renewed(source_id: int, grant: Grant, refused: str, claim: datetime) -> str:
    try:
        kept = _read(source_id, grant)  # another worker may have been faster
        if kept.is_good(refused):
            return kept.access_token
        refresh_token = kept.refresh_token or grant.refresh_token
        if not refresh_token:
            todo = f"Give one with “helpdesk mail authorise {grant.mailbox}”."
            raise TokenRefused(f"We have no permission to read this mailbox yet. {todo}")
        answer = grant.ask(
            grant.token_endpoint, grant_type="refresh_token", refresh_token=refresh_token, scope=grant.scope
        )
        return keep(source_id, grant, answer, refresh_token=refresh_token).access_token
    finally:
        _release(source_id, until=claim)


def _read(source_id: int, grant: Grant) -> Kept:
    """What is kept; nothing when that cannot be unsealed, or came of another refresh token than the settings have."""
    db.session.rollback()
    row = db.session.get(SourceToken, source_id, populate_existing=True)
    opened = unseal(row.sealed, purpose=PURPOSE) if row is not None and row.sealed else None
    db.session.rollback()
    kept = Kept(**json.loads(opened)) if opened else Kept()
    return kept if kept.configured == grant.configured else Kept()


@transactional
def _claim(source_id: int, /, *, until: datetime) -> bool:
    if db.session.get(SourceToken, source_id) is None:
        db.session.add(SourceToken(source_id=source_id, sealed=""))
        db.session.flush()
    is_free = or_(SourceToken.renewing_until.is_(None), SourceToken.renewing_until < clock.now())
    claim = update(SourceToken).where(SourceToken.source_id == source_id, is_free).values(renewing_until=until)
    options = {"synchronize_session": False}
    return db.session.scalar(claim.returning(SourceToken.source_id).execution_options(**options)) is not None


@transactional
def _release(source_id: int, /, *, until: datetime) -> None:
    """Free the claim that ends then; one that another worker has by now is his."""
    is_ours = (SourceToken.source_id == source_id, SourceToken.renewing_until == until)
    free = update(SourceToken).where(*is_ours).values(renewing_until=None)
    db.session.execute(free.execution_options(synchronize_session=False))


@transactional
def _write(source_id: int, /, *, sealed: str) -> None:
    row = db.session.get(SourceToken, source_id) or SourceToken(source_id=source_id)
    row.sealed = sealed
    db.session.add(row)


def _seconds(said: object) -> float:
    """How long an access token lasts, as far as anybody says so."""
    try:
        return min(max(float(str(said)), SHORTEST), LONGEST)
    except ValueError:
        return IF_UNSAID


__all__ = ["PROVIDERS", "Grant", "Kept", "keep", "token_of"]
