"""Fetching a mailbox: every mail whose UID is not in our ledger, each committed before it is marked as read."""

import logging
import os
import re
import socket
import threading
import time

from flask import Flask
from sqlalchemy import select

from helpdesk.config import settings
from helpdesk.database import db
from helpdesk.errors import Conflict
from helpdesk.inbound.models import InboundEmail, Source
from helpdesk.inbound.operations import process_received
from helpdesk.inbound.receiving import receive, record_oversized
from helpdesk.inbound.sources.leases import claim_source, note_error, note_success, release_source
from helpdesk.inbound.sources.mailbox import (
    Address,
    MailboxFailed,
    MailUnfetchable,
    OpenMailbox,
    connect,
)

log = logging.getLogger(__name__)

MAX_BYTES = 50 * 1024 * 1024
FIRST_DELAY_SECONDS = 5.0
LONGEST_DELAY_SECONDS = 60.0
KEPT_HEADERS = (
    b"from:", b"to:", b"cc:", b"subject:", b"date:", b"message-id:", b"in-reply-to:", b"references:", b"return-path:"
)  # fmt: skip


def fetch(source_id: int, worker: str) -> int:
    """Fetch what is new in a mailbox, unless another worker is at it; returns how many mails that were.

    Raises MailboxFailed with a sentence, which is also noted on the source; what was fetched before stays.
    """
    if not claim_source(source_id, worker=worker):
        return 0
    try:
        with connect(_address(source_id)) as box:
            return _take_new(box, source_id, worker)
    except MailboxFailed as error:
        note_error(source_id, error=error.message)
        raise
    finally:
        release_source(source_id, worker=worker)


def watch(app: Flask, source_id: int, stop: threading.Event) -> None:
    """Fetch a mailbox and wait for the next mail, again and again, until `stop` is set or the source is gone.

    Waits by IDLE, and looks every `imap_poll_seconds` in any case; after an error the delay grows to a minute.
    """
    delay = FIRST_DELAY_SECONDS
    while not stop.is_set() and _is_active(app, source_id):
        began = time.monotonic()
        try:
            _stay(app, source_id, stop)
        except Exception as error:  # whatever it was, the mailbox must be looked at again
            log.warning("mailbox %s: %s", source_id, error, exc_info=not isinstance(error, MailboxFailed))
            if time.monotonic() - began > LONGEST_DELAY_SECONDS:  # it was well for a while: a new trouble, not the old
                delay = FIRST_DELAY_SECONDS
            stop.wait(delay)
            delay = min(2 * delay, LONGEST_DELAY_SECONDS)


def _stay(app: Flask, source_id: int, stop: threading.Event) -> None:
    """Keep one connection for as long as it and the source's settings last."""
    worker = f"{socket.gethostname()}:{os.getpid()}:{threading.get_ident()}"
    with app.app_context():
        address = _address(source_id)
        seconds = settings().imap_poll_seconds
    try:
        with connect(address) as box:
            while not stop.is_set() and _fetch_once(app, box, address, source_id, worker):
                box.wait(stop, seconds=seconds)
    except MailboxFailed as error:
        with app.app_context():
            note_error(source_id, error=error.message)
        raise


def _fetch_once(app: Flask, box: OpenMailbox, address: Address, source_id: int, worker: str) -> bool:
    """Fetch and read what is new; False when the source has other settings by now."""
    with app.app_context():
        source = db.session.get(Source, source_id)
        if source is None or not source.active or _address(source_id) != address:
            return False
        if claim_source(source_id, worker=worker):
            try:
                _take_new(box, source_id, worker)
            finally:
                release_source(source_id, worker=worker)
        process_received()
    return True


def _take_new(box: OpenMailbox, source_id: int, worker: str) -> int:
    validity = box.select()
    known = _ledger(source_id, validity)
    wanted = [uid for uid in box.uids() if uid not in known]
    sizes = box.sizes(wanted)
    new, complaint = 0, None
    for uid in wanted:
        if not claim_source(source_id, worker=worker):
            return new
        try:
            new += _take(box, source_id, (validity, uid), size=sizes.get(uid, 0))
            if sizes.get(uid, 0) <= MAX_BYTES:
                box.mark_seen(uid)
        except MailUnfetchable as error:  # the other mails must not wait for this one
            complaint = f"Not everything went well: {error.message}"
    note_success(source_id, complaint=complaint)
    return new


def _take(box: OpenMailbox, source_id: int, uid: tuple[int, int], *, size: int) -> bool:
    """Keep one mail for good; False when it is gone or somebody else was faster."""
    if size > MAX_BYTES:
        return _take_headers(box, source_id, uid, size=size)
    raw = box.fetch(uid[1])
    if raw is None:
        return False
    try:
        receive(raw, source=db.session.get_one(Source, source_id), uid=uid)
    except Conflict:
        return False
    except OSError as error:  # else it would look like the mail server's fault
        raise MailboxFailed(f"A mail could not be kept here and stays there: {error}") from error
    return True


def _take_headers(box: OpenMailbox, source_id: int, uid: tuple[int, int], *, size: int) -> bool:
    headers = box.fetch_headers(uid[1])
    if headers is None:
        return False
    source = db.session.get_one(Source, source_id)
    try:
        record_oversized(_stub(headers, size), source=source, uid=uid, size=size)
    except Conflict:
        return False
    return True


def _stub(headers: bytes, size: int) -> bytes:
    """A mail that names sender and subject of one that was not fetched, and says so."""
    kept = [line for line in re.split(rb"\r?\n(?![ \t])", headers) if line.lower().startswith(KEPT_HEADERS)]
    sentence = f"This mail has {size // 1024 // 1024} MB, so it was not fetched. It is still in the mailbox."
    body = b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + sentence.encode() + b"\r\n"
    return b"".join(line + b"\r\n" for line in kept) + body


def _ledger(source_id: int, validity: int) -> set[int]:
    """The UIDs we have taken under this UIDVALIDITY."""
    taken = select(InboundEmail.uid).where(InboundEmail.source_id == source_id, InboundEmail.uidvalidity == validity)
    uids = {uid for uid in db.session.scalars(taken) if uid is not None}
    db.session.rollback()  # no transaction stays open while the mail server is asked
    return uids


def _address(source_id: int) -> Address:
    source = db.session.get_one(Source, source_id)
    address = Address.of(source.settings, password=settings().imap_password_of(source.name))
    db.session.rollback()
    return address


def _is_active(app: Flask, source_id: int) -> bool:
    try:
        with app.app_context():
            source = db.session.get(Source, source_id)
            return source is not None and source.active
    except Exception:  # a database that is down says nothing about the source
        log.exception("mailbox %s: its settings could not be read", source_id)
        return True
