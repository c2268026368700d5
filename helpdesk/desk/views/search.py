"""Finding tickets by words, by what is asked of them, or by number."""

from dataclasses import asdict

from flask import g, jsonify, redirect, request, url_for
from werkzeug.wrappers import Response

from helpdesk.access import require
from helpdesk.desk import blueprint
from helpdesk.desk.pages import desk_page
from helpdesk.errors import Invalid
from helpdesk.tickets.filters import MOST_CHARACTERS, read_filter
from helpdesk.tickets.lists import Page, find_numbered, list_found
from helpdesk.tickets.suggestions import suggest


@blueprint.get("/search")
@require("tickets.read")
def find() -> Response | str:
    """The tickets that a filter finds; a number goes straight to its ticket."""
    query = request.args.get("q", "").strip()
    asked = read_filter(query)
    if asked.number is not None and find_numbered(asked.number, g.agent):
        return redirect(url_for("desk.ticket", number=asked.number), 303)
    try:
        page, problem = list_found(asked, g.agent, after=request.args.get("after")), ""
    except Invalid as error:
        page, problem = Page([], None), error.message
    return desk_page("search.html", query=query, asked=asked, page=page, problem=problem)


@blueprint.get("/search/suggestions")
@require("tickets.read")
def suggestions() -> Response:
    """How the text in the search box could go on."""
    return jsonify([asdict(one) for one in suggest(request.args.get("q", "")[:MOST_CHARACTERS], g.agent)])
