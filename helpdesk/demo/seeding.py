"""Filling the sample desk, once: its people, its articles, and a history played through the real operations."""

from datetime import timedelta
from pathlib import Path
from shutil import rmtree

from flask_security import hash_password
from sqlalchemy import select

from helpdesk import clock, create_app, paths
from helpdesk.agents.models import Agent
from helpdesk.agents.operations import add_agent
from helpdesk.agents.roles import Role
from helpdesk.articles.models import Article, ArticleState
from helpdesk.articles.operations import find_or_add_article
from helpdesk.canned_replies.operations import add_canned_reply
from helpdesk.config import Settings
from helpdesk.database import db, transactional
from helpdesk.demo.acts import Stage
from helpdesk.demo.publication import AGENTS, ARTICLES, ARTICLES_PATH, CONTACT_TEXT, INTAKE, LEGAL, NAME, PASSWORD
from helpdesk.demo.stories import STORIES
from helpdesk.schema import bring_up_to_date
from helpdesk.sites.models import Site, Topic
from helpdesk.sites.operations import add_default_topics, add_queue, add_site

STATE_FILE = "prepared"
OURS = ("helpdesk.sqlite3", "helpdesk.sqlite3-wal", "helpdesk.sqlite3-shm", "files", "mail", STATE_FILE)
SIGNATURE = "The newsroom of The Saltmere Courier\n3 Quay Lane, Saltmere"
CANNED = (
    (
        "Thank you, corrected",
        "Dear {reader_name},\n\nthank you. You are right; we have corrected the article and say so below it.",
    ),
    (
        "Passed on to the author",
        "Dear {reader_name},\n\nthank you for writing. I have passed this on to the author and will come back to you.",
    ),
)


def is_prepared(settings: Settings) -> bool:
    """True when the data is there, complete, and of this version and these ports."""
    file = settings.data_dir / STATE_FILE
    return file.is_file() and file.read_text() == _fingerprint(settings)


def prepare(settings: Settings) -> None:
    """Make the sample data, or bring that of an earlier run up to date; what a broken run left is made anew."""
    file = settings.data_dir / STATE_FILE
    if not file.is_file():
        _clear(settings.data_dir)
    app = create_app(settings)
    bring_up_to_date(app)
    with app.app_context():
        if file.is_file():
            move_articles("articles", to=articles_url(settings))
        else:
            seed(articles_url(settings))
    file.write_text(_fingerprint(settings))


def articles_url(settings: Settings) -> str:
    """Where the publication's articles stand."""
    return settings.caught_mail_url.rstrip("/") + ARTICLES_PATH


def seed(url: str) -> None:
    """Add everything, and play all stories as one timeline, oldest step first."""
    now = clock.now()
    with clock.at(now - timedelta(days=20)):
        password = hash_password(PASSWORD)
        for agent in AGENTS:
            add_agent(agent.email, name=agent.name, role=Role(agent.role), password_hash=password)
        site = publish(url)
    stage = Stage(site, url)
    steps = [(step.hours_ago, key, step.act) for key, story in STORIES.items() for step in story]
    for hours_ago, key, act in sorted(steps, key=lambda step: -step[0]):
        with clock.at(now - timedelta(hours=hours_ago)):
            act(stage, key)


@transactional
def publish(url: str) -> Site:
    """Add the publication, its queues, topics, texts and articles."""
    site = add_site(NAME, home_url=url, url_prefixes=[url], contact_text=CONTACT_TEXT)
    people = list(db.session.scalars(select(Agent).order_by(Agent.id)))
    letters = add_queue(
        site, name="Letters", intake_address=INTAKE, sender_name=NAME, signature=SIGNATURE, members=people
    )
    legal = add_queue(
        site, name="Legal", intake_address=LEGAL, sender_name=NAME, signature=SIGNATURE, members=people[1:],
        restricted=True,
    )  # fmt: skip
    add_default_topics(site, queue=letters)
    db.session.scalars(select(Topic).where(Topic.slug == "rights")).one().queue = legal
    for name, body in CANNED:
        add_canned_reply(site, name=name, body=body, by=None)
    _add_articles(site, url)
    return site


@transactional
def move_articles(_what: str, *, to: str) -> None:
    """The sample pages answer on another port now: their addresses follow."""
    site = db.session.scalars(select(Site).order_by(Site.id).limit(1)).one()
    before, site.home_url, site.url_prefixes = site.home_url, to, [to]
    for article in db.session.scalars(select(Article).where(Article.site_id == site.id)):
        article.canonical_url = article.canonical_url.replace(before, to, 1)


def _add_articles(site: Site, url: str) -> None:
    for sample in ARTICLES:
        article = find_or_add_article(site, url + sample.slug)
        if article is not None:
            article.title, article.authors, article.section = sample.title, [sample.author], sample.section
            article.published_at = clock.now() + timedelta(days=20 - sample.days_ago)
            article.state = ArticleState.LIVE


def _fingerprint(settings: Settings) -> str:
    versions = sorted(file.name for file in (paths.migrations() / "versions").glob("*.py"))
    return "\n".join([articles_url(settings), *versions])


def _clear(folder: Path) -> None:
    for name in OURS:
        path = folder / name
        if path.is_dir():
            rmtree(path)
        else:
            path.unlink(missing_ok=True)
