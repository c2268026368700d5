"""The words of a mail: its template, filled with what was known when it was queued."""

from flask import render_template

from helpdesk.outbound.models import OutboundEmail, OutboundRecipient
from helpdesk.tokens import Kind, without_tokens

LINK_BYTES = 7  # what a private link's token holds: a ticket's id and the link's version


def text_of(email: OutboundEmail) -> str:
    """The mail as plain text."""
    return render_template(f"{email.template}.txt", title=email.subject, **email.context).strip() + "\n"


def html_of(email: OutboundEmail) -> str:
    """The mail as HTML."""
    return render_template(f"{email.template}.html", title=email.subject, **email.context)


def text_for(recipient: OutboundRecipient) -> str:
    """The plain text that one recipient gets; no copy holds the private link of whom the mail is to."""
    return _without_private_link(text_of(recipient.email), recipient)


def html_for(recipient: OutboundRecipient) -> str:
    """The HTML that one recipient gets; no copy holds the private link of whom the mail is to."""
    return _without_private_link(html_of(recipient.email), recipient)


def _without_private_link(words: str, recipient: OutboundRecipient) -> str:
    return without_tokens(Kind.STATUS_LINK, LINK_BYTES, words) if recipient.is_copy else words
