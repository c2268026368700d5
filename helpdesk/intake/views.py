"""POST /intake/mime: one raw mail in one signed request, answered in one sentence of plain text."""

import logging
from tempfile import SpooledTemporaryFile

from flask import Response, request
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import RequestEntityTooLarge

from helpdesk.access import public
from helpdesk.config import settings
from helpdesk.errors import NotFound, TooMany, Unsigned
from helpdesk.intake import blueprint
from helpdesk.intake.operations import take
from helpdesk.intake.signing import Claim, Signer, WrongSignature, read_claim
from helpdesk.intake.tries import count_wrong, refuse_guessers

log = logging.getLogger(__name__)

MAX_BYTES = 50 * 1024 * 1024
PIECE_BYTES = 64 * 1024
IN_MEMORY_BYTES = 1024 * 1024
RETRY_AFTER_SECONDS = "60"

KEPT = "The mail is kept."
KEPT_BEFORE = "The mail was kept before."
NO_MAIL = "There was no mail in the request."
TOO_LARGE = f"This mail is larger than {MAX_BYTES // 1024 // 1024} MB."
NOT_NOW = "The mail could not be kept just now; send it again later."


@blueprint.post("/intake/mime")
@public
def take_mime() -> Response:
    """Keep one mail; the sender may forget it after a 200."""
    if not settings().intake_keys:
        raise NotFound
    try:
        return _take_signed()
    except Unsigned as refusal:
        return _say(401, refusal.message, {"WWW-Authenticate": "Helpdesk-Signature"})
    except TooMany as refusal:
        return _say(refusal.status, refusal.message, refusal.headers)
    except RequestEntityTooLarge:
        return _say(413, TOO_LARGE)
    except (OSError, SQLAlchemyError):
        log.exception("a mail that came by HTTP could not be kept")
        return _say(503, NOT_NOW, {"Retry-After": RETRY_AFTER_SECONDS})


def _take_signed() -> Response:
    claim = read_claim(request.headers.get("X-Helpdesk-Timestamp", ""), request.headers.get("X-Helpdesk-Signature", ""))
    remote_address = request.remote_addr or ""
    refuse_guessers(remote_address)
    try:
        raw = _read_signed(claim)
    except WrongSignature:
        count_wrong(remote_address)
        raise
    if not raw.strip():
        return _say(422, NO_MAIL)
    return _say(200, KEPT if take(raw, claim=claim, remote_address=remote_address) else KEPT_BEFORE)


def _read_signed(claim: Claim) -> bytes:
    """The body; strangers can fill no memory with it, since it waits on disk until its signature is known."""
    request.max_content_length = MAX_BYTES
    signer = Signer([key.get_secret_value() for key in settings().intake_keys], claim)
    with SpooledTemporaryFile(max_size=IN_MEMORY_BYTES) as body:
        while piece := request.stream.read(PIECE_BYTES):
            signer.update(piece)
            body.write(piece)
        signer.check()
        body.seek(0)
        return body.read()


def _say(status: int, sentence: str, headers: dict[str, str] | None = None) -> Response:
    return Response(sentence + "\n", status, headers, mimetype="text/plain")
