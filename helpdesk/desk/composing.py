"""What an agent is writing: files taken in, text kept when it cannot be sent, and where to go once it was."""

from collections.abc import Callable
from typing import Any

from flask import flash, g, redirect, request, url_for
from werkzeug.wrappers import Response

from helpdesk import uploads
from helpdesk.agents.models import AfterSend
from helpdesk.config import settings
from helpdesk.desk.forms import WritingForm, first_error
from helpdesk.desk.pages import opened_from, ticket_address, ticket_page
from helpdesk.errors import Conflict, HelpdeskError, Invalid, NoRoom
from helpdesk.tickets.drafts import DraftKind
from helpdesk.tickets.folders import Folder
from helpdesk.tickets.models import Then, Ticket
from helpdesk.tickets.neighbours import next_in_folder
from helpdesk.tickets.queries import find_draft, is_visible
from helpdesk.tickets.quota import refuse_draft_files
from helpdesk.tickets.uploads import save_draft
from helpdesk.uploads import StoredFile

SENDING: dict[Then, str] = {
    Then.SEND: "Your reply is on its way to {}.",
    Then.WAIT: "Your reply is on its way to {}. The ticket waits for the reader.",
    Then.CLOSE: "Your reply is on its way to {}. The ticket is closed.",
}

Use = Callable[[tuple[StoredFile, ...]], Any]


def send_or_keep(ticket: Ticket, kind: DraftKind, form: WritingForm, use: Use) -> tuple[str, int] | None:
    """Hand the files to `use`, which sends; when anything is wrong keep text and files, and show the page again."""
    number = ticket.number
    stored, problems = take_files(ticket, kind)
    try:
        if problems:
            raise Invalid(" ".join(problems))
        if not form.validate():
            raise Invalid(first_error(form))
        use(stored)
    except HelpdeskError as error:
        save_draft(ticket, kind=kind, body=form.body.data or "", by=g.agent, stored=stored)
        return _page_again(number, kind, form, error), error.status
    return None


def take_files(ticket: Ticket, kind: DraftKind) -> tuple[tuple[StoredFile, ...], list[str]]:
    """The files of this request, durable, and a sentence for each that could not be taken."""
    if not any(sent.filename for sent in request.files.getlist("files")):
        return (), []
    draft = find_draft(ticket, kind=kind, by=g.agent)
    room = settings().max_files - (len(draft.attachments) if draft else 0)
    good, problems = [], []
    for sent in request.files.getlist("files"):
        content = sent.read() if sent.filename else None
        try:
            if content is not None:
                uploads.check(sent.filename or "", content, max_bytes=settings().max_file_bytes)
                good.append((sent.filename or "", content))
        except Invalid as problem:
            problems.append(problem.message)
    if len(good) > room:
        problems.append(f"Send at most {settings().max_files} files. Remove some.")
    good = good[: max(room, 0)]
    try:
        refuse_draft_files(g.agent, [len(content) for _, content in good])
        return uploads.take(good), problems
    except NoRoom as problem:
        return (), [*problems, problem.message]


def where_next(ticket: Ticket, choice: AfterSend) -> Callable[[], Response]:
    """Where an agent who chose so wants to be afterwards; asked before, while the ticket is still in its list."""
    folder = opened_from() or Folder.UNASSIGNED
    number = ticket.number
    following = next_in_folder(ticket, folder, g.agent) if choice is AfterSend.NEXT else None
    if choice is AfterSend.STAY:
        return lambda: back_to(number)
    if following is None:
        return lambda: redirect(url_for("desk.folder", name=folder.value), 303)
    place: dict[str, Any] = {"in": folder.value}
    return lambda: redirect(url_for("desk.ticket", number=following, **place), 303)


def back_to(number: int, *, anchor: str | None = None) -> Response:
    """To the ticket's page again; to its list when it has left what this agent may see."""
    if not is_visible(number, g.agent):
        flash("It is now with somebody else, and no longer yours to see.", "done")
        return redirect(url_for("desk.home"), 303)
    return redirect(ticket_address(number, anchor=anchor), 303)


def _page_again(number: int, kind: DraftKind, form: WritingForm, error: HelpdeskError) -> str:
    if not isinstance(error, Conflict) or kind is DraftKind.NOTE:
        return ticket_page(number, problem=error.message, kind=kind)
    held = Then(form.then.data)
    return ticket_page(number, problem=error.message, kind=kind, held=held, seen=form.seen.data)
