"""One mail as bytes: its parts nested as mail programs expect them, each line short enough for any server."""

import re
from collections.abc import Iterator
from email.charset import QP, SHORTEST, add_charset
from email.encoders import encode_base64
from email.header import Header
from email.mime.base import MIMEBase
from email.mime.multipart import MIMEMultipart
from email.policy import compat32
from email.utils import formatdate, parseaddr
from urllib.parse import quote

import flask_mail

from helpdesk import files
from helpdesk.addresses import is_mailbox, needs_utf8, on_the_wire
from helpdesk.outbound.envelopes import envelope_from
from helpdesk.outbound.models import OutboundRecipient
from helpdesk.outbound.operations import refuse_control
from helpdesk.outbound.rendering import html_for, text_for
from helpdesk.outbound.signing import signed

add_charset("utf-8", SHORTEST, QP, "utf-8")  # else long lines leave unwrapped and are refused (RFC 5321 §4.5.3.1.6)

UTF8 = ["SMTPUTF8", "BODY=8BITMIME"]  # RFC 6531 §3.4
LONGEST_WORD = 500  # of a header, in characters; a line may have 998 (RFC 5322 §2.1.1)
_PIECE = re.compile(r"(?:%[0-9A-F]{2}|[^%]){1,20}")  # of a file's name: at most 60 characters, no escape cut in two


class Letter(flask_mail.Message):
    """Flask-Mail's message for one recipient, with its envelope, its pictures inside its HTML, and itself as bytes."""

    envelope_from: str
    envelope_to: str
    raw: bytes

    def _message(self) -> MIMEBase:
        message = MIMEMultipart("mixed")
        message.attach(self._words())
        for file in self.attachments:
            if file.disposition != "inline":
                message.attach(_part(file))
        # email.policy.SMTP turns an id longer than a line into an encoded word, which breaks threads.
        message.policy = compat32.clone(linesep="\r\n")
        for name, value in self._headers():
            message[name] = value
        return message

    def _words(self) -> MIMEBase:
        """The text, and the HTML with the pictures that it shows (RFC 2387)."""
        alternative, html = MIMEMultipart("alternative"), self._mimetext(self.html, "html")
        alternative.attach(self._mimetext(self.body))
        pictures = [_part(file) for file in self.attachments if file.disposition == "inline"]
        related = MIMEMultipart("related", None, [html, *pictures], type="text/html") if pictures else html
        alternative.attach(related)
        return alternative

    def _headers(self) -> Iterator[tuple[str, str]]:
        if self.subject:
            yield "Subject", _encoded("Subject", self.subject, has_long_words=_has_long_words(self.subject))
        yield "From", str(self.sender)
        yield "To", _raw(str(self.recipients[0]))
        if self.cc:
            yield "Cc", ", ".join(_raw(str(address)) for address in self.cc)
        yield "Date", formatdate(self.date, localtime=True)
        yield "Message-ID", self.msgId
        if self.reply_to:
            yield "Reply-To", _raw(str(self.reply_to))
        for name, value in (self.extra_headers or {}).items():
            yield name, _encoded(name, value)


def letter_of(recipient: OutboundRecipient) -> Letter:
    """The mail for this recipient, rendered and signed. Raises Invalid for what cannot stand in a header or envelope,
    FileNotFoundError when an attached file is gone.
    """
    email, headers = recipient.email, recipient.email.headers
    to = email.to if recipient.is_copy else recipient.address
    names = [name for file in email.files for name in file.values()]
    refuse_control(email.message_id, email.sender, email.subject, *headers, *headers.values(), *names)
    cc = _cc(recipient, to)
    letter = Letter(
        subject=email.subject, sender=email.sender, recipients=[on_the_wire(to)],
        cc=[*cc],
        reply_to=on_the_wire(email.reply_to) if email.reply_to else None, body=text_for(recipient),
        html=html_for(recipient), date=email.created_at.timestamp(), extra_headers=headers,
    )  # fmt: skip
    letter.msgId, letter.envelope_from = f"<{email.message_id}>", on_the_wire(envelope_from(recipient))
    letter.envelope_to = on_the_wire(recipient.address)
    for file in email.files:
        _enclose(letter, **file)
    addresses = (letter.envelope_to, to, *cc, letter.envelope_from, email.reply_to or "")
    addresses = (*addresses, parseaddr(email.sender)[1])
    letter.mail_options = UTF8 if any(map(needs_utf8, addresses)) else []
    letter.raw = signed(letter.as_bytes())
    return letter


def _cc(recipient: OutboundRecipient, to: str) -> list[str]:
    """Who else gets it, as far as naming them asks no more of a mail server than this recipient's own mail does."""
    has_utf8 = needs_utf8(recipient.address) or needs_utf8(to)
    copies = [copy for copy in sorted(recipient.email.copies) if has_utf8 or not needs_utf8(copy)]
    return [on_the_wire(copy) for copy in copies if copy == recipient.address or is_mailbox(copy)]


def _enclose(letter: Letter, *, name: str, media_type: str, key: str, content_id: str | None = None) -> None:
    if content_id is None:
        letter.attach(name, media_type, files.get(key))
    else:
        letter.attach(name, media_type, files.get(key), "inline", {"Content-ID": f"<{content_id}>"})


def _part(file: flask_mail.Attachment) -> MIMEBase:
    part = MIMEBase(*file.content_type.split("/"))
    part.set_payload(file.data)
    encode_base64(part)
    part["Content-Disposition"] = f"{file.disposition}; {_filename(file.filename or 'file')}"
    for name, value in file.headers.items():
        part[name] = value
    return part


def _filename(name: str) -> str:
    """As one parameter, or in pieces that are put together again (RFC 2231 §3, §4)."""
    if name.isascii():
        escaped = name.replace("\\", "\\\\").replace('"', '\\"')
        return f'filename="{escaped}"'
    first, *others = _PIECE.findall(quote(name, safe=""))
    if not others:
        return f"filename*=utf-8''{first}"
    pieces = [f"utf-8''{first}", *others]
    return "; ".join(f"filename*{number}*={piece}" for number, piece in enumerate(pieces))


def _encoded(name: str, value: str, *, has_long_words: bool = False) -> str:
    """Text of a header as words of ASCII (RFC 2047), where it needs that; ids stay as they are, however long."""
    return Header(value, "utf-8", header_name=name).encode() if has_long_words or not value.isascii() else value


def _has_long_words(value: str) -> bool:
    return max(map(len, value.split()), default=0) > LONGEST_WORD


def _raw(address: str) -> str:
    """An address as it is, in UTF-8 if need be (RFC 6532 §3.2): encoded words may not stand in one."""
    return address.encode().decode("ascii", "surrogateescape")
