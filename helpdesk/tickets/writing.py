"""From what somebody wrote to the rows that keep it: messages and their files."""

from dataclasses import dataclass, field

from sqlalchemy import select

from helpdesk.agents.models import Agent
from helpdesk.database import db
from helpdesk.readers.models import Reader
from helpdesk.tickets.messages import Attachment, Message, MessageKind
from helpdesk.tickets.models import Ticket
from helpdesk.uploads import StoredFile


@dataclass(frozen=True)
class Letter:
    """What somebody wrote to us, by form or mail, already read and checked; files are already durable."""

    body_text: str
    from_address: str = ""
    from_name: str = ""
    body_html: str | None = None
    signature: str | None = None
    quoted_text: str | None = None
    files: tuple[StoredFile, ...] = ()
    message_id: str | None = None
    submission_key: str | None = None
    content_hash: str | None = None
    recipients: list[str] = field(default_factory=list)
    verified: bool = True


def subject_of(letter: Letter) -> str:
    """The first words, for a letter that came without a subject."""
    words = " ".join(letter.body_text.split())
    return words if len(words) <= 80 else words[:80].rsplit(" ", 1)[0] + " …"


def message_of(letter: Letter, reader: Reader | None, kind: MessageKind = MessageKind.READER) -> Message:
    """A letter as a message of its author's."""
    message = Message(
        kind=kind, reader=reader,
        from_name=letter.from_name or (reader.name if reader else ""), from_address=letter.from_address,
        recipients=letter.recipients, body_text=letter.body_text, body_html=letter.body_html,
        signature=letter.signature, quoted_text=letter.quoted_text, submission_key=letter.submission_key,
        content_hash=letter.content_hash, message_id=letter.message_id, verified=letter.verified,
    )  # fmt: skip
    message.attachments = [attachment_of(file) for file in letter.files]
    return message


def note_of(letter: Letter, by: Agent) -> Message:
    """An agent's own mail as a note of his."""
    message = Message(
        kind=MessageKind.NOTE, agent=by, from_name=by.name, from_address=by.email, recipients=[],
        body_text=letter.body_text, body_html=letter.body_html, signature=letter.signature,
        quoted_text=letter.quoted_text, verified=True,
    )  # fmt: skip
    message.attachments = [attachment_of(file) for file in letter.files]
    return message


def staff_message(ticket: Ticket, kind: MessageKind, body: str, by: Agent, files: tuple[StoredFile, ...]) -> Message:
    """An agent's text as a message; a reply has the signature of the queue it is sent from."""
    signature = ticket.queue.signature if kind is MessageKind.REPLY else None
    message = Message(
        kind=kind, agent=by, from_name=by.name, from_address=by.email,
        body_text=body, signature=signature or None, verified=True, recipients=[],
    )  # fmt: skip
    message.attachments = [attachment_of(file) for file in files]
    return message


def attachment_of(file: StoredFile, **owner: object) -> Attachment:
    """A stored file as a row; `owner` says of what, when it is not a message."""
    return Attachment(
        name=file.name, media_type=file.media_type, size=file.size, sha256=file.sha256,
        storage_key=file.storage_key, content_id=file.content_id, **owner,
    )  # fmt: skip


def adopt_uploads(message: Message, upload_token: str | None) -> None:
    """Take over the files that were kept while the form was corrected."""
    if upload_token is not None:
        for file in db.session.scalars(select(Attachment).where(Attachment.upload_token == upload_token)):
            file.upload_token = file.expires_at = None
            file.message = message
