"""The doors for programs and mail providers: a mail handed over by HTTP, with neither session nor form."""

from flask import Blueprint

from helpdesk.extensions import csrf

blueprint = Blueprint("intake", __name__)

DOORS = (
    "views.take_mime",
    "mailgun.take_mailgun",
    "postmark.take_postmark",
    "sendgrid.take_sendgrid",
    "ses.take_ses",
)
for door in DOORS:
    csrf.exempt(f"{__name__}.{door}")  # a signature or a password says who asks; no cookie does

from helpdesk.intake import mailgun, postmark, sendgrid, ses, views  # noqa: E402, F401 the views need the blueprint
