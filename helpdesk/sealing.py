"""Secrets that the database must keep: sealed with keys made of the secret keys, so that its copy opens nothing."""

import base64
import hmac

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from helpdesk.tokens import keyring


def seal(text: str, *, purpose: str) -> str:
    """The text as only this installation can read it, for this `purpose` alone (Fernet: AES-128-CBC, HMAC-SHA256)."""
    return _box(purpose).encrypt(text.encode()).decode()


def unseal(sealed: str, *, purpose: str) -> str | None:
    """What was sealed with one of the secret keys there are now; None when it was another, or no seal at all."""
    try:
        return _box(purpose).decrypt(sealed).decode()
    except InvalidToken:
        return None


def _box(purpose: str) -> MultiFernet:
    made = (hmac.digest(key, b"seal\0" + purpose.encode(), "sha256") for key in keyring().keys)
    return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in made])
