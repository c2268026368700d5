"""Finding what a reader's address leads to; whatever is wrong with it, the answer is the same."""

from functools import cache

from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import joinedload

from helpdesk.database import db
from helpdesk.errors import NotFound
from helpdesk.sites.models import Site
from helpdesk.tickets.links import read_status_token
from helpdesk.tickets.models import Ticket


def get_site(slug: str | None) -> Site:
    """The site of this name with its topics, the default one without a name. Raises NotFound."""
    site = db.session.scalars(_site(is_named=slug is not None), {"slug": slug}).unique().first()
    if site is None:
        raise NotFound
    return site


@cache
def _site(*, is_named: bool) -> Select[Site]:
    """Written once, as it is asked with every form."""
    is_it = Site.slug == bindparam("slug") if is_named else Site.is_default.is_(True)
    return select(Site).where(is_it).options(joinedload(Site.topics))


def get_own_ticket(token: str) -> Ticket:
    """The ticket of a status link, with what its pages show. Raises NotFound for a wrong or withdrawn link."""
    ticket_id, link_version = read_status_token(token) or (0, 0)
    ticket = db.session.scalar(
        select(Ticket)
        .where(Ticket.id == ticket_id, Ticket.link_version == link_version)
        .options(joinedload(Ticket.site), joinedload(Ticket.topic))
        .options(joinedload(Ticket.article), joinedload(Ticket.reader))
    )
    if ticket is None:
        raise NotFound
    return ticket
