"""What an open page asks every few seconds: is there something new? Cheap, and never a change."""

from datetime import UTC, datetime

from flask import Response, g, jsonify, request

from helpdesk.access import require
from helpdesk.desk import blueprint
from helpdesk.desk.views.lists import FOLDER, ID
from helpdesk.errors import Invalid
from helpdesk.tickets.folders import Folder, count_arrivals
from helpdesk.tickets.queries import count_newer


@blueprint.get(f"/{FOLDER}/news")
@require("tickets.read")
def folder_news(name: str) -> Response:
    """How many tickets of a list readers wrote in since the page was loaded."""
    return jsonify(new=count_arrivals(Folder(name), g.agent, since=_moment(request.args.get("since", ""))))


@blueprint.get(f"/tickets/<{ID}:number>/news")
@require("tickets.read")
def ticket_news(number: int) -> Response:
    """How many messages came after the newest one on the page."""
    return jsonify(new=count_newer(number, g.agent, seen=_number(request.args.get("seen", ""))))


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise Invalid("That is no moment.") from error


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0
