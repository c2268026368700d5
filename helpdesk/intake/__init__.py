"""The door for programs: a mail handed over by a signed HTTP request, with neither session nor form."""

from flask import Blueprint

blueprint = Blueprint("intake", __name__)

from helpdesk.intake import views  # noqa: E402, F401 the views need the blueprint
