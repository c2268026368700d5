"""Fetching a mailbox: every mail whose UID is not in our ledger, each committed before it is marked as read."""

import logging
import os
import socket
import threading
import time

from flask import Flask

from helpdesk.config import settings
from helpdesk.database import db
from helpdesk.inbound.models import Source
from helpdesk.inbound.operations import process_received
from helpdesk.inbound.sources.leases import claim_source, note_error, release_source
from helpdesk.inbound.sources.mailbox import Address, MailboxFailed, OpenMailbox, connect
from helpdesk.inbound.sources.oauth import token_of
from helpdesk.inbound.sources.taking import take_new

log = logging.getLogger(__name__)

FIRST_DELAY_SECONDS = 5.0
LONGEST_DELAY_SECONDS = 60.0


def fetch(source_id: int, worker: str) -> int:
    """Fetch what is new in a mailbox, unless another worker is at it; returns how many mails that were.

    Raises MailboxFailed with a sentence, which is also noted on the source; what was fetched before stays.
    """
    if not claim_source(source_id, worker=worker):
        return 0
    try:
        address = _address(source_id)
        with connect(address) as box:
            return _take(box, address, source_id, worker)
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
    try:
        with app.app_context():
            address = _address(source_id)
            seconds = settings().imap_poll_seconds
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
                _take(box, address, source_id, worker)
            finally:
                release_source(source_id, worker=worker)
        process_received(source_id)
    return True


def _take(box: OpenMailbox, address: Address, source_id: int, worker: str) -> int:
    return take_new(box, source_id, worker, mailbox=address.mailbox, processed_folder=address.processed_folder)


def address_of(source: Source) -> Address:
    """Where a mailbox is and how to get in. Raises MailboxFailed when its settings cannot be meant."""
    return Address.of(source.settings, password=settings().imap_password_of(source.name), token=token_of(source))


def _address(source_id: int) -> Address:
    address = address_of(db.session.get_one(Source, source_id))
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
