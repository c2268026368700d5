"""From a parsed mail to the letter that tickets understand: new words, quote and signature apart, files durable."""

from helpdesk.addresses import normalise
from helpdesk.inbound.parsing import ParsedEmail
from helpdesk.inbound.reading import Reading
from helpdesk.tickets.operations import Letter
from helpdesk.uploads import StoredFile, store

NO_SUBJECT = "(no subject)"
RAW_NAME = "original.eml"


def letter_of(reading: Reading, raw: bytes) -> Letter:
    """What a mail says to us. A mail that could not be read comes with its raw bytes as a file.

    Stores the files, so it belongs outside any transaction. Raises OSError when the disk refuses.
    """
    mail, spans = reading.mail, reading.spans
    return Letter(
        body_text=spans.new if not mail.unreadable else f"This mail could not be read: {mail.unreadable}",
        body_html=reading.html,
        signature=spans.signature or None,
        quoted_text=spans.quoted or None,
        from_name=mail.from_.name if mail.from_ else "",
        from_address=normalise(mail.from_.address) if mail.from_ else "",
        files=_files(mail, raw),
        message_id=mail.message_id,
        content_hash=mail.content_hash,
        recipients=[box.address for box in (*mail.to, *mail.cc)],
    )


def forwarded_letter(reading: Reading) -> Letter | None:
    """What the mail inside a forwarded one says to us; None when there is none or no writer of it can be read.

    It has no files: nobody can tell those of its writer from those of whoever forwarded it.
    """
    forwarded, spans = reading.mail.forwarded, reading.inner
    if forwarded is None or spans is None or forwarded.from_ is None or not forwarded.from_.address:
        return None
    return Letter(
        body_text=spans.new,
        signature=spans.signature or None,
        quoted_text=spans.quoted or None,
        from_name=forwarded.from_.name,
        from_address=normalise(forwarded.from_.address),
    )


def subject_of(mail: ParsedEmail) -> str:
    """The subject for a new ticket."""
    return mail.subject.strip()[:300] or NO_SUBJECT


def _files(mail: ParsedEmail, raw: bytes) -> tuple[StoredFile, ...]:
    if mail.unreadable:
        return (store(RAW_NAME, raw),)
    return tuple(store(part.name, part.content, content_id=part.content_id) for part in mail.attachments)
