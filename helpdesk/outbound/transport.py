"""Handing mail to the SMTP server: Flask-Mail with a timeout, verified TLS and an answer for every way it can end."""

import contextlib
import smtplib
import ssl
from collections.abc import Iterator
from email.charset import QP, SHORTEST, add_charset
from email.header import Header
from email.mime.base import MIMEBase
from email.policy import compat32
from types import TracebackType

import flask_mail
from flask import Flask, current_app
from sqlalchemy.exc import DBAPIError

from helpdesk import files
from helpdesk.config import Settings
from helpdesk.database import db
from helpdesk.extensions import mail
from helpdesk.outbound.envelopes import envelope_from
from helpdesk.outbound.models import OutboundRecipient
from helpdesk.outbound.operations import Claim, Delivery, Outcome, hold, refuse_control
from helpdesk.outbound.rendering import html_for, text_for

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
        context = ssl.create_default_context(cafile=settings.smtp_ca_file)
        host = _host(settings, context)
        try:
            if settings.smtp_security == "starttls":
                host.starttls(context=context)
            if settings.smtp_username:
                host.login(settings.smtp_username, settings.smtp_password.get_secret_value())
        except BaseException:
            host.close()
            raise
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
        super().send(s)  # type: ignore[arg-type]
        # Only now: as long as the last bytes have not left, the server cannot have taken the mail.
        self.is_handed_over = isinstance(s, bytes) and s.endswith(b"\r\n.\r\n")


class WatchedSMTP(_Watched):
    """Plain or STARTTLS."""


class WatchedSMTPS(_Watched, smtplib.SMTP_SSL):
    """TLS from the first byte."""


def _host(settings: Settings, context: ssl.SSLContext) -> WatchedSMTP | WatchedSMTPS:
    where, seconds = (settings.smtp_host, settings.smtp_port), settings.smtp_timeout_seconds
    if settings.smtp_security == "tls":
        return WatchedSMTPS(*where, timeout=seconds, context=context)
    return WatchedSMTP(*where, timeout=seconds)


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
                    done += 1
                    if not hold(claim):
                        continue
                    delivery = _send_one(connection, claim, recipient)
                    yield delivery
                    if delivery.outcome is Outcome.UNKNOWN or connection.host.sock is None:
                        break
        except (smtplib.SMTPException, OSError) as error:
            yield from (Delivery(claim, Outcome.TEMPORARY, _reason(error)) for claim, _ in waiting[done:])
            return
        waiting = waiting[done:]


def _send_one(connection: Connection, claim: Claim, recipient: OutboundRecipient) -> Delivery:
    try:
        message, sender = _mime(recipient), envelope_from(recipient)
    except Exception as error:  # a mail that cannot be built must not stop the next one
        return _not_built(claim, error)
    finally:
        db.session.rollback()  # no transaction stays open while the mail server is asked
    try:
        connection.send(message, envelope_from=sender)
    except smtplib.SMTPRecipientsRefused as error:
        return _refused(claim, *next(iter(error.recipients.values())))
    except smtplib.SMTPResponseException as error:
        _begin_afresh(connection)
        return _refused(claim, error.smtp_code, error.smtp_error)
    except (smtplib.SMTPException, OSError) as error:
        handed_over = connection.host.is_handed_over
        connection.host.close()
        return Delivery(claim, Outcome.UNKNOWN if handed_over else Outcome.TEMPORARY, _reason(error))
    except (ValueError, flask_mail.BadHeaderError) as error:
        return Delivery(claim, Outcome.PERMANENT, f"This mail cannot be sent by SMTP: {_reason(error)}")
    return Delivery(claim, Outcome.SENT)


def _not_built(claim: Claim, error: Exception) -> Delivery:
    """What the machine lacks for a while is not the mail's fault; a file that is gone, or bad data, will not mend."""
    if isinstance(error, (DBAPIError, OSError)) and not isinstance(error, FileNotFoundError):
        return Delivery(claim, Outcome.TEMPORARY, f"This mail could not be put together yet: {_brief(error)}")
    return Delivery(claim, Outcome.PERMANENT, f"This mail could not be put together: {_reason(error)}")


def _brief(error: Exception) -> str:
    return "the database does not answer" if isinstance(error, DBAPIError) else _reason(error)


def _begin_afresh(connection: Connection) -> None:
    """End a mail that the server refused at DATA, which smtplib leaves open, so that the next one can begin."""
    with contextlib.suppress(smtplib.SMTPException, OSError):
        connection.host.rset()


def _refused(claim: Claim, code: int, answer: bytes | str) -> Delivery:
    said = answer.decode(errors="replace") if isinstance(answer, bytes) else answer
    return Delivery(claim, _by_code(code), f"{code} {said}")


class _Mail(flask_mail.Message):
    """Flask-Mail's message to one address, with each header encoded once and ids that are folded and never encoded."""

    envelope_to: str

    @property
    def send_to(self) -> set[str | tuple[str, str]]:
        """This address alone: whoever else stands in To or Cc gets a delivery of his own."""
        return {self.envelope_to}

    def _message(self) -> MIMEBase:
        message: MIMEBase = super()._message()
        # email.policy.SMTP turns an id longer than a line into an encoded word, which breaks threads.
        message.policy = compat32.clone(linesep="\r\n")
        message.replace_header("From", str(self.sender))  # already encoded; Flask-Mail would do so once more
        for name, value in {"Subject": self.subject, **(self.extra_headers or {})}.items():
            if not value.isascii():
                message.replace_header(name, Header(value, "utf-8", header_name=name).encode())
        if self.cc:  # Flask-Mail shuffles them, and all copies of a mail must be the same
            message.replace_header("Cc", ", ".join(sorted(message["Cc"].split(", "))))
        return message


def _mime(recipient: OutboundRecipient) -> flask_mail.Message:
    email = recipient.email
    to, copies = email.to if recipient.is_copy else recipient.address, email.copies
    refuse_control(email.message_id, email.sender, email.subject, to, *copies, *email.headers.values())
    message = _Mail(
        subject=email.subject,
        sender=email.sender,
        recipients=[to],
        cc=[*copies],
        reply_to=email.reply_to,
        body=text_for(recipient),
        html=html_for(recipient),
        date=email.created_at.timestamp(),
        extra_headers=email.headers,
    )
    message.envelope_to, message.msgId = recipient.address, f"<{email.message_id}>"
    for file in email.files:
        message.attach(file["name"], file["media_type"], files.get(file["key"]))
    return message


def _by_code(code: int) -> Outcome:
    return Outcome.PERMANENT if 500 <= code < 600 else Outcome.TEMPORARY


def _reason(error: BaseException) -> str:
    return str(error) or type(error).__name__
