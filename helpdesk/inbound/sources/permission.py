"""Asking the owner of a mailbox for permission, once: by a code that he types elsewhere (RFC 8628), or by the address
that his browser is sent to afterwards (RFC 6749 §4.1, with PKCE of RFC 7636 and a loopback address of RFC 8252).
"""

import base64
import hashlib
import secrets
import time
from dataclasses import dataclass
from typing import Self
from urllib.parse import parse_qs, urlencode, urlsplit

from helpdesk.inbound.sources.oauth import Grant
from helpdesk.inbound.sources.signing_in import TokenRefused
from helpdesk.inbound.sources.token_server import Answer

BY_DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
INTERVAL_SECONDS, SLOWER_SECONDS, LONGEST_SECONDS = 5.0, 5.0, 30 * 60.0
BACK_TO = "http://127.0.0.1:8400/"


@dataclass(frozen=True)
class DeviceCode:
    """What the owner is to type, and where; `interval` in seconds between our questions."""

    device_code: str
    user_code: str
    address: str
    interval: float
    lasts: float

    @classmethod
    def ask(cls, grant: Grant) -> Self:
        """Begin. Raises TokenRefused with a sentence when the token server will not have it."""
        answer = grant.ask(grant.device_endpoint, scope=grant.scope)
        said = answer.said
        code, shown = said.get("device_code"), said.get("user_code")
        address = said.get("verification_uri") or said.get("verification_url")
        if answer.status != 200 or not (code and shown and address):
            raise TokenRefused(grant.sentence(answer))
        interval, lasts = _seconds(said.get("interval"), INTERVAL_SECONDS), _seconds(said.get("expires_in"), 300)
        return cls(str(code), str(shown), str(address), interval, min(lasts, LONGEST_SECONDS))

    def wait(self, grant: Grant) -> Answer:
        """Ask until the owner has said yes. Raises TokenRefused when he says no, or nothing in time."""
        until, interval = time.monotonic() + self.lasts, self.interval
        while time.monotonic() < until:
            time.sleep(interval)
            answer = grant.ask(grant.token_endpoint, grant_type=BY_DEVICE, device_code=self.device_code)
            if answer.error == "slow_down":
                interval += SLOWER_SECONDS
            elif answer.error != "authorization_pending":
                return answer
        raise TokenRefused("Nobody typed the code in time. Begin again.")


@dataclass(frozen=True)
class BrowserVisit:
    """A visit of the owner's browser to the provider; only whoever began it can use what it brings back."""

    state: str
    verifier: str

    @classmethod
    def begin(cls) -> Self:
        """A visit that nobody else can have begun."""
        return cls(secrets.token_urlsafe(24), secrets.token_urlsafe(48))

    def address(self, grant: Grant) -> str:
        """Where the owner's browser is to go."""
        digest = hashlib.sha256(self.verifier.encode()).digest()
        asked = {
            "response_type": "code", "client_id": grant.client_id, "redirect_uri": BACK_TO, "scope": grant.scope,
            "state": self.state, "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
            "code_challenge_method": "S256", "access_type": "offline", "prompt": "consent",
        }  # fmt: skip
        return f"{grant.authorization_endpoint}?{urlencode(asked)}"

    def answer(self, grant: Grant, pasted: str) -> Answer:
        """What the address is worth that the browser ended at. Raises TokenRefused when it belongs to no such visit."""
        said = {name: values[-1] for name, values in parse_qs(urlsplit(pasted.strip()).query).items()}
        if not secrets.compare_digest(said.get("state", "").encode(), self.state.encode()) or "code" not in said:
            why = said.get("error", "no code")[:60]
            raise TokenRefused(f"That is not the address at which this visit ends well ({why}).")
        return grant.ask(
            grant.token_endpoint, grant_type="authorization_code", code=said["code"], redirect_uri=BACK_TO,
            code_verifier=self.verifier,
        )  # fmt: skip


def _seconds(said: object, otherwise: float) -> float:
    return float(said) if isinstance(said, int | float) and said >= 0 else otherwise
