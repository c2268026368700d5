"""The door for programs: a mail handed over by a signed HTTP request, with neither session nor form."""

from flask import Blueprint

from helpdesk.extensions import csrf

blueprint = Blueprint("intake", __name__)

csrf.exempt("helpdesk.intake.views.take_mime")  # the signature says who asks; no cookie does

from helpdesk.intake import views  # noqa: E402, F401 the views need the blueprint
