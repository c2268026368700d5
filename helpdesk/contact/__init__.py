"""What readers see: the contact form, its thanks, and the page of their own ticket; the session is never touched."""

from flask import Blueprint

from helpdesk.extensions import csrf

blueprint = Blueprint("contact", __name__)
csrf.exempt(blueprint)

from helpdesk.contact.views import accent, form, ticket  # noqa: E402, F401 the views need the blueprint
