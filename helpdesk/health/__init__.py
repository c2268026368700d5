"""What machines ask the desk: does it live, can it serve, what has it counted."""

from flask import Blueprint, Flask

from helpdesk.config import Settings
from helpdesk.health.probe import Probe

blueprint = Blueprint("health", __name__)


def init_app(app: Flask, settings: Settings) -> None:
    """Give the application its own short-tempered way to the database, and the addresses."""
    app.extensions["probe"] = Probe(settings.database_uri)
    app.register_blueprint(blueprint)


from helpdesk.health import views  # noqa: E402, F401 the views need the blueprint
