"""Files and texts on their way: kept while a form is corrected or a reply is written, swept when nobody came back."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import func, select

from helpdesk import clock, files
from helpdesk.agents.models import Agent
from helpdesk.database import db, transactional
from helpdesk.errors import NoRoom
from helpdesk.sites.models import Site
from helpdesk.tickets.drafts import Draft, DraftKind
from helpdesk.tickets.messages import Attachment
from helpdesk.tickets.models import Ticket
from helpdesk.tickets.queries import find_draft
from helpdesk.tickets.quota import spend
from helpdesk.tickets.writing import attachment_of
from helpdesk.uploads import StoredFile

KEPT_FOR = timedelta(hours=24)
MOST_KEPT_BYTES = 2 * 1024 * 1024 * 1024
CHOOSE_AGAIN = "Your files could not be kept. Choose them again."


@transactional
def keep_uploads(site: Site, *, upload_token: str, stored: Sequence[StoredFile], remote_address: str) -> None:
    """Keep a reader's files until the form is right.

    Raises NoRoom when `remote_address` (an IP address), its network or all readers sent too many, or when too much
    is being kept already. The limit of all is counted first, so that no two can fill the last room together.
    """
    spend(stored, remote_address=remote_address)
    kept = db.session.scalar(select(func.sum(Attachment.size)).where(Attachment.upload_token.is_not(None))) or 0
    if kept + sum(file.size for file in stored) > MOST_KEPT_BYTES:
        raise NoRoom(CHOOSE_AGAIN)
    expires = clock.now() + KEPT_FOR
    db.session.add_all(attachment_of(file, upload_token=upload_token, expires_at=expires) for file in stored)


def kept_uploads(upload_token: str) -> Sequence[Attachment]:
    """The files that wait for a form to be right."""
    kept = select(Attachment).where(Attachment.upload_token == upload_token, Attachment.expires_at > clock.now())
    return db.session.scalars(kept.order_by(Attachment.id)).all()


@transactional
def drop_upload(file: Attachment) -> None:
    """The reader does not want to send this file after all."""
    db.session.delete(file)


@transactional
def save_draft(
    ticket: Ticket, *, kind: DraftKind, body: str, by: Agent, stored: Sequence[StoredFile] = ()
) -> Draft | None:
    """Keep an unsent text and its files; an empty text without files is forgotten."""
    draft = find_draft(ticket, kind=kind, by=by)
    if not body.strip() and not stored and (draft is None or not draft.attachments):
        if draft is not None:
            db.session.delete(draft)
        return None
    if draft is None:
        draft = Draft(ticket=ticket, agent=by, kind=kind, body=body, updated_at=clock.now())
        db.session.add(draft)
    draft.body, draft.updated_at = body, clock.now()
    draft.attachments.extend(attachment_of(file) for file in stored)
    db.session.flush()
    return draft


@transactional
def drop_draft_file(file: Attachment, *, by: Agent) -> None:
    """Take a file off a draft."""
    db.session.delete(file)


def sweep_uploads() -> None:
    """Forget files that nobody sent; bytes go after the rows."""
    for key in _forget_expired(clock.now()):
        files.delete(key)


@transactional
def _forget_expired(now: object) -> list[str]:
    expired = db.session.scalars(select(Attachment).where(Attachment.expires_at < now)).all()
    for file in expired:
        db.session.delete(file)
    return [file.storage_key for file in expired]
