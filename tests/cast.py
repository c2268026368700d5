"""The people of every test: Ruth reads, Ann answers, Eve edits, Carla administers, Sam has no rights."""

from dataclasses import dataclass

from helpdesk import clock
from helpdesk.agents.models import Agent
from helpdesk.agents.roles import Role
from helpdesk.database import db
from helpdesk.sites.models import FormKind, Priority, Queue, Site, Topic

PASSWORD = "correct horse battery staple"
RUTH = "ruth@example.com"
ARTICLE_URL = "https://blog.example.org/2026/harbour-bridge/"


@dataclass
class Cast:
    """Everybody, and the publication they work for. Sam is an agent who is a member of no queue."""

    site: Site
    queue: Queue
    legal: Queue
    ann: Agent
    eve: Agent
    carla: Agent
    sam: Agent


def make_cast(password_hash: str) -> Cast:
    """Write the whole cast to the database."""
    ann, eve, carla, sam = (
        Agent(
            email=f"{name.lower()}@example.org",
            name=name,
            role=role,
            password=password_hash,
            undo_seconds=0,
            created_at=clock.now(),
        )
        for name, role in (
            ("Ann Archer", Role.AGENT),
            ("Eve Ellis", Role.EDITOR),
            ("Carla Cole", Role.ADMIN),
            ("Sam Stone", Role.AGENT),
        )
    )
    for agent in (ann, eve, carla, sam):
        agent.email = f"{agent.first_name.lower()}@example.org"
    site = Site(
        name="The Tidewater Post", slug="tidewater", home_url="https://blog.example.org/",
        url_prefixes=["https://blog.example.org/"], is_default=True, created_at=clock.now(),
        contact_text="You can also ring us on **weekdays**.",
    )  # fmt: skip
    queue = Queue(
        site=site,
        name="Readers",
        intake_address="support@example.org",
        sender_name="The Tidewater Post",
        signature="The Tidewater Post",
        members=[ann],
    )
    legal = Queue(
        site=site,
        name="Legal",
        intake_address="legal@example.org",
        sender_name="The Tidewater Post, legal",
        restricted=True,
        members=[carla],
    )
    db.session.add_all([ann, eve, carla, sam, site, queue, legal])
    rows = (
        ("mistake", "A mistake in the text", FormKind.MISTAKE, queue),
        ("question", "A question", FormKind.QUESTION, queue),
        ("page", "A broken link or page", FormKind.PAGE, queue),
        ("legal", "Rights and legal", FormKind.LEGAL, legal),
        ("tip", "A tip", FormKind.TIP, queue),
        ("other", "Something else", FormKind.OTHER, queue),
    )
    for position, (slug, label, kind, where) in enumerate(rows):
        priority = Priority.HIGH if kind is FormKind.LEGAL else Priority.NORMAL
        db.session.add(
            Topic(site=site, queue=where, slug=slug, label=label, form_kind=kind, position=position, priority=priority)
        )
    db.session.commit()
    return Cast(site=site, queue=queue, legal=legal, ann=ann, eve=eve, carla=carla, sam=sam)
