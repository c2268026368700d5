"""What is said of a change to the set-up: one entry in the history of the publication it belongs to."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from sqlalchemy import delete, func, select
from sqlalchemy.orm import joinedload

from helpdesk import clock
from helpdesk.agents.models import Agent
from helpdesk.database import db, transactional
from helpdesk.sites.changing import refuse_last_topic
from helpdesk.sites.models import Site, Topic
from helpdesk.tickets.events import Event, EventKind
from helpdesk.tickets.models import Ticket

Done = TypeVar("Done")
LATEST = 20


@transactional
def set_up(site: Site, *, what: str, change: Callable[[], Done], by: Agent) -> Done:
    """Do a `change` to the set-up of a site, and note `what` was changed, in one transaction."""
    done = change()
    note_set_up(site, what=what, by=by)
    return done


def note_set_up(site: Site, *, what: str, by: Agent) -> None:
    """Note inside a verb's transaction `what` was changed."""
    db.session.add(
        Event(site_id=site.id, kind=EventKind.SETUP_CHANGED, by_agent=by, at=clock.now(), data={"what": what})
    )


def latest_set_up() -> Sequence[Event]:
    """What was changed lately, the latest first."""
    changes = select(Event).where(Event.site_id.is_not(None), Event.kind == EventKind.SETUP_CHANGED)
    whole = changes.options(joinedload(Event.by_agent), joinedload(Event.by_reader))
    return db.session.scalars(whole.order_by(Event.id.desc()).limit(LATEST)).all()


def tickets_with(topic: Topic) -> int:
    """How many tickets have this topic."""
    return db.session.scalar(select(func.count()).where(Ticket.topic_id == topic.id)) or 0


@transactional
def remove_topic(topic: Topic, *, by: Agent) -> bool:
    """Take a topic off the form: for good when no ticket has it, else it is retired. True when it is gone.

    Raises Conflict for the only topic that readers can choose.
    """
    refuse_last_topic(topic)
    note_set_up(topic.site, what=f"the topics: readers no longer choose “{topic.label}”", by=by)
    if tickets_with(topic):
        topic.active = False
        return False
    db.session.execute(delete(Topic).where(Topic.id == topic.id))
    return True
