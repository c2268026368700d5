"""`helpdesk receive`, the end of a mail server's pipe, `helpdesk mail inspect` and `helpdesk mail selftest`."""

import json
import sys
from contextlib import suppress
from pathlib import Path

import click
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from helpdesk import create_app
from helpdesk.cli.mailboxes import authorise, mailbox
from helpdesk.config import load_settings, settings
from helpdesk.database import db
from helpdesk.doctor.round_trip import travel_round
from helpdesk.errors import HelpdeskError, Refused
from helpdesk.inbound.acting import Place, doubted_addresses, find_queue, place_of
from helpdesk.inbound.inspecting import as_text, inspect
from helpdesk.inbound.matching import match
from helpdesk.inbound.parsing import ParsedEmail, parse
from helpdesk.inbound.sources.pipe import receive_from_pipe
from helpdesk.sites.models import Queue
from helpdesk.tickets.emails import LOOP_HEADER, own_loop_value

TEMPORARY_FAILURE = 75
LOST = 1


@click.command()
@click.option("--envelope-from", default=None, help="The sender the mail server was told (MAIL FROM).")
@click.option("--envelope-to", multiple=True, help="The address it was told to deliver to (RCPT TO).")
def receive(envelope_from: str | None, envelope_to: tuple[str, ...]) -> None:
    """Take one mail from standard input. Exit code 0 means it is kept for good, 75 means: try again later."""
    try:
        app = create_app()
        with app.app_context():
            code = receive_from_pipe(sys.stdin.buffer, envelope_from, envelope_to)
    except Exception as error:  # any other exit code would make the mail server give the mail up
        code = TEMPORARY_FAILURE
        with suppress(OSError):
            click.echo(f"The mail was not taken: {(str(error) or type(error).__name__).splitlines()[0]}", err=True)
    sys.exit(code)


@click.group()
def mail() -> None:
    """Look into mail, try its ways, and look after the mailboxes it comes from."""


mail.add_command(mailbox)
mail.add_command(authorise)


@mail.command("inspect")
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path)
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object per mail and line.")
def inspect_files(files: tuple[Path, ...], as_json: bool) -> None:
    """Say how the desk reads each mail FILE, and which ticket it belongs to. Nothing is changed."""
    app = _desk_if_any()
    for file in files:
        raw = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        report = report_of(raw, app)
        if as_json:
            click.echo(json.dumps({"file": str(file), **report}, ensure_ascii=False))
        else:
            click.echo(_titled(file, files) + as_text(report) + _thread_lines(report), nl=False)


@mail.command()
@click.option("--wait", default=120.0, show_default=True, metavar="SECONDS", help="How long to wait for each mail.")
@click.option("--queue", "name", default=None, help="The queue to test, by name; else the first.")
def selftest(wait: float, name: str | None) -> None:
    """Send a mail to the desk itself, wait until it comes in, and say how long that took or where it ended.

    It takes the way of every mail, so a worker must run. Exit code 0 means that it came in, 1 that it did not.
    """
    with create_app().app_context():
        is_well = False
        for came_in, sentence in travel_round(_queue(name), wait=wait):
            click.echo(sentence)
            is_well = came_in
    if not is_well:
        sys.exit(LOST)


def _queue(name: str | None) -> Queue:
    named = select(Queue).order_by(Queue.id)
    queue = db.session.scalars(named.where(Queue.name == name) if name else named).first()
    if queue is None:
        raise Refused(f"There is no queue called {name}." if name else "There is no queue yet; run “helpdesk setup”.")
    return queue


def report_of(raw: bytes, app: Flask | None) -> dict[str, object]:
    """Everything the desk makes of a mail; the ticket too when there is a desk whose keys can be asked."""
    if app is None:
        return {**inspect(raw), "thread_key": None, "thread_why": "no desk is set up here to ask for its keys"}
    with app.app_context():
        mail = parse(raw)
        place, own = _place_of(mail)
        report = inspect(
            raw, own_addresses=own, own_loop_header=f"{LOOP_HEADER}: {own_loop_value()}",
            trusted_hosts=frozenset(settings().trusted_mail_hosts), is_returned=place.found.delivery_id is not None,
        )  # fmt: skip
        key, why = _thread_of(place)
        return {**report, "thread_key": key, "thread_why": why}


def _place_of(mail: ParsedEmail) -> tuple[Place, frozenset[str]]:
    """Where the mail belongs, and from which of our addresses it could not come."""
    try:
        place = place_of(mail, (), find_queue(mail, ()))
        return place, doubted_addresses(mail, place)
    except SQLAlchemyError:  # a desk that is configured and not yet migrated has no address to know
        db.session.rollback()
        return Place(match(mail)), frozenset()


def _thread_of(place: Place) -> tuple[str | None, str]:
    """The delivery or ticket that the mail belongs to, if any, and why."""
    found, by = place.found, place.by
    if by is not None:
        return None, f"it was sent to the private address of {by.name}: a ticket of whoever wrote what it forwards"
    if found.delivery_id is not None:
        return f"delivery:{found.delivery_id}", found.why
    return (f"ticket:{found.ticket_id}" if found.ticket_id is not None else None), found.why


def _desk_if_any() -> Flask | None:
    try:
        return create_app(load_settings())
    except HelpdeskError:
        return None


def _titled(file: Path, files: tuple[Path, ...]) -> str:
    return f"== {file} ==\n" if len(files) > 1 else ""


def _thread_lines(report: dict[str, object]) -> str:
    return f"\nThread:       {report['thread_key'] or 'a new ticket'}\nBecause:      {report['thread_why']}\n"
