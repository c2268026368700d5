"""Mail that needs a look: what did not reach a reader, what became no ticket, and raw mails."""

from collections.abc import Callable

from flask import flash, g, redirect, request, url_for
from werkzeug.wrappers import Response

from helpdesk.access import require
from helpdesk.desk import blueprint
from helpdesk.desk.mail_log import (
    MOST,
    get_inbound,
    get_recipient,
    get_stuck,
    get_undelivered,
    list_handled,
    list_ignored,
    list_not_taken,
    list_stuck,
    list_undelivered,
)
from helpdesk.desk.mail_source import refuse_private, source_of
from helpdesk.desk.mail_ways import list_ways
from helpdesk.desk.pages import desk_page
from helpdesk.desk.views.lists import ID
from helpdesk.downloads import as_download
from helpdesk.errors import Refused
from helpdesk.inbound.operations import retry_inbound
from helpdesk.inbound.quarantine import ignore_inbound, make_ticket
from helpdesk.inbound.stuck import leave_stuck, retry_stuck
from helpdesk.outbound.pausing import pause_sending, resume_sending
from helpdesk.outbound.rendering import text_for
from helpdesk.tickets.delivery import mark_handled, retry_delivery


@blueprint.get("/mail")
@require("mail.read")
def mail() -> str:
    """How each way goes, then both directions, each mail with its reason."""
    return desk_page(
        "mail.html",
        ways=list_ways(g.agent),
        stuck=list_stuck(g.agent),
        undelivered=list_undelivered(g.agent),
        not_taken=list_not_taken(g.agent),
        most=MOST,
    )


@blueprint.get("/mail/seen-to")
@require("mail.read")
def mail_seen_to() -> str:
    """What somebody handled or ignored, in both directions: nothing vanishes."""
    return desk_page("mail_seen_to.html", handled=list_handled(g.agent), ignored=list_ignored(g.agent), most=MOST)


@blueprint.post("/mail/pause")
@require("mail.pause")
def pause() -> Response:
    """Let no mail leave."""
    pause_sending(g.agent.name)
    return redirect(url_for("desk.mail"), 303)


@blueprint.post("/mail/resume")
@require("mail.pause")
def resume() -> Response:
    """Let all mail leave that waited."""
    resume_sending(g.agent.name)
    flash("Sending goes on; what waited leaves now, in its order.", "done")
    return redirect(url_for("desk.mail"), 303)


@blueprint.get(f"/mail/<{ID}:email_id>/raw")
@require("tickets.read")
def raw_mail(email_id: int) -> Response:
    """A mail as it came, byte for byte."""
    email = get_inbound(email_id, g.agent)
    refuse_private(email, g.agent)
    return as_download(email.storage_key, name=f"mail-{email.id}.eml", media_type="message/rfc822")


@blueprint.get(f"/mail/<{ID}:email_id>/view")
@require("tickets.read")
def view_mail(email_id: int) -> str:
    """A mail as it came, as text."""
    email = get_inbound(email_id, g.agent)
    refuse_private(email, g.agent)
    source, is_whole = source_of(email)
    return desk_page("mail_view.html", email=email, source=source, is_whole=is_whole)


@blueprint.post(f"/mail/<{ID}:email_id>/retry")
@require("mail.retry")
def retry_mail(email_id: int) -> Response:
    """Read a failed mail once more."""
    _try(
        lambda: retry_inbound(get_inbound(email_id, g.agent), by=g.agent),
        done="The mail will be read again in a moment.",
    )
    return redirect(url_for("desk.mail"), 303)


@blueprint.get(f"/mail/out/<{ID}:recipient_id>/text")
@require("mail.handle")
def mail_text(recipient_id: int) -> str:
    """The words of a mail that did not arrive, ready to be copied."""
    recipient = get_undelivered(recipient_id, g.agent)
    return desk_page("mail_text.html", to=recipient, words=text_for(recipient))


@blueprint.post(f"/mail/out/<{ID}:recipient_id>/mark-handled")
@require("mail.handle")
def mark_mail_handled(recipient_id: int) -> Response:
    """Take a mail that did not arrive off the list, since somebody saw to it."""
    _try(
        lambda: mark_handled(get_recipient(recipient_id, g.agent), by=g.agent),
        done="The mail is handled, and no longer on the list.",
    )
    return redirect(url_for("desk.mail"), 303)


@blueprint.post(f"/mail/<{ID}:email_id>/make-ticket")
@require("mail.handle")
def make_ticket_of_mail(email_id: int) -> Response:
    """Make a ticket of a mail that became none, and open it."""
    try:
        ticket = make_ticket(get_inbound(email_id, g.agent), by=g.agent)
    except Refused as refused:
        flash(refused.message, "error")
        return redirect(url_for("desk.mail"), 303)
    flash("This is the mail, as a ticket.", "done")
    return redirect(url_for("desk.ticket", number=ticket.number), 303)


@blueprint.post(f"/mail/<{ID}:email_id>/ignore")
@require("mail.handle")
def ignore_mail(email_id: int) -> Response:
    """Take a mail off the list."""
    _try(
        lambda: ignore_inbound(get_inbound(email_id, g.agent), by=g.agent),
        done="The mail is kept, and no longer on the list.",
    )
    return redirect(url_for("desk.mail"), 303)


@blueprint.post(f"/mail/stuck/<{ID}:stuck_id>/retry")
@require("mail.retry")
def retry_stuck_mail(stuck_id: int) -> Response:
    """Try once more to take a mail out of its mailbox."""
    retry_stuck(get_stuck(stuck_id, g.agent), by=g.agent)
    flash("The mail will be tried again when its mailbox is read next.", "done")
    return redirect(url_for("desk.mail"), 303)


@blueprint.post(f"/mail/stuck/<{ID}:stuck_id>/leave")
@require("mail.handle")
def leave_stuck_mail(stuck_id: int) -> Response:
    """Take a mail off the list that stays in its mailbox."""
    _try(
        lambda: leave_stuck(get_stuck(stuck_id, g.agent), by=g.agent),
        done="The mail stays in its mailbox, and is no longer on the list.",
    )
    return redirect(url_for("desk.mail"), 303)


@blueprint.post(f"/mail/out/<{ID}:recipient_id>/retry")
@require("tickets.reply")
def retry_sending(recipient_id: int) -> Response:
    """Send a failed mail once more: whoever may reply on its ticket can."""
    _try(
        lambda: retry_delivery(get_recipient(recipient_id, g.agent), by=g.agent),
        done="The mail will be sent again in a moment.",
    )
    number = request.form.get("number", type=int)
    return redirect(url_for("desk.ticket", number=number) if number else url_for("desk.mail"), 303)


def _try(verb: Callable[[], object], *, done: str) -> None:
    """Do it and say so, or say why it is refused."""
    try:
        verb()
        flash(done, "done")
    except Refused as refused:
        flash(refused.message, "error")
