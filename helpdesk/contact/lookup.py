"""Finding what a reader's address leads to; whatever is wrong with it, the answer is the same."""

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from helpdesk.database import db
from helpdesk.errors import NotFound
from helpdesk.sites.models import Site
from helpdesk.tickets.links import read_status_token
from helpdesk.tickets.models import Ticket


def get_site(slug: str | None) -> Site:
    """The site of this name with its topics, the default one without a name. Raises NotFound."""
    wanted = Site.is_default.is_(True) if slug is None else Site.slug == slug
    site = db.session.scalars(select(Site).where(wanted).options(joinedload(Site.topics))).unique().first()
    if site is None:
        raise NotFound
    return site


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
