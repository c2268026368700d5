"""Unsent texts, kept on the server: saved, filled with a prepared text, discarded."""

from typing import Any

from flask import Response as FlaskResponse
from flask import flash, g, get_template_attribute, jsonify, request
from werkzeug.wrappers import Response

from helpdesk import clock
from helpdesk.access import require
from helpdesk.canned_replies.filling import fill
from helpdesk.canned_replies.queries import get_canned_reply
from helpdesk.desk import blueprint
from helpdesk.desk.composing import back_to, take_files
from helpdesk.desk.forms import DraftForm, first_error
from helpdesk.desk.pages import ticket_page, verb_address
from helpdesk.desk.views.lists import ID
from helpdesk.errors import Invalid, NotFound
from helpdesk.templating import moment
from helpdesk.tickets.drafts import DraftKind
from helpdesk.tickets.models import Ticket
from helpdesk.tickets.queries import find_draft, get_ticket
from helpdesk.tickets.uploads import drop_draft_file, save_draft


@blueprint.post(f"/tickets/<{ID}:number>/draft")
@require("tickets.reply")
def draft(number: int) -> Response | tuple[str, int]:
    """Keep the text and its files as they are now."""
    ticket = get_ticket(number, g.agent)
    problems = save_writing(ticket, DraftForm())
    if request.accept_mimetypes.best == "application/json":
        return _as_saved(ticket, problems)
    if problems:
        return _page_with(problems, number)
    flash("The draft is saved.", "done")
    return back_to(number, anchor="composer")


@blueprint.post(f"/tickets/<{ID}:number>/draft/canned-reply")
@require("tickets.reply")
def insert_canned_reply(number: int) -> Response | tuple[str, int]:
    """Put a prepared text below what is written so far."""
    ticket, form = get_ticket(number, g.agent), DraftForm()
    chosen = form.canned.data
    problems = save_writing(ticket, form, below=_filled(ticket, chosen) if chosen else "")
    problems += [] if chosen else ["Choose a canned reply first."]
    return _page_with(problems, number) if problems else back_to(number, anchor="composer")


@blueprint.get(f"/tickets/<{ID}:number>/canned-replies/<{ID}:canned_id>")
@require("tickets.reply")
def canned_reply(number: int, canned_id: int) -> FlaskResponse:
    """A prepared text filled for this ticket, for the cursor's place."""
    return jsonify(text=_filled(get_ticket(number, g.agent), canned_id))


@blueprint.post(f"/tickets/<{ID}:number>/draft/files/<{ID}:file_id>/remove")
@require("tickets.reply")
def remove_draft_file(number: int, file_id: int) -> Response | tuple[str, int]:
    """Take one file off the draft, keeping the text."""
    ticket = get_ticket(number, g.agent)
    problems = save_writing(ticket, DraftForm())
    kept = find_draft(ticket, kind=_kind(), by=g.agent)
    file = next((file for file in kept.attachments if file.id == file_id), None) if kept else None
    if file is None:
        raise NotFound
    drop_draft_file(file, by=g.agent)
    return _page_with(problems, number) if problems else back_to(number, anchor="composer")


@blueprint.post(f"/tickets/<{ID}:number>/draft/discard")
@require("tickets.reply")
def discard_draft(number: int) -> Response:
    """Forget the text and its files."""
    ticket = get_ticket(number, g.agent)
    kept = find_draft(ticket, kind=_kind(), by=g.agent)
    for file in list(kept.attachments) if kept else []:
        drop_draft_file(file, by=g.agent)
    save_draft(get_ticket(number, g.agent), kind=_kind(), body="", by=g.agent)
    flash("The draft is gone.", "done")
    return back_to(number, anchor="composer")


def _as_saved(ticket: Ticket, problems: list[str]) -> FlaskResponse:
    """When it was saved, the files as they are listed now, and what could not be taken."""
    listed = get_template_attribute("desk/_composer.html", "draft_files")
    kept = find_draft(ticket, kind=_kind(), by=g.agent)
    saved = moment(clock.now(), g.agent.timezone).rpartition(" ")[2]
    return jsonify(saved=saved, files=listed(kept, verb_address(ticket.number)), problems=problems)


def _page_with(problems: list[str], number: int) -> tuple[str, int]:
    return ticket_page(number, problem=" ".join(problems), kind=_kind()), Invalid.status


def save_writing(ticket: Ticket, form: DraftForm, *, below: str = "") -> list[str]:
    """Keep what is being written; returns a sentence for each file that could not be taken. Raises Invalid."""
    if not form.validate():
        raise Invalid(first_error(form))
    kind = _kind()
    stored, problems = take_files(ticket, kind)
    body = "\n\n".join(part for part in (form.body.data.rstrip() if below else form.body.data, below) if part)
    save_draft(ticket, kind=kind, body=body, by=g.agent, stored=stored)
    return problems


def _kind() -> DraftKind:
    return DraftKind.NOTE if request.form.get("kind") == DraftKind.NOTE else DraftKind.REPLY


def _filled(ticket: Ticket, canned_id: int) -> str:
    canned = get_canned_reply(canned_id, site_id=ticket.site_id)
    return fill(canned.body, _values(ticket))


def _values(ticket: Ticket) -> dict[str, Any]:
    return {
        "reader_name": ticket.reader.name if ticket.reader else "",
        "article_title": ticket.article.title if ticket.article else "",
        "article_url": ticket.article.canonical_url if ticket.article else "",
        "ticket_number": str(ticket.number),
        "agent_name": g.agent.name,
        "site_name": ticket.site.name,
    }
