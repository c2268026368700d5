"""The mail server that sends: reached, encrypted, signed in to, and tried with one mail if asked."""

import smtplib
from collections.abc import Iterator
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

from helpdesk.doctor.findings import Checkup, Finding, bad, fine, reason_of
from helpdesk.doctor.mail_check import check_smtp
from helpdesk.doctor.troubles import trouble_of
from helpdesk.errors import Misconfigured
from helpdesk.extensions import mail
from helpdesk.outbound.transport import Connection

AREA = "smtp"
SECURITY = {"tls": "over verified TLS", "starttls": "over verified TLS", "none": "in the clear, on this machine"}


def check_smtp_server(checkup: Checkup) -> Iterator[Finding]:
    """Sign in as the worker will; then send the test mail that was asked for."""
    with checkup.app.app_context():
        try:
            check_smtp()
        except Misconfigured as refusal:
            yield bad(AREA, _why_not(checkup, refusal.__cause__ or refusal))
            return
        yield fine(AREA, f"The mail server that sends lets us in {SECURITY[checkup.settings.smtp_security]}.")
        if checkup.test_mail_to:
            yield _send_test_mail(checkup)


def _why_not(checkup: Checkup, error: BaseException) -> str:
    settings = checkup.settings
    where = f"{settings.smtp_host}:{settings.smtp_port}"
    match error:
        case smtplib.SMTPAuthenticationError():
            return f"{where} refused our login; check HELPDESK_SMTP_USERNAME and HELPDESK_SMTP_PASSWORD."
        case smtplib.SMTPNotSupportedError() if "STARTTLS" in str(error):
            return f"{where} offers no STARTTLS; check HELPDESK_SMTP_PORT and HELPDESK_SMTP_SECURITY."
        case smtplib.SMTPNotSupportedError():
            return f"{where} offers no login here; leave HELPDESK_SMTP_USERNAME empty, or use TLS."
    silence = error.__context__ if isinstance(error, smtplib.SMTPServerDisconnected) else None
    trouble = trouble_of(silence or error, host=settings.smtp_host, port=settings.smtp_port)
    return trouble or f"{where} did not let us in: {reason_of(error)}; check the HELPDESK_SMTP_ settings."


def _send_test_mail(checkup: Checkup) -> Finding:
    sender, address = checkup.settings.sender, checkup.test_mail_to
    try:
        with Connection(mail) as connection:
            connection.host.send_message(_test_mail(sender, address), sender, [address])
    except (smtplib.SMTPException, OSError) as error:
        return bad(
            AREA, f"The test mail from {sender} to {address} was refused: {_said(error)}; may we send as {sender}?"
        )
    return fine(AREA, f"The test mail from {sender} to {address} was accepted; see that it arrives.")


def _said(error: BaseException) -> str:
    refused = getattr(error, "recipients", None)
    code, answer = (
        next(iter(refused.values()))
        if refused
        else (getattr(error, "smtp_code", ""), getattr(error, "smtp_error", b""))
    )
    text = answer.decode(errors="replace") if isinstance(answer, bytes) else str(answer)
    return f"{code} {text}".strip() or reason_of(error)


def _test_mail(sender: str, address: str) -> EmailMessage:
    test = EmailMessage()
    test["From"], test["To"], test["Subject"] = sender, address, "A test mail of your helpdesk"
    test["Date"], test["Message-ID"] = formatdate(), make_msgid(domain=sender.rpartition("@")[2])
    test["Auto-Submitted"] = "auto-generated"
    test.set_content("“helpdesk doctor” was asked to send this mail. If you can read it, sending works.\n")
    return test
