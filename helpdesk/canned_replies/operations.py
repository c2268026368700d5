"""Writing, changing and removing canned replies."""

from sqlalchemy import select

from helpdesk import clock
from helpdesk.agents.models import Agent
from helpdesk.canned_replies.filling import unknown_placeholders
from helpdesk.canned_replies.models import CannedReply
from helpdesk.database import db, transactional
from helpdesk.errors import Conflict, Invalid
from helpdesk.sites.models import Site


@transactional
def add_canned_reply(site: Site, *, name: str, body: str, by: Agent | None) -> CannedReply:
    """Keep a new text. Raises Invalid for an unknown placeholder, Conflict when the site has a text of that name."""
    _refuse_unknown(body)
    _refuse_taken(name, site_id=site.id)
    canned = CannedReply(site_id=site.id, name=name, body=body, updated_at=clock.now())
    db.session.add(canned)
    return canned


@transactional
def change_canned_reply(canned: CannedReply, *, name: str, body: str, by: Agent) -> None:
    """Replace name and text. Raises Invalid and Conflict as for a new one."""
    _refuse_unknown(body)
    _refuse_taken(name, site_id=canned.site_id, but=canned.id)
    canned.name, canned.body, canned.updated_at = name, body, clock.now()


@transactional
def remove_canned_reply(canned: CannedReply, *, by: Agent) -> None:
    """Forget the text; replies already sent with it stay as they are."""
    db.session.delete(canned)


def _refuse_unknown(body: str) -> None:
    unknown = unknown_placeholders(body)
    if unknown:
        raise Invalid(f"There is no placeholder {{{unknown[0]}}}. Use one from the list, or write it without braces.")


def _refuse_taken(name: str, *, site_id: int, but: int | None = None) -> None:
    same = select(CannedReply.id).where(CannedReply.site_id == site_id, CannedReply.name == name)
    if db.session.scalar(same) not in (None, but):
        raise Conflict(f"There is a canned reply called “{name}” already. Choose another name.")
