"""Mail that a mail server pipes to `helpdesk receive`: exit 0 only after the commit, never too early."""

import logging
import os
import sys
from contextlib import suppress
from typing import BinaryIO

from helpdesk.addresses import split_token, with_token
from helpdesk.inbound.receiving import receive

log = logging.getLogger(__name__)

MAX_BYTES = 50 * 1024 * 1024
EX_OK, EX_DATAERR, EX_TEMPFAIL = 0, 65, 75  # sysexits.h
NULL_SENDERS = ("", "<>", "mailer-daemon")


def receive_from_pipe(stream: BinaryIO, envelope_from: str | None = None, envelope_to: tuple[str, ...] = ()) -> int:
    """Keep one mail read from `stream`; returns the exit code that a mail server understands.

    0 means kept for good; 65 that it never will be, so the server tells the sender; 75 that it should try again
    later (sysexits.h, as Postfix and Exim read it). What is not given is taken from SENDER, ORIGINAL_RECIPIENT,
    RECIPIENT and EXTENSION, as Postfix sets them. The sentence on stderr begins with a status of RFC 3463.
    """
    try:
        raw = stream.read(MAX_BYTES + 1)
        if not raw.strip():
            return _end(EX_DATAERR, "5.6.0 There was no mail on standard input.")
        if len(raw) > MAX_BYTES:
            return _end(EX_DATAERR, f"5.3.4 This mail is larger than {MAX_BYTES // 1024 // 1024} MB.")
        receive(raw, envelope_from=_sender(envelope_from), envelope_to=envelope_to or _recipients())
    except Exception:  # a mail that could not be kept stays with the mail server, whatever the reason
        log.exception("a piped mail could not be kept")
        return _end(EX_TEMPFAIL, "4.3.0 The mail could not be kept just now; try again later.")
    return EX_OK


def _sender(given: str | None) -> str | None:
    """The envelope sender; "" for the null sender, which Postfix calls MAILER-DAEMON; None when nobody says."""
    sender = os.environ.get("SENDER") if given is None else given
    return "" if sender is not None and sender.strip().lower() in NULL_SENDERS else sender


def _recipients() -> tuple[str, ...]:
    """The envelope recipients; an extension that was cut off is put back, since it is the ticket's token."""
    named = [os.environ.get(name, "") for name in ("ORIGINAL_RECIPIENT", "RECIPIENT")]
    addresses = [address for address in named if "@" in address]
    extension = os.environ.get("EXTENSION", "")
    if extension and addresses and not any(map(split_token, addresses)):
        addresses.insert(0, with_token(addresses[0], extension))
    return tuple(dict.fromkeys(addresses))


def _end(code: int, sentence: str) -> int:
    with suppress(OSError):  # a full disk or a closed pipe must not turn "later" into a code that gives the mail up
        sys.stderr.write(f"{sentence}\n")
        sys.stderr.flush()
    return code
