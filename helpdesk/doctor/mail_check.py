"""Signing in to the mail servers, to know before anything is set up."""

import smtplib
from typing import Any

from flask import current_app

from helpdesk.config import Settings
from helpdesk.errors import Misconfigured
from helpdesk.extensions import mail
from helpdesk.inbound.sources.mailbox import Address, MailboxFailed, connect
from helpdesk.outbound.transport import Connection


def check_smtp() -> str:
    """Connect, encrypt and sign in as the worker will; returns a sentence. Raises Misconfigured with the reason."""
    try:
        with Connection(mail):
            return "The mail server that sends let us in."
    except (smtplib.SMTPException, OSError) as error:
        raise Misconfigured(f"The mail server that sends did not let us in: {error}") from error


def check_imap(mailbox: dict[str, Any], *, name: str) -> str:
    """Sign in to the mailbox and look into its folder; returns a sentence. Raises Misconfigured with the reason."""
    settings: Settings = current_app.extensions["settings"]
    try:
        with connect(Address.of(mailbox, password=settings.imap_password_of(name))) as box:
            box.select()
            return f"The mailbox let us in; it holds {len(box.uids())} mails."
    except MailboxFailed as error:
        raise Misconfigured(f"The mailbox did not let us in: {error}") from error
