"""Finding tickets by words or number."""

from flask import g, redirect, request, url_for
from werkzeug.wrappers import Response

from helpdesk.access import require
from helpdesk.desk import blueprint
from helpdesk.desk.pages import desk_page
from helpdesk.tickets.lists import Page, search


@blueprint.get("/search")
@require("tickets.read")
def find() -> Response | str:
    """The tickets with these words; a number goes straight to its ticket."""
    query = request.args.get("q", "").strip()
    tickets = search(query, g.agent) if query else []
    number = query.removeprefix("#")
    if len(tickets) == 1 and number.isdecimal() and tickets[0].number == int(number):
        return redirect(url_for("desk.ticket", number=tickets[0].number), 303)
    return desk_page("search.html", query=query, page=Page(tickets, None))
