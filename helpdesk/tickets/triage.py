"""What staff do to tickets without words: assign, close, reopen, file, move, tag."""

from sqlalchemy import select

from helpdesk import clock
from helpdesk.agents.models import Agent
from helpdesk.articles.operations import find_or_add_article
from helpdesk.database import db, transactional
from helpdesk.errors import Conflict, Invalid, Refused
from helpdesk.sites.models import Priority, Queue, Topic
from helpdesk.templating import one_line
from helpdesk.tickets.models import Resolution, Ticket
from helpdesk.tickets.tags import Tag

TAG_LENGTH = 40
SUBJECT_LENGTH = 200


@transactional
def take(ticket: Ticket, *, by: Agent) -> None:
    """Make it mine. Raises Conflict when somebody else was faster."""
    if ticket.assignee is not None and ticket.assignee is not by:
        raise Conflict(f"{ticket.assignee.name} has this ticket already.")
    ticket.assign(by, by=by, now=clock.now())


@transactional
def assign(ticket: Ticket, *, assignee: Agent | None, by: Agent) -> None:
    """Give it to somebody, or back to nobody."""
    if assignee is not None and not assignee.active:
        raise Refused(f"{assignee.name} no longer works here.")
    ticket.assign(assignee, by=by, now=clock.now())


@transactional
def close(ticket: Ticket, *, resolution: Resolution, by: Agent) -> None:
    """Nothing more is to be done; spam has its own verb."""
    if resolution is Resolution.SPAM:
        raise Invalid("Use “Spam” to file a ticket as spam.")
    ticket.close(resolution, by=by, now=clock.now())


@transactional
def reopen(ticket: Ticket, *, by: Agent) -> None:
    """There is more to do."""
    ticket.reopen(by=by, now=clock.now())


@transactional
def mark_spam(ticket: Ticket, *, by: Agent) -> None:
    """File as spam; nothing is deleted."""
    ticket.mark_spam(by=by, now=clock.now())


@transactional
def unmark_spam(ticket: Ticket, *, by: Agent) -> None:
    """Bring back what was filed as spam by mistake."""
    ticket.unmark_spam(by=by, now=clock.now())


@transactional
def set_topic(ticket: Ticket, *, topic: Topic | None, by: Agent) -> None:
    """Say what it is about; the topic must be one of the ticket's site."""
    if topic is not None and topic.site_id != ticket.site_id:
        raise Invalid("That topic belongs to another site.")
    ticket.set_topic(topic, by=by, now=clock.now())


@transactional
def set_priority(ticket: Ticket, *, priority: Priority, by: Agent) -> None:
    """Say how soon it wants somebody."""
    ticket.set_priority(priority, by=by, now=clock.now())


@transactional
def move(ticket: Ticket, *, queue: Queue, by: Agent) -> None:
    """Let it wait in another queue of the same site."""
    if queue.site_id != ticket.site_id:
        raise Invalid("That queue belongs to another site.")
    ticket.move(queue, by=by, now=clock.now())


@transactional
def rename(ticket: Ticket, *, subject: str, by: Agent) -> None:
    """Give it a subject that says what it is about."""
    wanted = one_line(subject)
    if not wanted or len(wanted) > SUBJECT_LENGTH:
        raise Invalid(f"A subject has between 1 and {SUBJECT_LENGTH} characters.")
    ticket.rename(wanted, by=by, now=clock.now())


@transactional
def set_article(ticket: Ticket, *, url: str, by: Agent) -> None:
    """Say which article it is about, by its address; by none, that it is about no article."""
    article = find_or_add_article(ticket.site, url.strip()) if url.strip() else None
    if url.strip() and article is None:
        raise Invalid(f"That is no address of {ticket.site.name}. Copy it from the page itself.")
    db.session.flush()
    ticket.set_article(article, by=by, now=clock.now())


@transactional
def add_tag(ticket: Ticket, *, name: str, by: Agent) -> None:
    """Put a tag on it; a new word becomes a new tag."""
    word = tag_word(name)
    tag = db.session.scalar(select(Tag).where(Tag.name == word)) or Tag(name=word)
    db.session.add(tag)
    ticket.tag(tag, by=by, now=clock.now())


@transactional
def remove_tag(ticket: Ticket, *, name: str, by: Agent) -> None:
    """Take a tag off."""
    tag = db.session.scalar(select(Tag).where(Tag.name == name))
    if tag is not None:
        ticket.untag(tag, by=by, now=clock.now())


def tag_word(name: str) -> str:
    """A tag as it is kept: in lower case, on one line. Raises Invalid when nothing is left, or too much."""
    word = " ".join("".join(letter for letter in name.lower() if letter.isprintable() or letter.isspace()).split())
    if not word or len(word) > TAG_LENGTH:
        raise Invalid(f"A tag has between 1 and {TAG_LENGTH} characters.")
    return word
