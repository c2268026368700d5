"""The second step of a sign-in: codes of an app on the phone, and recovery codes for when the phone is lost."""

import hmac
from hashlib import sha256
from typing import Any

from flask_security import MfRecoveryCodesUtil
from flask_security.totp import Totp
from passlib.totp import TOTP, AppWallet

from helpdesk.agents.emails import queue_mail_to
from helpdesk.agents.models import Agent, DeskSetting
from helpdesk.agents.operations import end_other_sign_ins
from helpdesk.agents.queries import REQUIRED, SECOND_FACTOR, requires_second_factor
from helpdesk.config import Settings, settings
from helpdesk.database import db, transactional
from helpdesk.errors import Invalid, Refused
from helpdesk.extensions import security
from helpdesk.tokens import keyring

METHOD = "authenticator"
WINDOW = 30
WRONG = "That code is not right. Is the time on your phone right? Wait for the next code and try it."


class Codes(Totp):
    """Codes that work once each (RFC 6238 §5.2); their secrets are sealed with the newest of our keys."""

    def __init__(self, secrets: dict[str, str], issuer: str) -> None:
        wallet = AppWallet(secrets, default_tag=next(iter(secrets)))
        self._totp = TOTP.using(issuer=issuer, wallet=wallet)

    def get_last_counter(self, user: Any) -> int | None:
        """The place of the last code that was used."""
        counter: int | None = user.tf_last_counter
        return counter

    def set_last_counter(self, user: Any, tmatch: Any) -> None:
        """Keep the place of a code that is used now."""
        user.tf_last_counter = tmatch.counter


class RecoveryCodes(MfRecoveryCodesUtil):
    """Recovery codes are shown once; what is kept of them opens nothing."""

    def create_recovery_codes(self, user: Any) -> list[str]:
        """New ones, instead of those there were."""
        codes: list[str] = security.totp_factory.generate_recovery_codes(10)
        user.mf_recovery_codes = [_digest(code, keyring().keys[0]) for code in codes]
        return codes

    def get_recovery_codes(self, user: Any) -> list[str]:
        """Nobody can be shown them again."""
        return []

    def check_recovery_code(self, user: Any, code: str) -> bool:
        """True for one that was not used."""
        return _kept(user, code) is not None

    def delete_recovery_code(self, user: Any, code: str) -> bool:
        """A code works once."""
        kept = _kept(user, code)
        user.mf_recovery_codes = [one for one in user.mf_recovery_codes or [] if one != kept]
        return kept is not None


def sealing_keys(desk: Settings) -> dict[str, str]:
    """The keys that secrets of apps are sealed with, by their names, the newest first."""
    keys = [key.get_secret_value().encode() for key in desk.secret_keys]
    return {sha256(b"totp\0" + key).hexdigest()[:8]: hmac.digest(key, b"totp", "sha256").hex() for key in keys}


@transactional
def start_second_factor(agent: Agent, *, secret: str, code: str, keep: int | None) -> list[str]:
    """Ask for a code at each sign-in from now on, and end every sign-in but `keep`, which knew none.

    Returns recovery codes, which are not shown again.

    Raises Invalid when the code does not come from an app that knows the secret.
    """
    agent.tf_last_counter = None
    if not security.totp_factory.verify_totp("".join(code.split()), secret, agent, window=WINDOW):
        raise Invalid(WRONG)
    agent.tf_primary_method, agent.tf_totp_secret = METHOD, secret
    end_other_sign_ins(agent, keep=keep)
    _tell(agent, "From now on a code of your app is asked for at each sign-in.")
    return list(security.mf_recovery_codes_util.create_recovery_codes(agent))


@transactional
def renew_recovery_codes(agent: Agent) -> list[str]:
    """New recovery codes; those there were no longer work."""
    _tell(agent, "New recovery codes were made; those of before no longer work.")
    return list(security.mf_recovery_codes_util.create_recovery_codes(agent))


@transactional
def end_second_factor(agent: Agent) -> None:
    """A password is enough again. Raises Refused when an admin decided that it is not."""
    if requires_second_factor():
        raise Refused("Everybody needs a second step here, so it cannot be turned off.")
    _forget_app(agent)
    _tell(agent, "A code of your app is no longer asked for; your password is enough.")


@transactional
def forget_devices(agent: Agent) -> None:
    """A phone is lost: what it held lets nobody in any more, and every sign-in ends."""
    _forget_app(agent)
    agent.webauthn.clear()
    agent.end_every_session()
    _tell(
        agent,
        "Your app, recovery codes and passkeys were taken away by an admin. "
        "Your password is enough until you set up a new app.",
    )


@transactional
def decide_second_factor(is_required: bool) -> None:
    """Decide whether a password alone is enough for anybody."""
    setting = db.session.get(DeskSetting, SECOND_FACTOR) or DeskSetting(name=SECOND_FACTOR)
    setting.value = REQUIRED if is_required else "free"
    db.session.add(setting)


def tell_of_passkey(agent: Agent, *, is_new: bool) -> None:
    """Mail the owner of an account about a passkey, inside the transaction that adds or removes it."""
    _tell(agent, "A passkey was added, which signs in without your password." if is_new else "A passkey was removed.")


def _forget_app(agent: Agent) -> None:
    agent.tf_primary_method = agent.tf_totp_secret = agent.tf_last_counter = agent.mf_recovery_codes = None


def _tell(agent: Agent, what: str) -> None:
    context = {
        "what": what,
        "account": settings().link("/desk/account"),
        "ask_again": settings().link("/desk/password/forgotten"),
    }
    queue_mail_to(
        agent, kind="account", template="emails/sign_in_changed", subject="How you sign in to the helpdesk changed",
        context=context,
    )  # fmt: skip


def _kept(user: Agent, code: str) -> str | None:
    wanted = [_digest(code, key) for key in keyring().keys]
    kept = user.mf_recovery_codes or []
    return next((one for one in kept if any(hmac.compare_digest(one, digest) for digest in wanted)), None)


def _digest(code: str, key: bytes) -> str:
    plain = "".join(letter for letter in code.lower() if letter.isalnum())
    return hmac.digest(key, b"recovery\0" + plain.encode(), "sha256").hex()
