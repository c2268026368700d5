"""The words of a mail: its template, filled with what was known when it was queued."""

from flask import render_template

from helpdesk.outbound.models import OutboundEmail


def text_of(email: OutboundEmail) -> str:
    """The mail as plain text."""
    return render_template(f"{email.template}.txt", title=email.subject, **email.context).strip() + "\n"


def html_of(email: OutboundEmail) -> str:
    """The mail as HTML."""
    return render_template(f"{email.template}.html", title=email.subject, **email.context)
