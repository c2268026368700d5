"""Signing in to a mailbox: with a password, or with an access token of OAuth (XOAUTH2, or OAUTHBEARER of RFC 7628)."""

import imaplib
import json
from collections.abc import Callable

from imap_tools import BaseMailBox

from helpdesk.errors import HelpdeskError

Token = Callable[[str], str]
MECHANISMS = ("XOAUTH2", "OAUTHBEARER")
LONGEST_REASON = 200


class MailboxFailed(HelpdeskError):
    """A mailbox could not be read; the message says why and holds no password."""

    status = 503


class TokenRefused(MailboxFailed):
    """There is no access token for a mailbox, or its server does not take it."""


def by_password(box: BaseMailBox, username: str, password: str) -> None:
    """Say user name and password. Raises an error of imap-tools when the server refuses them."""
    log_in = box.login if (username + password).isascii() else box.login_utf8
    log_in(username, password, initial_folder=None)


def by_token(client: imaplib.IMAP4, username: str, token: Token) -> None:
    """Show an access token, and a new one when the server refuses the first: it may have ended before its time.

    `token` is told which one was refused, "" at first. Raises TokenRefused.
    """
    mechanism = _mechanism(client)
    access_token = token("")
    if _refusal(client, mechanism, username, access_token) is None:
        return
    reason = _refusal(client, mechanism, username, token(access_token))
    if reason is not None:
        raise TokenRefused(f"The server refuses the access token for {username}: {reason}")


def _refusal(client: imaplib.IMAP4, mechanism: str, username: str, access_token: str) -> str | None:
    """None when the server lets us in, else what it says."""
    said: list[bytes] = []

    def answer(challenge: bytes) -> bytes:
        if not said and not challenge:
            said.append(b"")
            return _first_words(client, mechanism, username, access_token)
        said.append(challenge)
        return b"" if mechanism == "XOAUTH2" else b"\x01"  # the server wants to be heard before it says no

    try:
        client.authenticate(mechanism, answer)
    except imaplib.IMAP4.abort:
        raise
    except imaplib.IMAP4.error as refusal:
        return _reason(said[-1] if said else b"", str(refusal)).replace(access_token, "…")[:LONGEST_REASON]
    return None


def _first_words(client: imaplib.IMAP4, mechanism: str, username: str, access_token: str) -> bytes:
    if mechanism == "XOAUTH2":
        return f"user={username}\x01auth=Bearer {access_token}\x01\x01".encode()
    name = username.replace("=", "=3D").replace(",", "=2C")
    where = f"host={client.host}\x01port={client.port}"
    return f"n,a={name},\x01{where}\x01auth=Bearer {access_token}\x01\x01".encode()


def _mechanism(client: imaplib.IMAP4) -> str:
    offered = {name.upper() for name in client.capabilities}
    found = next((name for name in MECHANISMS if f"AUTH={name}" in offered), None)
    if found is None:
        raise TokenRefused("The server takes no access tokens of OAuth (neither XOAUTH2 nor OAUTHBEARER).")
    return found


def _reason(challenge: bytes, said: str) -> str:
    """What the server says, with the status that it gives as JSON (RFC 7628 §3.2.2)."""
    try:
        told = json.loads(challenge)
    except (ValueError, RecursionError):
        told = None
    status = str(told.get("status", "")) if isinstance(told, dict) else ""
    return f"{said} (status {status[:40]})" if status else said
