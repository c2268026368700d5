"""Handing mail to the SMTP server: Flask-Mail with a timeout, verified TLS and an answer for every way it can end."""

import contextlib
import smtplib
import ssl
from collections.abc import Iterator
from email.charset import QP, SHORTEST, add_charset
from email.header import Header
from types import TracebackType

import flask_mail
from flask import Flask, current_app

from helpdesk import files
from helpdesk.config import Settings
from helpdesk.extensions import mail
from helpdesk.outbound.models import OutboundRecipient
from helpdesk.outbound.operations import Claim, Delivery, Outcome, refuse_control

add_charset("utf-8", SHORTEST, QP, "utf-8")  # else long lines leave unwrapped and are refused (RFC 5321 §4.5.3.1.6)


def init_app(app: Flask, settings: Settings) -> None:
    """Tell Flask-Mail about the server; it never sends but through this module."""
    app.config.update(
        MAIL_SERVER=settings.smtp_host,
        MAIL_PORT=settings.smtp_port,
        MAIL_USERNAME=settings.smtp_username or None,
        MAIL_PASSWORD=settings.smtp_password.get_secret_value() or None,
        MAIL_USE_SSL=settings.smtp_security == "tls",
        MAIL_USE_TLS=settings.smtp_security == "starttls",
        MAIL_SUPPRESS_SEND=False,
    )
    app.extensions["smtp_settings"] = settings
    mail.init_app(app)


class Connection(flask_mail.Connection):
    """One connection to the server, reused for a batch."""

    host: "WatchedSMTP | WatchedSMTPS"

    def configure_host(self) -> "WatchedSMTP | WatchedSMTPS":
        settings: Settings = current_app.extensions["smtp_settings"]
        where = (settings.smtp_host, settings.smtp_port)
        context = ssl.create_default_context(cafile=settings.smtp_ca_file)
        if settings.smtp_security == "tls":
            host: WatchedSMTP | WatchedSMTPS = WatchedSMTPS(
                *where, timeout=settings.smtp_timeout_seconds, context=context
            )
        else:
            host = WatchedSMTP(*where, timeout=settings.smtp_timeout_seconds)
            if settings.smtp_security == "starttls":
                host.starttls(context=context)
        if settings.smtp_username:
            host.login(settings.smtp_username, settings.smtp_password.get_secret_value())
        return host

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        with contextlib.suppress(smtplib.SMTPException, OSError):
            self.host.quit()


class _Watched(smtplib.SMTP):
    """Notices the moment from which the server may have taken the mail."""

    is_handed_over = False

    def mail(self, *args: object, **kwargs: object) -> tuple[int, bytes]:
        self.is_handed_over = False
        return super().mail(*args, **kwargs)  # type: ignore[arg-type]

    def send(self, s: object) -> None:
        if isinstance(s, bytes) and s.endswith(b"\r\n.\r\n"):
            self.is_handed_over = True
        super().send(s)  # type: ignore[arg-type]


class WatchedSMTP(_Watched):
    """Plain or STARTTLS."""


class WatchedSMTPS(_Watched, smtplib.SMTP_SSL):
    """TLS from the first byte."""


def send(batch: list[tuple[Claim, OutboundRecipient]]) -> Iterator[Delivery]:
    """Try each claimed delivery over one connection; yields what became of each, raises nothing.

    Outside any transaction. A failure before the final dot is temporary or permanent; after it, without an
    answer, it is unknown (RFC 1047).
    """
    waiting = list(batch)
    while waiting:
        done = 0
        try:
            with Connection(mail) as connection:
                for claim, recipient in waiting:
                    delivery = _send_one(connection, claim, recipient)
                    done += 1
                    yield delivery
                    if delivery.outcome is Outcome.UNKNOWN or connection.host.sock is None:
                        break
        except (smtplib.SMTPException, OSError) as error:
            yield from (Delivery(claim, Outcome.TEMPORARY, _reason(error)) for claim, _ in waiting[done:])
            return
        waiting = waiting[done:]


def _send_one(connection: Connection, claim: Claim, recipient: OutboundRecipient) -> Delivery:
    try:
        connection.send(_mime(recipient), envelope_from=recipient.email.envelope_from)
    except smtplib.SMTPRecipientsRefused as error:
        code, answer = next(iter(error.recipients.values()))
        return Delivery(claim, _by_code(code), f"{code} {_words(answer)}")
    except smtplib.SMTPResponseException as error:
        return Delivery(claim, _by_code(error.smtp_code), f"{error.smtp_code} {_words(error.smtp_error)}")
    except (smtplib.SMTPException, OSError) as error:
        handed_over = connection.host.is_handed_over
        connection.host.close()
        return Delivery(claim, Outcome.UNKNOWN if handed_over else Outcome.TEMPORARY, _reason(error))
    except Exception as error:  # a mail that cannot be built must not stop the next one
        return Delivery(claim, Outcome.PERMANENT, f"This mail could not be put together: {_reason(error)}")
    return Delivery(claim, Outcome.SENT)


def _mime(recipient: OutboundRecipient) -> flask_mail.Message:
    email = recipient.email
    headers = {
        name: Header(value, "utf-8").encode() if not value.isascii() else value for name, value in email.headers.items()
    }
    refuse_control(email.message_id, email.sender, email.subject, recipient.address, *headers.values())
    message = flask_mail.Message(
        subject=email.subject,
        sender=email.sender,
        recipients=[recipient.address],
        reply_to=email.reply_to,
        body=email.body_text,
        html=email.body_html,
        date=email.created_at.timestamp(),
        extra_headers=headers,
    )
    message.msgId = f"<{email.message_id}>"
    for file in email.files:
        message.attach(file["name"], file["media_type"], files.get(file["key"]))
    return message


def _words(answer: bytes | str) -> str:
    return answer.decode(errors="replace") if isinstance(answer, bytes) else answer


def _by_code(code: int) -> Outcome:
    return Outcome.PERMANENT if 500 <= code < 600 else Outcome.TEMPORARY


def _reason(error: BaseException) -> str:
    return str(error) or type(error).__name__
