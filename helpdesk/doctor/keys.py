"""The keys: long is not enough when they can be guessed or are used twice."""

from collections.abc import Iterator

from pydantic import SecretStr

from helpdesk.doctor.findings import Checkup, Finding, bad, fine, look

AREA = "keys"
LEAST_CHARACTERS = 10
PLACEHOLDERS = (
    "change",
    "placeholder",
    "example",
    "secret",
    "password",
    "your-key",
    "your_key",
    "12345678",
    "insecure",
)
FRESH = "; make a new one with: python -c 'import secrets; print(secrets.token_urlsafe(48))'"


def check_keys(checkup: Checkup) -> Iterator[Finding]:
    """Each key is random, and used once and for one thing; no key is shown."""
    secret, intake = _plain(checkup.settings.secret_keys), _plain(checkup.settings.intake_keys)
    problems = [*_weak("HELPDESK_SECRET_KEYS", secret), *_weak("HELPDESK_INTAKE_KEYS", intake)]
    problems += _weak("HELPDESK_MAILGUN_KEYS", _plain(checkup.settings.mailgun_keys))
    for name in ("postmark_secret", "sendgrid_secret"):
        problems += _weak(f"HELPDESK_{name.upper()}", _long_parts(getattr(checkup.settings, name)))
    if set(secret) & set(intake):
        sentence = "A key is in both HELPDESK_SECRET_KEYS and HELPDESK_INTAKE_KEYS, so who may hand in mail can forge "
        problems.append(bad(AREA, sentence + "sessions; give each its own."))
    yield from problems or [fine(AREA, "The keys look random, and none is used twice.")]


def _weak(name: str, keys: list[str]) -> Iterator[Finding]:
    if len(set(keys)) < len(keys):
        yield look(AREA, f"{name} holds a key twice; remove one of them.")
    for number, key in enumerate(dict.fromkeys(keys), start=1):
        if any(word in key.lower() for word in PLACEHOLDERS):
            yield bad(AREA, f"Key {number} of {name} looks like a placeholder{FRESH}")
        elif len(set(key)) < LEAST_CHARACTERS:
            yield bad(AREA, f"Key {number} of {name} has fewer than {LEAST_CHARACTERS} different characters{FRESH}")


def _long_parts(secret: SecretStr) -> list[str]:
    """Path and password of path:user:password."""
    return secret.get_secret_value().split(":")[::2] if secret.get_secret_value() else []


def _plain(keys: list[SecretStr]) -> list[str]:
    return [key.get_secret_value() for key in keys]
