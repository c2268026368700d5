"""`helpdesk migrate` and `helpdesk reindex`."""

import click

from helpdesk import create_app
from helpdesk.schema import bring_up_to_date, require_current
from helpdesk.tickets.reindexing import reindex as rebuild_index


@click.command()
def migrate() -> None:
    """Bring the database up to date. Run it once after every new version."""
    bring_up_to_date(create_app())
    click.echo("The database is up to date.")


@click.command()
def reindex() -> None:
    """Rebuild the full-text search from the messages."""
    app = create_app()
    require_current(app)
    with app.app_context():
        click.echo(f"{rebuild_index('search')} messages can be found again.")
