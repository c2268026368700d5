"""Why nothing proves a mail's sender, whatever a mail server said: it may have read another From than we, or none.

What we mend to understand a mail, whoever checked it on its way (DMARC, RFC 7489 §6.6.1) did not. So the headers are
read here once more as strictly as a mail server reads them.
"""

import re
import unicodedata

from helpdesk.inbound.charsets import decode_short
from helpdesk.inbound.mailboxes import Mailbox, read_mailboxes
from helpdesk.inbound.mime import HEADER_BLOCK_BYTES, HEADER_BYTES
from helpdesk.inbound.parsing import ParsedEmail

BROKEN = "its sender stands below a break in its headers, where no mail server looks"
MISSING = "it has no From"
TWICE = "it names its sender twice"
SEVERAL = "it names more than one sender"
CONTROL = "a control character stands in its sender"
LONG = "its sender is longer than any that is meant"
HIDDEN = "its sender’s address is written so that it can be read as another"

_FOREIGN_DOT = "\u3002"  # ends a label as a dot does (RFC 3490 §3.1); its other widths are no letters of their own
_DOUBTED = "Nothing proves its sender: {}. "
_SENTENCE = re.compile(r"Nothing proves its sender: [^.]{1,200}\.")
_HEADER = re.compile(rb"[!-9;-~]{1,200}[ \t]{0,9}:")
_FROM = re.compile(rb"from[ \t]{0,9}:", re.IGNORECASE)
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


def doubt_of(mail: ParsedEmail) -> str | None:
    """Why nothing proves the sender that we read, for staff; None when a strict reader sees the same one."""
    if mail.from_ is None:
        return None
    found = _strict_senders(mail.raw[:HEADER_BLOCK_BYTES])
    if not found:
        return BROKEN if mail.all_of("From") else MISSING
    if len(found) > 1 or len(mail.all_of("From")) > 1:
        return TWICE
    return _doubt_about(found[0], mail.from_)


def doubted(doubt: str) -> str:
    """The doubt as the beginning of the reason that stands on the mail's row."""
    return _DOUBTED.format(doubt)


def doubt_in(reason: str) -> str:
    """The doubt at the beginning of a reason as one sentence, or nothing."""
    found = _SENTENCE.match(reason)
    return found.group() if found else ""


def _strict_senders(raw: bytes) -> list[bytes]:
    """The values of each From above the first line that is no header, unfolded (RFC 5322 §2.2)."""
    senders: list[bytes] = []
    is_sender = False
    for number, line in enumerate(raw.replace(b"\r\n", b"\n").split(b"\n")):
        if line[:1] in (b" ", b"\t") and line.strip() and number:
            if is_sender:
                senders[-1] += b" " + line.strip()
        elif _HEADER.match(line):
            is_sender = _FROM.match(line) is not None
            senders += [line.partition(b":")[2]] if is_sender else []
        elif number or not line.startswith((b"From ", b">From ")):  # how a mailbox file begins a mail
            break
    return senders


def _doubt_about(value: bytes, read: Mailbox) -> str | None:
    if _CONTROL.search(value):
        return CONTROL
    if len(value) > HEADER_BYTES:
        return LONG
    boxes = read_mailboxes([value.decode("utf-8", "surrogateescape")], limit=3)
    if len(boxes) > 1:
        return SEVERAL
    return None if boxes and boxes[0].address == read.address and _is_plain(read.address, value) else HIDDEN


def _is_plain(address: str, value: bytes) -> bool:
    """True when the address stands in the header letter by letter, in letters that mean themselves."""
    domain = address.rpartition("@")[2]
    written = "".join(decode_short(value).split())
    is_itself = unicodedata.normalize("NFKC", domain) == unicodedata.normalize("NFC", domain)
    return is_itself and _FOREIGN_DOT not in domain and address in written
