"""Expected failures, each with a sentence for people and a status code, and the pages that show them."""

import logging
from typing import Any

from flask import Flask, render_template
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection
from werkzeug.exceptions import HTTPException, InternalServerError, SecurityError

log = logging.getLogger(__name__)

RETRY_AFTER_SECONDS = 10
SENTENCES = {
    400: "The request was incomplete or out of date. Go back, reload the page and try again.",
    401: "Please sign in first.",
    403: "Your account may not do this.",
    404: "There is nothing at this address.",
    405: "This address does not take that kind of request.",
    409: "Something changed in the meantime. Reload the page and look again.",
    413: "That was too much at once. Send fewer or smaller files.",
    429: "That was a lot of requests. Wait a little and try again.",
    503: "Something that the desk needs does not answer just now. Nothing was changed. Try again in a minute.",
    500: "Something went wrong on our side. The fault has been noted; nothing you sent before was lost.",
}


class HelpdeskError(Exception):
    """A failure we expect; the message is a sentence for people."""

    status = 400

    def __init__(self, message: str = "") -> None:
        super().__init__(message or SENTENCES[self.status])
        self.message = str(self)
        self.headers: dict[str, str] = {}


class Misconfigured(HelpdeskError):
    """The installation cannot start like this."""

    status = 500


class Unsigned(HelpdeskError):
    """Nobody we know signed this, or not just now."""

    status = 401


class NotFound(HelpdeskError):
    """No such thing, or not for this person: the two look the same."""

    status = 404


class Refused(HelpdeskError):
    """The rules forbid it for this person or in this state."""

    status = 403


class Conflict(HelpdeskError):
    """Somebody or something was faster."""

    status = 409


class Doubtful(Conflict):
    """It can be done, and whoever asked for it may have overlooked something; the message says what."""


class Invalid(HelpdeskError):
    """What was sent does not fit; nothing was changed."""

    status = 422


class NoRoom(HelpdeskError):
    """There is no room for these files, or no more of them may be sent just now."""

    status = 422


class TooMany(HelpdeskError):
    """More tries than anybody needs in so short a time; `retry_after` is in how many seconds another may succeed."""

    status = 429

    def __init__(self, message: str = "", *, retry_after: int) -> None:
        super().__init__(message)
        self.headers = {"Retry-After": str(retry_after)}


class Unavailable(HelpdeskError):
    """Something that the desk needs does not answer; nothing was changed, and it can be tried again."""

    status = 503


def init_app(app: Flask) -> None:
    """Show every failure as a page with a sentence, never with the inside of the program."""
    for missing in (OperationalError, InterfaceError, NoConnection, OSError):
        app.register_error_handler(missing, _show_missing)
    app.register_error_handler(HelpdeskError, _show_expected)
    app.register_error_handler(HTTPException, _show_http)
    app.register_error_handler(Exception, _show_unexpected)


def _show_expected(error: HelpdeskError) -> tuple[str, int, dict[str, str]]:
    return (*_page(error.status, error.message), error.headers)


def _show_http(error: HTTPException) -> Any:
    if error.response is not None:
        return error.response
    if isinstance(error, SecurityError):  # without a trusted host no address of ours can be built, so no page
        return SENTENCES[400], 400, {"Content-Type": "text/plain; charset=utf-8"}
    code = error.code or 500
    return _page(code, SENTENCES.get(code, SENTENCES[400]))


def _show_missing(error: Exception) -> tuple[str, int, dict[str, str]]:
    """Database, disk or store do not answer: what was typed is on the page, to be sent again."""
    log.error("something the desk needs does not answer", exc_info=error)
    return (*_page(Unavailable.status, SENTENCES[Unavailable.status]), {"Retry-After": str(RETRY_AFTER_SECONDS)})


def _show_unexpected(error: Exception) -> tuple[str, int]:
    log.error("unexpected failure", exc_info=error)
    return _page(InternalServerError.code or 500, SENTENCES[500])


def _page(code: int, sentence: str) -> tuple[str, int]:
    return render_template("errors/error.html", code=code, sentence=sentence), code
