"""Writing: replies to the reader, notes among the staff."""

from flask import flash, g
from werkzeug.wrappers import Response

from helpdesk.access import require
from helpdesk.desk import blueprint
from helpdesk.desk.composing import SENDING, back_to, send_or_keep, where_next
from helpdesk.desk.forms import NoteForm, ReplyForm
from helpdesk.desk.pages import ticket_page
from helpdesk.desk.views.lists import ID
from helpdesk.errors import Conflict
from helpdesk.tickets import replying
from helpdesk.tickets.drafts import DraftKind
from helpdesk.tickets.models import Then
from helpdesk.tickets.queries import get_ticket
from helpdesk.tickets.second_thoughts import refuse_doubtful
from helpdesk.tickets.undo import undo_reply
from helpdesk.uploads import StoredFile


@blueprint.post(f"/tickets/<{ID}:number>/reply")
@require("tickets.reply")
def reply(number: int) -> Response | tuple[str, int]:
    """Answer the reader, unless something new arrived since the page was loaded."""
    ticket, form = get_ticket(number, g.agent), ReplyForm()
    to, go_on = (ticket.reader.address if ticket.reader else ""), where_next(ticket, g.agent.after_send)
    copies = form.copies.data.split() if form.copies.raw_data else None

    def send(files: tuple[StoredFile, ...]) -> None:
        if not form.sure.data:
            refuse_doubtful(ticket, body=form.body.data, has_files=bool(files), by=g.agent)
        replying.reply(
            ticket, body=form.body.data, by=g.agent, then=Then(form.then.data), seen=form.seen.data, copies=copies,
            files=files, undo_seconds=g.agent.undo_seconds,
        )  # fmt: skip

    refused = send_or_keep(ticket, DraftKind.REPLY, form, send)
    if refused is None:
        flash(SENDING[Then(form.then.data)].format(to), "done")
    return refused or go_on()


@blueprint.post(f"/tickets/<{ID}:number>/replies/<{ID}:message_id>/undo", endpoint="undo_reply")
@require("tickets.reply")
def undo(number: int, message_id: int) -> Response | tuple[str, int]:
    """Take a reply back that still waits."""
    try:
        undo_reply(get_ticket(number, g.agent), message_id=message_id, by=g.agent)
    except Conflict as error:
        return ticket_page(number, problem=error.message), error.status
    flash("The reply did not leave. It is a draft again, below.", "done")
    return back_to(number, anchor="reply")


@blueprint.post(f"/tickets/<{ID}:number>/note")
@require("tickets.note")
def note(number: int) -> Response | tuple[str, int]:
    """Keep a note that only staff see."""
    ticket, form = get_ticket(number, g.agent), NoteForm()
    refused = send_or_keep(ticket, DraftKind.NOTE, form, lambda files: replying.add_note(
        ticket, body=form.body.data, by=g.agent, files=files,
    ))  # fmt: skip
    if refused is None:
        flash("The note is kept. Only staff see it.", "done")
    return refused or back_to(number)
