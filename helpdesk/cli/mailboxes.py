"""`helpdesk mail mailbox` and `helpdesk mail authorise`: how a mailbox is read, and by whose leave."""

import click
from sqlalchemy import select

from helpdesk import create_app
from helpdesk.config import load_settings
from helpdesk.database import db
from helpdesk.errors import Invalid, NotFound
from helpdesk.inbound.models import Source
from helpdesk.inbound.sources.imap import address_of
from helpdesk.inbound.sources.leases import change_settings
from helpdesk.inbound.sources.mailbox import DEFAULT_PORTS, connect
from helpdesk.inbound.sources.oauth import PROVIDERS, Grant, keep
from helpdesk.inbound.sources.permission import BrowserVisit, DeviceCode
from helpdesk.inbound.sources.token_server import Answer


@click.command()
@click.argument("name")
@click.option("--host", help="The mail server.")
@click.option("--port", type=int, help="Its port.")
@click.option("--security", type=click.Choice(sorted(DEFAULT_PORTS)), help="How it is spoken to.")
@click.option("--username", help="The user name there.")
@click.option("--folder", help="The folder that is read.")
@click.option("--processed-folder", help="Where mail goes that was taken; empty: it stays, marked as read.")
@click.option("--with-password", is_flag=True, help="Sign in with a password again, no longer with OAuth.")
def mailbox(name: str, with_password: bool, **given: object) -> None:
    """Show how the mailbox NAME is read, or change it. Nothing that was taken is forgotten by that."""
    with create_app(load_settings()).app_context():
        source = _source(name)
        changed = {option: value for option, value in given.items() if value is not None}
        changed |= {"oauth": None} if with_password else {}
        if changed:
            change_settings(source, settings=changed)
        for option, value in sorted(source.settings.items()):
            click.echo(f"{option}: {value}")


@click.command()
@click.argument("name")
@click.option(
    "--provider", type=click.Choice(sorted(PROVIDERS)), help="Who keeps the mailbox, unless you name endpoints."
)
@click.option("--client-id", help="Our client there, which you register once.")
@click.option("--tenant", help="The organisation at Microsoft; without it any.")
@click.option("--token-endpoint", help="Where access tokens come from.")
@click.option("--device-endpoint", help="Where device codes come from.")
@click.option("--authorization-endpoint", help="Where a browser asks for permission.")
@click.option("--scope", help="What we ask for.")
@click.option("--ca-file", type=click.Path(exists=True, dir_okay=False), help="Whose certificates to trust there.")
def authorise(name: str, **given: str | None) -> None:
    """Ask the owner of the mailbox NAME for permission to read it (OAuth), keep that, and try it."""
    with create_app(load_settings()).app_context():
        source = _source(name)
        known = source.settings.get("oauth") or {}
        said = known | {option: value for option, value in given.items() if value}
        grant = Grant.of(name, said)
        keep(source.id, grant, _permission(grant))
        change_settings(source, settings={"oauth": said})
        click.echo("Permission was given, and is kept sealed in the database.")
        with connect(address_of(source)) as box:
            box.select()
        click.echo(f"The mailbox {name} lets us in.")


def _permission(grant: Grant) -> Answer:
    if not grant.client_id or not grant.token_endpoint:
        raise Invalid("Say --client-id, and --provider or --token-endpoint.")
    if grant.device_endpoint:
        code = DeviceCode.ask(grant)
        click.echo(f"Open {code.address} in any browser, sign in as the mailbox, and type: {code.user_code}")
        return code.wait(grant)
    if not grant.authorization_endpoint:
        raise Invalid("Say --device-endpoint or --authorization-endpoint.")
    visit = BrowserVisit.begin()
    click.echo(f"Open this address in your browser and sign in as the mailbox:\n{visit.address(grant)}")
    click.echo("Your browser ends at a page of 127.0.0.1 that it cannot open. That is right.")
    return visit.answer(grant, click.prompt("Paste the whole address of that page"))


def _source(name: str) -> Source:
    sources = db.session.scalars(select(Source).order_by(Source.name)).all()
    found = next((source for source in sources if source.name == name), None)
    if found is None:
        names = ", ".join(source.name for source in sources) or "none at all"
        raise NotFound(f"There is no mailbox {name}; there is {names}.")
    return found
