"""Handing mail to the SMTP server: Flask-Mail with a deadline, verified TLS and an answer for every way it can end."""

import contextlib
import re
import smtplib
import ssl
import threading
from collections.abc import Iterator
from types import TracebackType
from typing import Self

import flask_mail
from flask import Flask, current_app
from sqlalchemy.exc import DBAPIError

from helpdesk.config import Settings
from helpdesk.database import db
from helpdesk.extensions import mail
from helpdesk.outbound import signing
from helpdesk.outbound.claiming import hold
from helpdesk.outbound.deliveries import Blame, Claim, Delivery, Outcome
from helpdesk.outbound.letters import Letter, letter_of
from helpdesk.outbound.models import OutboundRecipient
from helpdesk.outbound.schedule import DEADLINE

NO_UTF8 = "The mail server takes no address with letters beyond a–z before the @ (it offers no SMTPUTF8, RFC 6531)."
_OF_ONE_MAIL = re.compile(r"4\d\d[ -]4\.[126]\.")  # address, mailbox, content (RFC 3463 §3): others may well arrive


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
    signing.init_app(app, settings)
    mail.init_app(app)


class Connection(flask_mail.Connection):
    """One connection to the server, reused for mail after mail."""

    host: "WatchedSMTP | WatchedSMTPS"

    def configure_host(self) -> "WatchedSMTP | WatchedSMTPS":
        settings: Settings = current_app.extensions["smtp_settings"]
        context = ssl.create_default_context(cafile=settings.smtp_ca_file)
        host = _host(settings, context)
        try:
            with host.in_time():
                if settings.smtp_security == "starttls":
                    host.starttls(context=context)
                if settings.smtp_username:
                    host.login(settings.smtp_username, settings.smtp_password.get_secret_value())
        except BaseException:
            host.close()
            raise
        return host

    def hand_over(self, letter: Letter) -> None:
        """Send one letter as it is. Flask-Mail's own way knows neither SMTPUTF8 nor a signature."""
        with self.host.in_time():
            self.host.sendmail(letter.envelope_from, [letter.to], letter.raw, letter.mail_options)

    def is_ready(self) -> bool:
        """True when the server still listens, and has forgotten the mail before (RSET, RFC 5321 §4.1.1.5)."""
        try:
            with self.host.in_time():
                return self.host.sock is not None and self.host.rset()[0] == 250
        except (smtplib.SMTPException, OSError):
            return False

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        with contextlib.suppress(smtplib.SMTPException, OSError), self.host.in_time():
            self.host.quit()


class _Watched(smtplib.SMTP):
    """Ends what takes too long, and notices the moments from which others may be to blame or have taken the mail."""

    is_addressed = False
    is_handed_over = False

    def __init__(self, *args: object, **kwargs: object) -> None:
        with self.in_time():
            super().__init__(*args, **kwargs)  # type: ignore[arg-type]

    def mail(self, *args: object, **kwargs: object) -> tuple[int, bytes]:
        self.is_addressed = self.is_handed_over = False
        return super().mail(*args, **kwargs)  # type: ignore[arg-type]

    def rcpt(self, *args: object, **kwargs: object) -> tuple[int, bytes]:
        self.is_addressed = True
        return super().rcpt(*args, **kwargs)  # type: ignore[arg-type]

    def send(self, s: object) -> None:
        super().send(s)  # type: ignore[arg-type]
        # Only now: as long as the last bytes have not left, the server cannot have taken the mail.
        self.is_handed_over = isinstance(s, bytes) and s.endswith(b"\r\n.\r\n")

    @contextlib.contextmanager
    def in_time(self) -> Iterator[None]:
        """Cut the connection when what is done inside takes longer than DEADLINE, however busy the server looks: each
        byte that drips in begins a socket's own timeout anew.
        """
        cut = threading.Event()
        timer = threading.Timer(DEADLINE.total_seconds(), self._cut, (cut,))
        timer.daemon = True
        timer.start()
        try:
            yield
        except (smtplib.SMTPException, OSError) as error:
            if cut.is_set():
                raise TimeoutError(f"The mail server took longer than {DEADLINE.seconds} seconds.") from error
            raise
        finally:
            timer.cancel()

    def _cut(self, cut: threading.Event) -> None:
        cut.set()
        with contextlib.suppress(OSError, AttributeError):  # it may be closed, or never have been open
            self.sock.shutdown(2)  # type: ignore[union-attr]


class WatchedSMTP(_Watched):
    """Plain or STARTTLS."""


