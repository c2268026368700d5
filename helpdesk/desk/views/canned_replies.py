"""Canned replies: the list, and one text being written."""

from collections.abc import Callable

from flask import flash, g, redirect, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from helpdesk.access import require
from helpdesk.canned_replies.filling import PLACEHOLDERS
from helpdesk.canned_replies.models import CannedReply
from helpdesk.canned_replies.operations import add_canned_reply, change_canned_reply, remove_canned_reply
from helpdesk.canned_replies.queries import get_canned_reply, list_canned_replies
from helpdesk.database import db
from helpdesk.desk import blueprint
from helpdesk.desk.forms import CannedReplyForm
from helpdesk.desk.pages import desk_page
from helpdesk.desk.views.lists import ID
from helpdesk.errors import HelpdeskError
from helpdesk.sites.models import Site


@blueprint.get("/canned-replies")
@require("canned_replies.edit")
def canned_replies() -> str:
    """All prepared texts."""
    return desk_page("canned_replies.html", canned_replies=list_canned_replies())


@blueprint.get("/canned-replies/new")
@require("canned_replies.edit")
def new_canned_reply() -> str:
    """An empty form."""
    return _page(_form())


@blueprint.post("/canned-replies/new")
@require("canned_replies.edit")
def add_canned() -> Response | tuple[str, int]:
    """Keep a new text."""
    form = _form()

    def add() -> None:
        site = db.session.get_one(Site, form.site.data)
        add_canned_reply(site, name=form.name.data, body=form.body.data, by=g.agent)

    return _keep(form, None, add)


@blueprint.get(f"/canned-replies/<{ID}:canned_id>")
@require("canned_replies.edit")
def edit_canned_reply(canned_id: int) -> str:
    """One text, to be changed."""
    canned = get_canned_reply(canned_id)
    return _page(_form(canned), canned)


@blueprint.post(f"/canned-replies/<{ID}:canned_id>")
@require("canned_replies.edit")
def change_canned(canned_id: int) -> Response | tuple[str, int]:
    """Keep the changed text."""
    canned = get_canned_reply(canned_id)
    form = _form(canned)
    return _keep(
        form,
        canned,
        lambda: change_canned_reply(canned, name=form.name.data, body=form.body.data, by=g.agent),
    )


@blueprint.post(f"/canned-replies/<{ID}:canned_id>/remove")
@require("canned_replies.edit")
def remove_canned(canned_id: int) -> Response:
    """Forget a text."""
    remove_canned_reply(get_canned_reply(canned_id), by=g.agent)
    flash("The text is gone. Replies already sent with it stay as they are.", "done")
    return redirect(url_for("desk.canned_replies"), 303)


def _form(canned: CannedReply | None = None) -> CannedReplyForm:
    sites = db.session.execute(select(Site.id, Site.name).order_by(Site.name)).all()
    values = {"site": canned.site_id, "name": canned.name, "body": canned.body} if canned else {}
    form = CannedReplyForm(data=values)
    form.site.choices = [(site_id, name) for site_id, name in sites]
    return form


def _keep(form: CannedReplyForm, canned: CannedReply | None, save: Callable[[], None]) -> Response | tuple[str, int]:
    if not form.validate():
        return _page(form, canned), 422
    try:
        save()
    except HelpdeskError as error:
        return _page(form, canned, error.message), error.status
    flash("The text is saved.", "done")
    return redirect(url_for("desk.canned_replies"), 303)


def _page(form: CannedReplyForm, canned: CannedReply | None = None, problem: str = "") -> str:
    return desk_page("canned_reply.html", form=form, canned=canned, problem=problem, placeholders=PLACEHOLDERS)
