"""POST /intake/mailgun/mime: a mail from a route of Mailgun's. It sends raw mail where an address ends in “mime”."""

from datetime import timedelta

from flask import Response, request

from helpdesk.access import public
from helpdesk.config import settings
from helpdesk.errors import Invalid, NotFound, Unsigned
from helpdesk.intake import blueprint
from helpdesk.intake.answers import answer, check_mail
from helpdesk.intake.envelopes import recipients_of, sender_of
from helpdesk.intake.forms import Form, read_form
from helpdesk.intake.operations import take
from helpdesk.intake.signing import Claim, Scheme, Signer, read_claim

# Mailgun tries for 8 hours and does not promise to sign anew: a shorter time could lose what comes after an outage.
# All that time a signature is good for one mail.
SCHEME = Scheme(
    "Mailgun-Signature",
    timedelta(hours=9),
    "Mailgun's fields timestamp, token and signature are missing or malformed.",
    "The timestamp is more than 9 hours old, or of a time to come.",
)
MISSING = "The field body-mime is missing; let the route's address end in /intake/mailgun/mime."
FIELDS = {"timestamp", "token", "signature", "sender", "recipient", "body-mime"}


@blueprint.post("/intake/mailgun/mime")
@public
def take_mailgun() -> Response:
    """Keep one mail of Mailgun's."""
    if not settings().mailgun_keys:
        raise NotFound
    return answer(_take, challenge=SCHEME.challenge)


def _take() -> bool:
    with read_form(FIELDS) as form:
        claim = _check(form)
        raw = form.whole("body-mime")
        sender, recipient = form.text("sender"), form.text("recipient") or ""
    if raw is None:
        raise Invalid(MISSING)
    to = recipients_of(recipient.split(","))
    return take(
        check_mail(raw), claim=claim, remote_address=request.remote_addr or "", envelope_from=sender_of(sender),
        envelope_to=to,
    )  # fmt: skip


def _check(form: Form) -> Claim:
    """Who sent it: HMAC-SHA256 of timestamp and token (Mailgun, “Securing webhooks”). Raises Unsigned."""
    token = form.text("token")
    claim = read_claim(form.text("timestamp") or "", form.text("signature") or "", SCHEME)
    if not token:
        raise Unsigned(SCHEME.unsigned)
    Signer(settings().mailgun_keys, claim, start=claim.timestamp + token).check()
    return claim
