"""Providers that sign nothing: a part of the address that nobody guesses, and a password as well."""

import hmac

from flask import request
from pydantic import SecretStr

from helpdesk.errors import NotFound, Unsigned
from helpdesk.intake.signing import Forged
from helpdesk.intake.tries import note_good

CHALLENGE = 'Basic realm="Helpdesk", charset="UTF-8"'
WRONG = "User name or password are missing or wrong."


def check_caller(secret: SecretStr, segment: str) -> None:
    """Compare with `secret`, which is path:user:password, in constant time and before the body is read.

    Raises NotFound when there is no secret or `segment` is another, Unsigned when there is no basic authentication
    (RFC 7617), and Forged when it does not fit.
    """
    path, _, login = secret.get_secret_value().partition(":")
    if not path or not _is_same(segment, path):
        raise NotFound
    given = request.authorization
    if given is None or given.type != "basic":
        raise Unsigned(WRONG)
    if not _is_same(f"{given.username}:{given.password}", login):
        raise Forged(WRONG)


def note_good_caller() -> None:
    """Remember where the mail came from, in the transaction that keeps it."""
    note_good(request.remote_addr or "")


def _is_same(given: str, known: str) -> bool:
    return hmac.compare_digest(given.encode(errors="replace"), known.encode())
