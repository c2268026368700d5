"""Undo: one press takes back what one press did."""

from flask import flash, g, redirect, request, url_for
from werkzeug.wrappers import Response

from helpdesk.access import require
from helpdesk.desk import blueprint
from helpdesk.errors import Conflict
from helpdesk.tickets.undoing import undo_act


@blueprint.post("/undo/<act>", endpoint="undo_act")
@require("tickets.triage")
def undo(act: str) -> Response:
    """Take back an act of one's own; leads to the page it was undone from."""
    try:
        result = undo_act(act, by=g.agent)
        flash(result.sentence, "done" if result.numbers else "error")
    except Conflict as nothing:
        flash(nothing.message, "error")
    return redirect(_back(), 303)


def _back() -> str:
    """Where it was pressed; only ever a page of the desk."""
    asked = request.form.get("back", "")
    return asked if asked.startswith("/desk/") and asked.isprintable() else url_for("desk.home")
