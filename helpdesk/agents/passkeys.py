"""Passkeys: what Flask-Security needs for them is loaded when the first one is used, as few processes ever see one."""

import importlib
import threading
from typing import Any

from flask_security import WebauthnUtil, webauthn, webauthn_util

_loading = threading.Lock()


class Passkeys(WebauthnUtil):
    """Any key of any device, one that finds its owner by itself and asks for finger, face or PIN."""

    def authenticator_selection(self, user: Any, usage: str) -> Any:
        """As it stands in https://www.w3.org/TR/webauthn-2/#dictionary-authenticatorSelection"""
        wanted = super().authenticator_selection(user, usage)
        wanted.authenticator_attachment = None  # else the keys built into laptops and phones are not offered
        wanted.user_verification = _needed()
        return wanted

    def user_verification(self, user: Any, usage: list[str]) -> Any:
        """Required, so that a passkey alone is as good as a password with a code."""
        return _needed()


def _needed() -> Any:
    return vars(webauthn_util)["UserVerificationRequirement"].REQUIRED  # a name it has once it is loaded


def load_webauthn() -> None:
    """Load the package that checks passkeys, once; it takes seven megabytes."""
    with _loading:
        if not hasattr(webauthn, "webauthn"):
            importlib.reload(webauthn_util)
            importlib.reload(webauthn)
