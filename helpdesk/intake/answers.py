"""What every door for mail by HTTP answers, in one sentence of plain text: kept, refused, or send it again."""

import logging
from collections.abc import Callable

from flask import Response, request
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import RequestEntityTooLarge

from helpdesk.errors import Invalid, TooMany, Unsigned
from helpdesk.intake.signing import Forged
from helpdesk.intake.tries import count_wrong, refuse_guessers

log = logging.getLogger(__name__)

MAX_BYTES = 50 * 1024 * 1024
RETRY_AFTER_SECONDS = "60"

KEPT = "The mail is kept."
KEPT_BEFORE = "The mail was kept before."
NO_MAIL = "There was no mail in the request."
TOO_LARGE = f"This mail is larger than {MAX_BYTES // 1024 // 1024} MB."
NOT_NOW = "The mail could not be kept just now; send it again later."


def answer(take: Callable[[], bool | str], *, challenge: str) -> Response:
    """The answer to a request whose mail `take` keeps: 200 once it has, which is after COMMIT.

    `take` returns False when it was kept before, a sentence when there is no mail to keep; it may raise Unsigned,
    Invalid, RequestEntityTooLarge, OSError and database errors. `challenge` is what a 401 asks for (RFC 9110, section
    11.6.1). Nothing is read from whoever guessed too often.
    """
    try:
        taken = _unless_guessing(take)
        return _say(200, taken if isinstance(taken, str) else KEPT if taken else KEPT_BEFORE)
    except Unsigned as refusal:
        return _say(401, refusal.message, {"WWW-Authenticate": challenge})
    except TooMany as refusal:
        return _say(refusal.status, refusal.message, refusal.headers)
    except RequestEntityTooLarge:
        return _say(413, TOO_LARGE)
    except Invalid as refusal:
        return _say(422, refusal.message)
    except (OSError, SQLAlchemyError):
        log.exception("a mail that came by HTTP could not be kept")
        return _say(503, NOT_NOW, {"Retry-After": RETRY_AFTER_SECONDS})


def _unless_guessing(take: Callable[[], bool | str]) -> bool | str:
    remote_address = request.remote_addr or ""
    refuse_guessers(remote_address)
    try:
        return take()
    except Forged:
        count_wrong(remote_address)
        raise


def check_mail(raw: bytes) -> bytes:
    """The mail itself. Raises Invalid when there is none, RequestEntityTooLarge when it is too large."""
    if not raw.strip():
        raise Invalid(NO_MAIL)
    if len(raw) > MAX_BYTES:
        raise RequestEntityTooLarge
    return raw


def _say(status: int, sentence: str, headers: dict[str, str] | None = None) -> Response:
    return Response(sentence + "\n", status, headers, mimetype="text/plain")
