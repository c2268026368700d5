"""Taking a signed mail once: its signature is written in the transaction that keeps the mail."""

from datetime import timedelta
from functools import partial

from sqlalchemy import delete

from helpdesk import clock
from helpdesk.database import db
from helpdesk.errors import Conflict
from helpdesk.inbound.receiving import receive
from helpdesk.intake.models import SeenSignature
from helpdesk.intake.signing import Claim
from helpdesk.intake.tries import note_good

CLOCKS_APART = timedelta(hours=1)


def take(
    raw: bytes,
    *,
    claim: Claim,
    remote_address: str,
    envelope_from: str | None = None,
    envelope_to: tuple[str, ...] = (),
) -> bool:
    """Keep a mail for good; False when this very request was taken before, and nothing is kept again.

    The envelope is that of `receive`. Raises OSError or a database error when the mail could not be kept; the same
    request may then be sent once more.
    """
    try:
        note = partial(_note, claim, remote_address)
        receive(raw, envelope_from=envelope_from, envelope_to=envelope_to, beside=note)
    except Conflict:
        return False
    return True


def forget_signatures() -> None:
    """Drop signatures that nobody believes any more, by any clock. Runs inside the sweep's transaction."""
    db.session.execute(delete(SeenSignature).where(SeenSignature.expires_at < clock.now() - CLOCKS_APART))


def _note(claim: Claim, remote_address: str) -> None:
    if db.session.get(SeenSignature, claim.signature) is not None:
        raise Conflict("This request was taken before.")
    db.session.add(SeenSignature(signature=claim.signature, expires_at=claim.expires_at))
    note_good(remote_address)
