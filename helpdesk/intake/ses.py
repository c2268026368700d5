"""POST /intake/ses: a mail that Amazon SES received and tells of through SNS, within the message or from a bucket."""

import logging

from flask import Response, request
from werkzeug.exceptions import RequestEntityTooLarge

from helpdesk.access import public
from helpdesk.config import settings
from helpdesk.errors import Invalid, NotFound
from helpdesk.intake import blueprint
from helpdesk.intake.amazon import amazon
from helpdesk.intake.answers import answer, check_mail
from helpdesk.intake.notices import ELSEWHERE, END, SCHEME, SUBSCRIPTION, Notice, read_notice
from helpdesk.intake.objects import read_object
from helpdesk.intake.operations import take
from helpdesk.intake.receipts import read_receipt
from helpdesk.intake.signing import Forged

log = logging.getLogger(__name__)

NOTICE_BYTES = 2 * 1024 * 1024  # SNS sends 256 KB, and may write a character as six
CONFIRMED = "The subscription is confirmed."
NOT_CONFIRMED = "Amazon did not confirm the subscription; request a confirmation once more."
ENDED = "The subscription has ended."


@blueprint.post("/intake/ses")
@public
def take_ses() -> Response:
    """Keep one mail that SES received."""
    if not settings().ses_topics:
        raise NotFound
    return answer(_take, challenge=SCHEME.challenge)


def _take() -> bool | str:
    notice = read_notice(read_object(_body(), otherwise=SCHEME.unsigned), topics=settings().ses_topics)
    _check(notice)
    if notice.kind == SUBSCRIPTION:
        return _confirm(notice)
    if notice.kind == END:
        log.error("a subscription at Amazon SNS has ended, no mail comes from it", extra={"topic": notice.topic})
        return ENDED
    return _take_mail(notice)


def _body() -> bytes:
    request.max_content_length = NOTICE_BYTES
    try:
        return request.get_data(cache=False)
    except RequestEntityTooLarge as error:
        raise Invalid(SCHEME.unsigned) from error


def _check(notice: Notice) -> None:
    """Raises Forged when it is not from Amazon, NoAnswer when that cannot be found out just now."""
    from helpdesk.intake.certificates import check_signature  # noqa: PLC0415 slow to load, and only this door needs it

    certificate = amazon().certificate(notice.host, notice.certificate_path)
    if certificate is None:
        raise Forged(ELSEWHERE)
    version = notice.fields["SignatureVersion"]
    check_signature(certificate, signature=notice.signature, text=notice.signed_text, version=version)


def _confirm(notice: Notice) -> str:
    if amazon().get(notice.host, notice.confirming_path) is None:
        raise Invalid(NOT_CONFIRMED)
    return CONFIRMED


def _take_mail(notice: Notice) -> bool:
    receipt = read_receipt(notice.fields["Message"])
    return take(
        check_mail(receipt.mail()), claim=notice.claim, remote_address=request.remote_addr or "",
        envelope_from=receipt.envelope_from, envelope_to=receipt.envelope_to,
    )  # fmt: skip
