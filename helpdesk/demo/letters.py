"""Mail as a reader's mail program writes it: a new letter, or an answer with the earlier text quoted below."""

import html
import secrets
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr

from helpdesk import clock


@dataclass(frozen=True)
class EnclosedFile:
    """A file that goes with a letter."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True)
class Earlier:
    """The mail that is answered; ids in angle brackets, references oldest first."""

    message_id: str
    references: str
    written_by: str
    written_on: str
    text: str


def reader_mail(
    *, name: str, address: str, to: str, subject: str, text: str,
    earlier: Earlier | None = None, enclosed: EnclosedFile | None = None,
) -> EmailMessage:  # fmt: skip
    """A mail in plain text and HTML, dated now."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = formataddr((name, address))
    mail["To"] = to
    mail["Subject"] = subject
    mail["Date"] = format_datetime(clock.now())
    mail["Message-ID"] = f"<{secrets.token_hex(12)}@{address.rpartition('@')[2]}>"
    if earlier is not None:
        mail["In-Reply-To"] = earlier.message_id
        mail["References"] = f"{earlier.references} {earlier.message_id}".strip()
    mail.set_content(text + (_quoted_text(earlier) if earlier else "") + "\n")
    mail.add_alternative(_paragraphs(text) + (_quoted_html(earlier) if earlier else ""), subtype="html")
    if enclosed is not None:
        main, _, sub = enclosed.media_type.partition("/")
        mail.add_attachment(enclosed.content, maintype=main, subtype=sub or "octet-stream", filename=enclosed.name)
    return mail


def answered_subject(subject: str) -> str:
    """The subject of an answer: one “Re: ”, however often it went to and fro."""
    return subject if subject.lower().startswith("re:") else f"Re: {subject}"


def _quoted_text(earlier: Earlier) -> str:
    lines = "\n".join(f"> {line}".rstrip() for line in earlier.text.rstrip().splitlines())
    return f"\n\n{_attribution(earlier)}\n\n{lines}\n"


def _quoted_html(earlier: Earlier) -> str:
    return (
        f'<div class="gmail_quote"><div dir="ltr" class="gmail_attr">{html.escape(_attribution(earlier))}<br></div>'
        f'<blockquote class="gmail_quote">{_paragraphs(earlier.text)}</blockquote></div>'
    )


def _attribution(earlier: Earlier) -> str:
    return f"On {earlier.written_on}, {earlier.written_by} wrote:"


def _paragraphs(text: str) -> str:
    return "".join(f"<p>{html.escape(part).replace(chr(10), '<br>')}</p>" for part in text.strip().split("\n\n"))
