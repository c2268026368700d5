"""Reading canned replies."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from helpdesk.canned_replies.models import CannedReply
from helpdesk.database import db
from helpdesk.errors import NotFound
from helpdesk.sites.models import Site


def list_canned_replies() -> Sequence[CannedReply]:
    """All prepared texts with their site, by name."""
    by_name = select(CannedReply).join(CannedReply.site).order_by(Site.name, CannedReply.name, CannedReply.id)
    return db.session.scalars(by_name.options(joinedload(CannedReply.site))).all()


def get_canned_reply(canned_id: int, *, site_id: int | None = None) -> CannedReply:
    """One prepared text, of this site when one is given. Raises NotFound otherwise."""
    canned = db.session.get(CannedReply, canned_id) if 0 < canned_id < 2**31 else None
    if canned is None or site_id not in (None, canned.site_id):
        raise NotFound
    return canned
