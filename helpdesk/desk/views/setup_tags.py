"""Tags: which there are and how often, another name, one for two, and no more."""

from collections.abc import Callable

from flask import flash, g, redirect, request, url_for
from werkzeug.wrappers import Response
from wtforms.fields.choices import SelectChoice

from helpdesk.access import require
from helpdesk.desk import blueprint
from helpdesk.desk.forms import first_error
from helpdesk.desk.pages import desk_page
from helpdesk.desk.setup_forms import MoveForm, TagNameForm, row_id
from helpdesk.desk.views.lists import ID
from helpdesk.errors import HelpdeskError, Invalid, NotFound
from helpdesk.tickets.tag_list import get_tag, list_tags, merge_tag, remove_tag_everywhere, rename_tag, tickets_tagged
from helpdesk.tickets.tags import Tag


@blueprint.get("/setup/tags")
@require("tags.edit")
def tags() -> str:
    """Every tag with its tickets."""
    return desk_page("setup/tags.html", tags=list_tags())


@blueprint.get(f"/setup/tags/<{ID}:tag_id>")
@require("tags.edit")
def edit_tag(tag_id: int) -> str:
    """One tag: what can be done with it."""
    return _page(get_tag(tag_id))


@blueprint.post(f"/setup/tags/<{ID}:tag_id>")
@require("tags.edit")
def rename_a_tag(tag_id: int) -> Response | tuple[str, int]:
    """Another word for the same."""
    tag, form = get_tag(tag_id), TagNameForm()
    return _do(tag, lambda: rename_tag(tag, name=_valid(form).name.data, by=g.agent), "The tag has its new name.")


@blueprint.post(f"/setup/tags/<{ID}:tag_id>/merge")
@require("tags.edit")
def merge_a_tag(tag_id: int) -> Response | tuple[str, int]:
    """One tag for two."""
    tag, into = get_tag(tag_id), request.form.get("into", 0, type=row_id)
    return _do(tag, lambda: merge_tag(tag, into=_chosen(into), by=g.agent), "The two tags are one.")


@blueprint.get(f"/setup/tags/<{ID}:tag_id>/remove")
@require("tags.edit")
def leave_tag(tag_id: int) -> str:
    """What will happen when this tag goes."""
    tag = get_tag(tag_id)
    return desk_page("setup/tag_leaving.html", tag=tag, tickets=tickets_tagged(tag))


@blueprint.post(f"/setup/tags/<{ID}:tag_id>/remove")
@require("tags.edit")
def remove_a_tag(tag_id: int) -> Response | tuple[str, int]:
    """Take it off every ticket."""
    tag = get_tag(tag_id)
    return _do(tag, lambda: remove_tag_everywhere(tag, by=g.agent), "The tag is gone.")


def _do(tag: Tag, verb: Callable[[], None], done: str) -> Response | tuple[str, int]:
    tag_id = tag.id
    try:
        verb()
    except HelpdeskError as error:
        return _page(get_tag(tag_id), error.message), error.status
    flash(done, "done")
    return redirect(url_for("desk.tags"), 303)


def _valid(form: TagNameForm) -> TagNameForm:
    if not form.validate():
        raise Invalid(first_error(form))
    return form


def _chosen(tag_id: int) -> Tag:
    try:
        return get_tag(tag_id)
    except NotFound:
        raise Invalid("Choose the tag to merge this one into.") from None


def _page(tag: Tag, problem: str = "") -> str:
    others, form = [one for one in list_tags() if one.id != tag.id], MoveForm()
    form.into.choices = [SelectChoice(one.id, one.name) for one in others]
    return desk_page(
        "setup/tag.html", tag=tag, tickets=tickets_tagged(tag), form=TagNameForm(data={"name": tag.name}),
        move=form, others=others, problem=problem,
    )  # fmt: skip
