"""One ticket: its page, and the formatted body of a mail in a frame of its own."""

from flask import Response, g, make_response, render_template

from helpdesk.access import require
from helpdesk.config import settings
from helpdesk.desk import blueprint
from helpdesk.desk.framing import framed_html
from helpdesk.desk.pages import ticket_page
from helpdesk.desk.views.lists import ID
from helpdesk.errors import NotFound
from helpdesk.headers import MAIL_CSP
from helpdesk.tickets.queries import get_message


@blueprint.get(f"/tickets/<{ID}:number>")
@require("tickets.read")
def ticket(number: int) -> str:
    """A ticket with all that was said and done."""
    return ticket_page(number)


@blueprint.get(f"/messages/<{ID}:message_id>/html")
@require("tickets.read")
def message_html(message_id: int) -> Response:
    """A mail as it was formatted, without script, style, or anything from afar."""
    message = get_message(message_id, g.agent)
    if message.body_html is None:
        raise NotFound
    response = make_response(render_template("desk/mail_frame.html", body=framed_html(message)))
    response.headers["Content-Security-Policy"] = MAIL_CSP.format(origin=settings().link(""))
    return response
