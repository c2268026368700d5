"""POST /intake/sendgrid/…: a mail from SendGrid's Inbound Parse, which posts the raw mail when told to."""

import json
from functools import partial

from flask import Response

from helpdesk.access import public
from helpdesk.config import settings
from helpdesk.errors import Invalid
from helpdesk.inbound.receiving import receive
from helpdesk.intake import blueprint
from helpdesk.intake.answers import answer, check_mail
from helpdesk.intake.envelopes import recipients_of, sender_of
from helpdesk.intake.forms import read_form
from helpdesk.intake.passwords import CHALLENGE, check_caller, note_good_caller

MISSING = "The field email is missing; let SendGrid post the raw, full MIME message."


@blueprint.post("/intake/sendgrid/<segment>")
@public
def take_sendgrid(segment: str) -> Response:
    """Keep one mail of SendGrid's."""
    return answer(partial(_take, segment), challenge=CHALLENGE)


def _take(segment: str) -> bool:
    check_caller(settings().sendgrid_secret, segment)
    with read_form({"email", "envelope"}) as form:
        raw, envelope = form.whole("email"), form.text("envelope")
    if raw is None:
        raise Invalid(MISSING)
    sender, recipients = _read(envelope or "")
    receive(check_mail(raw), envelope_from=sender, envelope_to=recipients, beside=note_good_caller)
    return True


def _read(envelope: str) -> tuple[str | None, tuple[str, ...]]:
    """Sender and recipients; a mail whose envelope cannot be read is kept without one."""
    try:
        said = json.loads(envelope)
    except (ValueError, RecursionError):
        return None, ()
    if not isinstance(said, dict):
        return None, ()
    to = said.get("to")
    return sender_of(said.get("from")), recipients_of(to if isinstance(to, list) else [to])
