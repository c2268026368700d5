"""The doors for mail: every IMAP mailbox, and the LMTP address."""

import smtplib
from collections.abc import Iterator
from typing import Any

from imap_tools import MailboxFolderSelectError, MailboxLoginError
from sqlalchemy import select

from helpdesk.config import UNIX
from helpdesk.database import db
from helpdesk.doctor.databases import is_migrated
from helpdesk.doctor.findings import PATIENCE_SECONDS, Checkup, Finding, bad, fine, look, reason_of
from helpdesk.doctor.troubles import trouble_of
from helpdesk.inbound.models import Source
from helpdesk.inbound.sources.imap import address_of
from helpdesk.inbound.sources.mailbox import Address, MailboxFailed, connect
from helpdesk.inbound.sources.signing_in import TokenRefused

AREA = "imap"
NO_STARTTLS = "TLS not supported by server"  # as imaplib says it
OVERQUOTA = "[OVERQUOTA]"  # RFC 5530 §3
UNDERSTOOD = 250
NEARLY_FULL, FULL = 85, 98  # percent
MAKE_ROOM = "delete old mail there, which the desk has kept, or get more room"


def check_mailboxes(checkup: Checkup) -> Iterator[Finding]:
    """Sign in to each mailbox, look into its folder, and see whether it tells of new mail."""
    if not is_migrated(checkup):
        return
    watched = select(Source.name, Source.settings).where(Source.active).order_by(Source.name)
    with checkup.engine.connect() as connection:
        sources = connection.execute(watched).all()
    if not sources:
        yield fine(AREA, "No mailbox is read.")
    for name, settings in sources:
        yield from _check_mailbox(checkup, name, settings)


def check_lmtp(checkup: Checkup) -> Iterator[Finding]:
    """Whoever listens at HELPDESK_LMTP_BIND speaks LMTP, or nobody does yet."""
    bind = checkup.settings.lmtp_bind
    if not bind:
        return
    taken = f"Another program listens at {bind}; end it, or choose another HELPDESK_LMTP_BIND."
    try:
        is_lmtp = _speaks_lmtp(bind)
    except (FileNotFoundError, ConnectionRefusedError):
        yield look("lmtp", f"Nobody takes mail at {bind}; start “helpdesk lmtp”, or “helpdesk up” again.")
    except (smtplib.SMTPException, OSError) as error:
        cause = error.__context__ if isinstance(error, smtplib.SMTPServerDisconnected) else error
        is_silent = isinstance(cause, OSError) and not isinstance(cause, (ConnectionError, smtplib.SMTPException))
        silent = f"{bind} does not answer: {reason_of(cause)}; check HELPDESK_LMTP_BIND." if cause else ""
        yield bad("lmtp", silent if is_silent else taken)
    else:
        yield fine("lmtp", f"Mail is taken at {bind}.") if is_lmtp else bad("lmtp", taken)


def _check_mailbox(checkup: Checkup, name: str, settings: dict[str, Any]) -> Iterator[Finding]:
    try:
        address = _address(checkup, name, settings)
        if not (address.password or address.token):
            todo = "set HELPDESK_IMAP_PASSWORD or HELPDESK_IMAP_PASSWORDS."
            yield bad(AREA, f"The mailbox {name} has no password; {todo}")
            return
        with connect(address) as box:
            box.select()
            can_idle, quota = box.can_idle, box.quota()
    except TokenRefused as refusal:
        yield bad(AREA, f"The mailbox {name} cannot be read: {refusal.message}")
        return
    except MailboxFailed as refusal:
        yield bad(AREA, _why_not(name, settings, refusal))
        return
    at_once = fine(AREA, f"The mailbox {name} lets us in and tells of new mail at once.")
    yield at_once if can_idle else _seen_late(checkup, name)
    if quota is not None:
        yield _room_of(name, *quota)


def _seen_late(checkup: Checkup, name: str) -> Finding:
    poll = checkup.settings.imap_poll_seconds
    return look(AREA, f"The server of the mailbox {name} has no IDLE, so new mail is seen every {poll} seconds only; "
                "lower HELPDESK_IMAP_POLL_SECONDS if that is too slow.")  # fmt: skip


def _address(checkup: Checkup, name: str, settings: dict[str, Any]) -> Address:
    """Where it is and how to get in; a token that is renewed on the way is kept, since it may be the only one."""
    if not settings.get("oauth"):
        return Address.of(settings, password=checkup.settings.imap_password_of(name))
    with checkup.desk.app_context():
        return address_of(db.session.scalars(select(Source).where(Source.name == name)).one())


def _room_of(name: str, used: int, limit: int) -> Finding:
    """How full the mailbox is, from kilobytes: a full one refuses mail, and the reader gets it back."""
    part = used * 100 // limit if limit else 100
    how_full = f"The mailbox {name} is {part} % full ({used} of {limit} kB)"
    if part >= FULL:
        return bad(AREA, f"{how_full}, so its server refuses mail; {MAKE_ROOM}.")
    return look(AREA, f"{how_full}; {MAKE_ROOM}.") if part >= NEARLY_FULL else fine(AREA, f"{how_full}.")


def _why_not(name: str, settings: dict[str, Any], refusal: MailboxFailed) -> str:
    error = refusal.__cause__ or refusal
    folder, user = settings.get("folder") or "INBOX", settings.get("username", "")
    if OVERQUOTA in refusal.message.upper():
        return f"The mailbox {name} is over its quota; {MAKE_ROOM}."
    if isinstance(error, MailboxLoginError):
        return f"The mailbox {name} refused the login of {user}; check its user name and HELPDESK_IMAP_PASSWORD."
    if isinstance(error, MailboxFolderSelectError):
        return f"The mailbox {name} has no folder {folder}; make it there, or name another one."
    host, port = str(settings.get("host", "")), int(settings.get("port") or 0)
    if NO_STARTTLS in refusal.message:
        return f"The mailbox {name} cannot be read: {host}:{port} offers no STARTTLS; use tls, as a rule on port 993."
    trouble = trouble_of(error, host=host, port=port) if port else None
    return f"The mailbox {name} cannot be read: {trouble or refusal.message + '; check its settings.'}"


def _speaks_lmtp(bind: str) -> bool:
    """Whether LHLO is understood (RFC 2033 §4.1), which a server of SMTP refuses."""
    host, _, port = bind.rpartition(":")
    where = (bind.removeprefix(UNIX), 0) if bind.startswith(UNIX) else (host.strip("[]"), int(port))
    with smtplib.LMTP(*where, local_hostname="localhost", timeout=PATIENCE_SECONDS) as connection:
        return connection.ehlo()[0] == UNDERSTOOD