class WatchedSMTPS(_Watched, smtplib.SMTP_SSL):
    """TLS from the first byte."""


class Line:
    """A worker's line to the server: opened for the first mail, proved before each other one, opened anew when lost."""

    def __init__(self) -> None:
        self._connection: Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def open(self) -> Connection:
        """The connection, ready for a mail. Raises SMTPException or OSError when the server does not let us in."""
        if self._connection is not None and not self._connection.is_ready():
            self.close()
        if self._connection is None:
            self._connection = Connection(mail).__enter__()
        return self._connection

    def close(self) -> None:
        """Say good-bye, if anybody listens."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.__exit__(None, None, None)


def send(line: Line, claim: Claim, recipient: OutboundRecipient) -> Delivery | None:
    """Try a claimed delivery; what became of it, or None when the claim is no longer ours. Raises nothing.

    Outside any transaction. A failure before the final dot is temporary or permanent; after it, without an
    answer, it is unknown (RFC 1047).
    """
    try:
        letter = letter_of(recipient)
    except Exception as error:  # a mail that cannot be built must not stop the next one
        return _not_built(claim, error)
    finally:
        db.session.rollback()  # no transaction stays open while the mail server is asked
    try:
        connection = line.open()
    except (smtplib.SMTPException, OSError) as error:
        return Delivery(claim, Outcome.TEMPORARY, _reason(error), Blame.RELAY)
    return _hand_over(connection, claim, letter) if hold(claim) else None


def _host(settings: Settings, context: ssl.SSLContext) -> WatchedSMTP | WatchedSMTPS:
    where, seconds = (settings.smtp_host, settings.smtp_port), settings.smtp_timeout_seconds
    if settings.smtp_security == "tls":
        return WatchedSMTPS(*where, timeout=seconds, context=context)
    return WatchedSMTP(*where, timeout=seconds)


def _hand_over(connection: Connection, claim: Claim, letter: Letter) -> Delivery:
    try:
        connection.hand_over(letter)
    except smtplib.SMTPRecipientsRefused as error:
        return _refused(claim, *next(iter(error.recipients.values())), Blame.DESTINATION)
    except smtplib.SMTPSenderRefused as error:
        return _refused(claim, error.smtp_code, error.smtp_error, Blame.RELAY)
    except smtplib.SMTPResponseException as error:
        return _refused(claim, error.smtp_code, error.smtp_error, Blame.DESTINATION)
    except smtplib.SMTPNotSupportedError:
        return Delivery(claim, Outcome.PERMANENT, NO_UTF8)
    except (smtplib.SMTPException, OSError) as error:
        return _lost(connection.host, claim, error)
    except ValueError as error:
        return Delivery(claim, Outcome.PERMANENT, f"This mail cannot be sent by SMTP: {_reason(error)}")
    return Delivery(claim, Outcome.SENT)


def _lost(host: _Watched, claim: Claim, error: Exception) -> Delivery:
    """The connection broke, or nobody answered in time."""
    host.close()
    outcome = Outcome.UNKNOWN if host.is_handed_over else Outcome.TEMPORARY
    return Delivery(claim, outcome, _reason(error), Blame.DESTINATION if host.is_addressed else Blame.RELAY)


def _not_built(claim: Claim, error: Exception) -> Delivery:
    """What the machine lacks for a while is not the mail's fault; a file that is gone, or bad data, will not mend."""
    if isinstance(error, (DBAPIError, OSError)) and not isinstance(error, FileNotFoundError):
        return Delivery(claim, Outcome.TEMPORARY, f"This mail could not be put together yet: {_brief(error)}")
    return Delivery(claim, Outcome.PERMANENT, f"This mail could not be put together: {_reason(error)}")


def _brief(error: Exception) -> str:
    return "the database does not answer" if isinstance(error, DBAPIError) else _reason(error)


def _refused(claim: Claim, code: int, answer: bytes | str, blame: Blame) -> Delivery:
    said = answer.decode(errors="replace") if isinstance(answer, bytes) else answer
    outcome, error = _by_code(code), f"{code} {said}"
    is_for_all = outcome is Outcome.TEMPORARY and not _OF_ONE_MAIL.match(error)
    return Delivery(claim, outcome, error, blame if is_for_all else Blame.NOBODY)


def _by_code(code: int) -> Outcome:
    return Outcome.PERMANENT if 500 <= code < 600 else Outcome.TEMPORARY


def _reason(error: BaseException) -> str:
    return str(error) or type(error).__name__
