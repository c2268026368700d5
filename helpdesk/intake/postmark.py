"""POST /intake/postmark/…: a mail from Postmark's inbound webhook, with the raw mail in it."""

from functools import partial

from flask import Response, request

from helpdesk.access import public
from helpdesk.config import settings
from helpdesk.errors import Invalid
from helpdesk.inbound.receiving import receive
from helpdesk.intake import blueprint
from helpdesk.intake.answers import answer, check_mail
from helpdesk.intake.envelopes import recipients_of
from helpdesk.intake.forms import REQUEST_BYTES
from helpdesk.intake.objects import read_object
from helpdesk.intake.passwords import CHALLENGE, check_caller, note_good_caller

NO_JSON = "The request is no JSON of Postmark's."
MISSING = "RawEmail is missing; let Postmark include the raw email content."


@blueprint.post("/intake/postmark/<segment>")
@public
def take_postmark(segment: str) -> Response:
    """Keep one mail of Postmark's."""
    return answer(partial(_take, segment), challenge=CHALLENGE)


def _take(segment: str) -> bool:
    check_caller(settings().postmark_secret, segment)
    request.max_content_length = REQUEST_BYTES
    said = read_object(request.get_data(cache=False), otherwise=NO_JSON)
    raw = said.get("RawEmail")
    if not isinstance(raw, str):
        raise Invalid(MISSING)
    mail = check_mail(raw.encode(errors="surrogatepass"))
    receive(mail, envelope_to=recipients_of([said.get("OriginalRecipient")]), beside=note_good_caller)
    return True
