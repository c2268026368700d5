"""`helpdesk setup`: from nothing to a desk that somebody can sign in to."""

import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from flask import Flask

from helpdesk import create_app
from helpdesk.addresses import check
from helpdesk.agents.models import Agent
from helpdesk.agents.operations import add_agent
from helpdesk.agents.roles import Role
from helpdesk.cli.people import one_time_link
from helpdesk.config import PREFIX, SETTINGS_FILE, load_settings
from helpdesk.database import db, transactional
from helpdesk.doctor.mail_check import check_imap, check_smtp
from helpdesk.errors import Conflict
from helpdesk.inbound.models import Source
from helpdesk.inbound.sources.mailbox import DEFAULT_PORTS
from helpdesk.schema import bring_up_to_date
from helpdesk.sites.operations import add_default_topics, add_queue, add_site, check_url, has_site

MAILBOX = "Inbox"


@dataclass(frozen=True)
class Question:
    """One thing the owner is asked, unless an option answered it; an empty default may stay empty."""

    name: str
    text: str
    default: str | None = None
    secret: bool = False


ABOUT_SETTINGS = (
    Question("base_url", "Address under which this desk is reached", "http://127.0.0.1:5000"),
    Question("smtp_host", "Mail server that sends (SMTP host)", "127.0.0.1"),
    Question("smtp_port", "Its port", "587"),
    Question("smtp_security", "Its security (tls, starttls or none)", "starttls"),
    Question("smtp_username", "User name there (empty for none)", ""),
    Question("smtp_password", "Password there", "", secret=True),
    Question("imap_password", "Password of the readers' mailbox", "", secret=True),
)
ABOUT_THE_DESK = (
    Question("site_name", "Name of the publication"),
    Question("home_url", "Its home address"),
    Question("url_prefixes", "Addresses its articles begin with, with blanks between", "as home"),
    Question("queue_name", "Name of the first queue", "Readers"),
    Question("intake_address", "Mail address readers write to"),
    Question("sender_name", "Name that answers are sent under", "as publication"),
    Question("admin_name", "Your own name"),
    Question("admin_email", "Your own mail address, to sign in with"),
    Question("imap_host", "Server of the readers' mailbox (IMAP host, empty for none)", ""),
    Question("imap_security", "Its security (tls or starttls)", "tls"),
    Question("imap_port", "Its port", "as security"),
    Question("imap_username", "User name there", "as intake"),
)
_QUESTIONS = ABOUT_SETTINGS + ABOUT_THE_DESK
_NEEDS = {"smtp_password": "smtp_username"} | dict.fromkeys(
    ("imap_security", "imap_port", "imap_username", "imap_password"), "imap_host"
)

_DEFAULTS: dict[str | None, Callable[[dict[str, str]], str]] = {
    "as home": lambda answers: answers["home_url"],
    "as publication": lambda answers: answers["site_name"],
    "as intake": lambda answers: answers["intake_address"],
    "as security": lambda answers: str(DEFAULT_PORTS.get(answers["imap_security"], DEFAULT_PORTS["tls"])),
}


def with_options(command: Any) -> Any:
    """Add an option for each question, for those who set up by script."""
    for question in reversed(_QUESTIONS):
        command = click.option(f"--{question.name.replace('_', '-')}", help=question.text + ".")(command)
    return command


@click.command()
@with_options
@click.option("--check-mail", is_flag=True, help="Sign in to the mail servers before anything is set up.")
def setup(check_mail: bool, **given: str | None) -> None:
    """Set up a desk of your own.

    Writes the settings file, makes the database, and adds the publication, its queue and the first admin.
    Every question can be answered by an option instead. No password is chosen here: a link is printed.
    """
    file = Path(os.environ.get(SETTINGS_FILE, "data/helpdesk.env"))
    _refuse_a_second_time(file)
    answers = _ask(given, with_settings=not _has_settings(file))
    if not _has_settings(file):
        write_settings(file, answers)
        click.echo(f"Settings were written to {file}; only you can read it.")
    app = create_app(load_settings())
    if check_mail:
        _check_mail(app, answers)
    bring_up_to_date(app)
    with app.app_context():
        agent = set_up(answers["site_name"], answers=answers)
        click.echo(f"{answers['site_name']} is set up. {agent.name} chooses a password here, within 4 hours and once:")
        click.echo(one_time_link(agent))
    click.echo("Then start the desk with: helpdesk up")


@transactional
def set_up(site_name: str, *, answers: dict[str, str]) -> Agent:
    """Add everything a desk begins with, or nothing."""
    if has_site():
        raise Conflict("This desk is set up already.")
    admin = add_agent(answers["admin_email"], name=answers["admin_name"], role=Role.ADMIN)
    site = add_site(site_name, home_url=answers["home_url"], url_prefixes=answers["url_prefixes"].split())
    queue = add_queue(
        site, name=answers["queue_name"], intake_address=answers["intake_address"],
        sender_name=answers["sender_name"], members=[admin],
    )  # fmt: skip
    add_default_topics(site, queue=queue)
    if answers["imap_host"]:
        db.session.add(Source(name=MAILBOX, queue=queue, settings=mailbox_settings(answers)))
    return admin


def mailbox_settings(answers: dict[str, str]) -> dict[str, Any]:
    """What is kept of the mailbox; its password is a setting of the installation."""
    return {
        "host": answers["imap_host"],
        "port": int(answers["imap_port"]),
        "security": answers["imap_security"],
        "username": answers["imap_username"],
    }


def write_settings(file: Path, answers: dict[str, str]) -> None:
    """Write the settings file with a fresh secret key, for its owner alone; an existing one is never touched."""
    values = {"secret_keys": secrets.token_urlsafe(48)}
    values |= {question.name: answers[question.name] for question in ABOUT_SETTINGS if answers.get(question.name)}
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as lines:
        lines.writelines(f"{(PREFIX + name).upper()}={_quoted(value)}\n" for name, value in values.items())


def _refuse_a_second_time(file: Path) -> None:
    if not _has_settings(file):
        return
    app = create_app(load_settings())
    bring_up_to_date(app)
    with app.app_context():
        if has_site():
            raise Conflict("This desk is set up already. Use “helpdesk add-agent” for another colleague.")


def _has_settings(file: Path) -> bool:
    return file.is_file() or f"{PREFIX}SECRET_KEYS" in os.environ


def _ask(given: dict[str, str | None], *, with_settings: bool) -> dict[str, str]:
    """All answers, from options or from the keyboard; addresses are checked at once."""
    answers: dict[str, str] = {}
    for question in ABOUT_THE_DESK + (ABOUT_SETTINGS if with_settings else ()):
        answers[question.name] = _answer(question, given[question.name], answers)
    for name in ("intake_address", "admin_email"):
        answers[name] = check(answers[name])
    check_url(answers["home_url"])
    return answers


def _answer(question: Question, given: str | None, so_far: dict[str, str]) -> str:
    if given is not None:
        return given.strip()
    needed = _NEEDS.get(question.name)
    if needed and not so_far.get(needed):
        return ""
    default = _DEFAULTS[question.default](so_far) if question.default in _DEFAULTS else question.default
    answer: str = click.prompt(
        question.text, default=default, hide_input=question.secret, show_default=bool(default) and not question.secret
    )
    return answer.strip()


def _check_mail(app: Flask, answers: dict[str, str]) -> None:
    with app.app_context():
        click.echo(check_smtp())
        if answers["imap_host"]:
            click.echo(check_imap(mailbox_settings(answers), name=MAILBOX))


def _quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
