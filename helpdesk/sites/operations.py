"""Setting up a publication: the site, its queue and the topics readers choose from."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from sqlalchemy import func, select

from helpdesk import clock
from helpdesk.addresses import check, normalise
from helpdesk.agents.models import Agent
from helpdesk.database import db, transactional
from helpdesk.errors import Conflict, Invalid
from helpdesk.sites.models import FormKind, Priority, Queue, Site, Topic

SLUG_LENGTH = 40
LOCAL_LENGTH = 26  # with a token of 37 letters and the plus, the 64 of RFC 5321 §4.5.3.1.1


@dataclass(frozen=True)
class DefaultTopic:
    """A topic that every new site begins with."""

    slug: str
    label: str
    form_kind: FormKind
    priority: Priority = Priority.NORMAL


DEFAULT_TOPICS = (
    DefaultTopic("mistake", "There is a mistake in the text", FormKind.MISTAKE),
    DefaultTopic("question", "I have a question", FormKind.QUESTION),
    DefaultTopic("broken-page", "Something on the page does not work", FormKind.PAGE),
    DefaultTopic("rights", "Rights and legal", FormKind.LEGAL, Priority.HIGH),
    DefaultTopic("tip", "I have a tip for you", FormKind.TIP),
    DefaultTopic("praise", "Praise", FormKind.OTHER, Priority.LOW),
    DefaultTopic("other", "Something else", FormKind.OTHER),
)


@transactional
def add_site(
    name: str,
    *,
    home_url: str,
    url_prefixes: list[str],
    language: str = "en",
    timezone: str = "UTC",
    contact_text: str = "",
) -> Site:
    """Add a publication; the first one is the default, whose reader pages carry no slug.

    Raises Invalid when an address is no whole web address.
    """
    if not name.strip():
        raise Invalid("Give the publication a name.")
    site = Site(
        name=name.strip(), slug=_free_slug(name), home_url=check_url(home_url),
        url_prefixes=[check_url(prefix) for prefix in url_prefixes] or [home_url], language=language,
        timezone=timezone, contact_text=contact_text, is_default=None if has_site() else True, created_at=clock.now(),
    )  # fmt: skip
    db.session.add(site)
    db.session.flush()
    return site


@transactional
def change_site(site: Site, *, files_thanks: bool) -> None:
    """Say whether a closed ticket stays closed when its reader only says thank you."""
    site.files_thanks = files_thanks


@transactional
def add_queue(
    site: Site,
    *,
    name: str,
    intake_address: str,
    sender_name: str,
    signature: str = "",
    members: list[Agent] | None = None,
    restricted: bool = False,
) -> Queue:
    """Add a place where tickets wait, with the address readers write to.

    Raises Invalid for an impossible address or one that leaves no room for a token, Conflict when another queue has it.
    """
    address, name = free_address(intake_address), free_name(name, site=site)
    queue = Queue(
        site=site, name=name, intake_address=address, sender_name=sender_name, signature=signature,
        restricted=restricted, members=members or [],
    )  # fmt: skip
    db.session.add(queue)
    db.session.flush()
    return queue


@transactional
def add_default_topics(site: Site, *, queue: Queue) -> list[Topic]:
    """Offer readers the usual topics; all of them wait in `queue` until somebody decides otherwise."""
    topics = [
        Topic(
            site=site, queue=queue, slug=topic.slug, label=topic.label, form_kind=topic.form_kind,
            priority=topic.priority, position=position,
        )
        for position, topic in enumerate(DEFAULT_TOPICS)
    ]  # fmt: skip
    db.session.add_all(topics)
    db.session.flush()
    return topics


@transactional
def change_queues(agent: Agent, *, queues: list[Queue]) -> None:
    """Let an agent see exactly these queues as a member."""
    wanted = {queue.id for queue in queues}
    for queue in db.session.scalars(select(Queue)):
        if queue.id in wanted and agent not in queue.members:
            queue.members.append(agent)
        elif queue.id not in wanted and agent in queue.members:
            queue.members.remove(agent)


def free_name(name: str, *, site: Site, but: Queue | None = None) -> str:
    """A name for a queue. Raises Conflict when another queue of the site has it."""
    same = select(Queue.id).where(Queue.site_id == site.id, func.lower(Queue.name) == name.lower())
    if db.session.scalar(same.where(Queue.id != (but.id if but else 0))) is not None:
        raise Conflict(f"There is a queue called “{name}” already. Choose another name.")
    return name


def free_address(typed: str, *, but: Queue | None = None) -> str:
    """An address for a queue. Raises Invalid for an impossible or too long one, Conflict when another queue has it."""
    address = normalise(check(typed))
    if len(address.partition("@")[0].encode()) > LOCAL_LENGTH:
        raise Invalid(
            f"Choose an address with at most {LOCAL_LENGTH} letters before the @: reply addresses add a token."
        )
    other = Queue.id != (but.id if but else 0)
    if db.session.scalar(select(Queue.id).where(Queue.intake_address == address, other)) is not None:
        raise Conflict(f"Another queue takes the mail for {address} already.")
    return address


def has_site() -> bool:
    """True once a publication is set up."""
    return db.session.scalar(select(Site.id).limit(1)) is not None


def check_url(url: str) -> str:
    """A web address as a person typed it. Raises Invalid with a sentence when it is no whole one."""
    parts = urlsplit(url.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Invalid(f"“{url}” is not a whole web address such as https://www.example.org/")
    return url.strip()


def _free_slug(name: str) -> str:
    base = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:SLUG_LENGTH] or "site"
    taken = set(db.session.scalars(select(Site.slug).where(Site.slug.startswith(base))))
    return next(slug for slug in (base, *(f"{base}-{n}" for n in range(2, 10**6))) if slug not in taken)
