"""`helpdesk change-site`: what a publication wants done its own way."""

import click
from sqlalchemy import select

from helpdesk import create_app
from helpdesk.database import db
from helpdesk.errors import NotFound
from helpdesk.schema import require_current
from helpdesk.sites.models import Site
from helpdesk.sites.operations import change_site as change

AFTER_THANKS = {
    True: "a closed ticket stays closed when its reader only says thank you",
    False: "a closed ticket opens again whatever its reader writes",
}


@click.command("change-site")
@click.option("--site", "slug", default=None, help="Its short name in addresses; the default publication without one.")
@click.option("--file-thanks/--no-file-thanks", required=True,
              help="Whether a closed ticket stays closed when its reader only says thank you.")  # fmt: skip
def change_site(slug: str | None, file_thanks: bool) -> None:
    """Change how a publication works."""
    app = create_app()
    require_current(app)
    with app.app_context():
        wanted = Site.is_default.is_(True) if slug is None else Site.slug == slug
        site = db.session.scalar(select(Site).where(wanted))
        if site is None:
            raise NotFound("There is no such publication.")
        change(site, files_thanks=file_thanks)
        click.echo(f"{site.name}: {AFTER_THANKS[file_thanks]}.")
