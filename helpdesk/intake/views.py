"""POST /intake/mime: one raw mail in one signed request, answered in one sentence of plain text."""

from tempfile import SpooledTemporaryFile

from flask import Response, request

from helpdesk.access import public
from helpdesk.config import settings
from helpdesk.errors import NotFound
from helpdesk.intake import blueprint
from helpdesk.intake.answers import MAX_BYTES, answer, check_mail
from helpdesk.intake.operations import take
from helpdesk.intake.signing import OWN, Claim, Signer, read_claim

PIECE_BYTES = 64 * 1024
IN_MEMORY_BYTES = 1024 * 1024


@blueprint.post("/intake/mime")
@public
def take_mime() -> Response:
    """Keep one mail; the sender may forget it after a 200."""
    if not settings().intake_keys:
        raise NotFound
    return answer(_take_signed, challenge=OWN.challenge)


def _take_signed() -> bool:
    headers = request.headers
    claim = read_claim(headers.get("X-Helpdesk-Timestamp", ""), headers.get("X-Helpdesk-Signature", ""))
    return take(check_mail(_read_signed(claim)), claim=claim, remote_address=request.remote_addr or "")


def _read_signed(claim: Claim) -> bytes:
    """The body; strangers can fill no memory with it, since it waits on disk until its signature is known."""
    request.max_content_length = MAX_BYTES
    signer = Signer(settings().intake_keys, claim, start=f"{claim.timestamp}.")
    with SpooledTemporaryFile(max_size=IN_MEMORY_BYTES) as body:
        while piece := request.stream.read(PIECE_BYTES):
            signer.update(piece)
            body.write(piece)
        signer.check()
        body.seek(0)
        return body.read()
