"""Changing what is set up: a publication, its queues with their members, and the topics readers choose from."""

import re
from collections.abc import Callable
from typing import TypedDict, Unpack

from sqlalchemy import func, select, update

from helpdesk.agents.models import Agent
from helpdesk.database import db, transactional
from helpdesk.errors import Conflict, Invalid
from helpdesk.sites.models import FormKind, Priority, Queue, Site, Topic
from helpdesk.sites.operations import (
    SLUG_LENGTH,
    add_default_topics,
    add_queue,
    add_site,
    check_url,
    free_address,
    free_name,
)

_NOT_IN_SLUGS = re.compile(r"[^a-z0-9]+")


class SiteChange(TypedDict):
    """All that can be decided about a publication, but for whether it is the default one."""

    name: str
    home_url: str
    url_prefixes: list[str]
    language: str
    timezone: str
    contact_text: str
    accent: str
    answer_within: str
    reopen_days: int
    files_thanks: bool


@transactional
def edit_site(site: Site, **change: Unpack[SiteChange]) -> None:
    """Keep what was decided about a publication. Raises Invalid when an address is no whole web address."""
    change["home_url"] = check_url(change["home_url"])
    change["url_prefixes"] = [check_url(prefix) for prefix in change["url_prefixes"]] or [change["home_url"]]
    for name, value in change.items():
        setattr(site, name, value)


@transactional
def make_default(site: Site) -> None:
    """Let its reader pages be those that carry no short name; the one that was so until now gets its own back."""
    if not site.is_default:
        db.session.execute(update(Site).where(Site.is_default.is_(True)).values(is_default=None))
        site.is_default = True


@transactional
def change_queue(
    queue: Queue,
    *,
    name: str,
    intake_address: str,
    sender_name: str,
    signature: str,
    restricted: bool,
    members: list[Agent],
) -> None:
    """Keep what was decided about a queue. Raises Invalid and Conflict as for a new one."""
    queue.intake_address = free_address(intake_address, but=queue)
    queue.name = free_name(name, site=queue.site, but=queue)
    queue.sender_name, queue.signature, queue.restricted, queue.members = sender_name, signature, restricted, members


class TopicChange(TypedDict):
    """All that can be decided about a topic."""

    label: str
    slug: str
    form_kind: FormKind
    priority: Priority
    position: int
    active: bool


@transactional
def add_topic(site: Site, *, queue: Queue, **fields: Unpack[TopicChange]) -> Topic:
    """Offer readers one more topic. Raises Invalid and Conflict for a short name that cannot be."""
    _belongs(queue, site)
    fields["slug"] = _free_topic_slug(fields["slug"] or fields["label"], site=site)
    topic = Topic(site=site, queue=queue, **fields)
    db.session.add(topic)
    db.session.flush()
    return topic


@transactional
def change_topic(topic: Topic, *, queue: Queue, **fields: Unpack[TopicChange]) -> None:
    """Keep what was decided about a topic; tickets keep it. Raises Invalid and Conflict as for a new one."""
    _belongs(queue, topic.site)
    if topic.active and not fields["active"]:
        refuse_last_topic(topic)
    fields["slug"] = _free_topic_slug(fields["slug"] or fields["label"], site=topic.site, but=topic)
    topic.queue = queue
    for name, value in fields.items():
        setattr(topic, name, value)


def refuse_last_topic(topic: Topic) -> None:
    """Raise Conflict for the only topic that readers of the site can choose."""
    others = select(func.count()).where(Topic.site_id == topic.site_id, Topic.active, Topic.id != topic.id)
    if not db.session.scalar(others):
        raise Conflict("The form needs at least one topic. Add another one first.")


def _belongs(queue: Queue, site: Site) -> None:
    if queue.site_id != site.id:
        raise Invalid("That queue belongs to another publication.")


def _free_topic_slug(typed: str, *, site: Site, but: Topic | None = None) -> str:
    slug = _NOT_IN_SLUGS.sub("-", typed.lower()).strip("-")[:SLUG_LENGTH].strip("-")
    if not slug:
        raise Invalid("Write a short name with letters from a to z.")
    other = Topic.id != (but.id if but else 0)
    if db.session.scalar(select(Topic.id).where(Topic.site_id == site.id, Topic.slug == slug, other)) is not None:
        raise Conflict(f"There is a topic with the short name “{slug}” already.")
    return slug


@transactional
def open_site(
    name: str, *, change: SiteChange, queue_name: str, intake_address: str, note: Callable[[Site], None]
) -> Site:
    """Add a publication with a first queue and the usual topics, and `note` it; all of it or nothing."""
    site = add_site(name, home_url=change["home_url"], url_prefixes=change["url_prefixes"])
    edit_site(site, **change)
    queue = add_queue(site, name=queue_name, intake_address=intake_address, sender_name=name)
    add_default_topics(site, queue=queue)
    note(site)
    return site
