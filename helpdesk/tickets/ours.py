"""Which addresses are the desk's own or its staff's: whoever is written to must have another."""

from sqlalchemy import or_, select

from helpdesk.addresses import bare_spellings, normalise
from helpdesk.agents.models import Agent
from helpdesk.config import settings
from helpdesk.database import db
from helpdesk.errors import Invalid
from helpdesk.sites.models import Queue


def own_by_setting() -> set[str]:
    """The addresses that are the desk's own because the settings say so."""
    return {normalise(address) for address in (settings().sender, settings().bounce_address) if address}


def refuse_own(address: str) -> None:
    """Raise Invalid for an intake address, with a token too, for the desk's own ones, and for those of the staff."""
    spellings = bare_spellings(address)
    agent = select(Agent.id).where(Agent.email.in_(spellings)).exists()
    queue = select(Queue.id).where(Queue.intake_address.in_(spellings)).exists()
    if not own_by_setting().isdisjoint(spellings) or db.session.scalar(select(or_(agent, queue))):
        raise Invalid(f"{address} belongs to this desk or its staff, so mail to it would go round in circles.")
