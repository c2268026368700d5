"""Queues: where tickets wait, who works there, what readers see of it."""

from flask import flash, g, redirect, request, url_for
from werkzeug.wrappers import Response
from wtforms.fields.choices import SelectChoice

from helpdesk.access import require
from helpdesk.agents.models import Agent
from helpdesk.agents.queries import list_agents
from helpdesk.desk import blueprint
from helpdesk.desk.forms import first_error
from helpdesk.desk.pages import desk_page
from helpdesk.desk.setup_forms import MoveForm, QueueForm, row_id
from helpdesk.desk.views.lists import ID
from helpdesk.errors import HelpdeskError, Invalid
from helpdesk.inbound.leaving import other_queues, remove_queue, what_leaves
from helpdesk.sites.changing import change_queue
from helpdesk.sites.models import Queue
from helpdesk.sites.operations import add_queue
from helpdesk.sites.queries import get_queue, get_site, list_queues, list_sites
from helpdesk.tickets.setting_up import set_up

_KEPT = ("name", "intake_address", "sender_name", "signature", "restricted")


@blueprint.get("/setup/queues")
@require("setup.edit")
def queues() -> str:
    """All queues, by publication."""
    return desk_page("setup/queues.html", sites=list_sites(), queues=list_queues())


@blueprint.get("/setup/queues/new")
@require("setup.edit")
def new_queue() -> str:
    """An empty form."""
    return _page(_form())


@blueprint.post("/setup/queues/new")
@require("setup.edit")
def add_a_queue() -> Response | tuple[str, int]:
    """Keep a new queue."""
    form = _form()
    if "preview" in request.form:
        return _page(form), 200
    try:
        _add(form)
    except HelpdeskError as error:
        return _page(form, problem=error.message), error.status
    flash(f"Tickets can wait in {form.name.data} now.", "done")
    return redirect(url_for("desk.queues"), 303)


@blueprint.get(f"/setup/queues/<{ID}:queue_id>")
@require("setup.edit")
def edit_queue(queue_id: int) -> str:
    """One queue, to be changed."""
    queue = get_queue(queue_id)
    return _page(_form(queue), queue)


@blueprint.post(f"/setup/queues/<{ID}:queue_id>")
@require("setup.edit")
def change_a_queue(queue_id: int) -> Response | tuple[str, int]:
    """Keep what was changed."""
    queue = get_queue(queue_id)
    form = _form(queue)
    if "preview" in request.form:
        return _page(form, queue), 200
    try:
        _change(queue, form)
    except HelpdeskError as error:
        return _page(form, get_queue(queue_id), error.message), error.status
    flash("The queue is saved.", "done")
    return redirect(url_for("desk.queues"), 303)


@blueprint.get(f"/setup/queues/<{ID}:queue_id>/remove")
@require("setup.edit")
def leave_queue(queue_id: int) -> str:
    """What will happen when this queue goes."""
    return _leaving(get_queue(queue_id))


@blueprint.post(f"/setup/queues/<{ID}:queue_id>/remove")
@require("setup.edit")
def remove_a_queue(queue_id: int) -> Response | tuple[str, int]:
    """Move everything to another queue, and forget this one."""
    queue = get_queue(queue_id)
    name, into = queue.name, request.form.get("into", 0, type=row_id)
    chosen = next((one for one in other_queues(queue) if one.id == into), None)
    try:
        remove_queue(queue, into=chosen, by=g.agent)
    except HelpdeskError as error:
        return _leaving(get_queue(queue_id), error.message), error.status
    flash(f"The queue {name} is gone.", "done")
    return redirect(url_for("desk.queues"), 303)


def _add(form: QueueForm) -> None:
    _check(form)
    site = get_site(form.site.data)
    set_up(
        site, what=f"the queues: “{form.name.data}” is new", by=g.agent,
        change=lambda: add_queue(
            site, name=form.name.data, intake_address=form.intake_address.data, sender_name=form.sender_name.data,
            signature=form.signature.data, restricted=form.restricted.data, members=_members(form),
        ),
    )  # fmt: skip


def _change(queue: Queue, form: QueueForm) -> None:
    form.site.data = queue.site_id
    _check(form)
    set_up(
        queue.site, what=f"the queue “{form.name.data}”", by=g.agent,
        change=lambda: change_queue(
            queue, name=form.name.data, intake_address=form.intake_address.data, sender_name=form.sender_name.data,
            signature=form.signature.data, restricted=form.restricted.data, members=_members(form),
        ),
    )  # fmt: skip


def _check(form: QueueForm) -> None:
    if not form.validate():
        raise Invalid(first_error(form))
    if form.restricted.data and not form.members.data:
        raise Invalid("A restricted queue needs a member, or nobody sees its tickets.")


def _members(form: QueueForm) -> list[Agent]:
    return [agent for agent in list_agents() if agent.id in (form.members.data or [])]


def _form(queue: Queue | None = None) -> QueueForm:
    members = [agent.id for agent in queue.members] if queue else []
    kept = {name: getattr(queue, name) for name in _KEPT} | {"members": members} if queue else {}
    form = QueueForm(data=kept)
    form.site.choices = [SelectChoice(site.id, site.name) for site in list_sites()]
    form.members.choices = [(agent.id, agent.name) for agent in list_agents() if agent.active or agent.id in members]
    return form


def _page(form: QueueForm, queue: Queue | None = None, problem: str = "") -> str:
    return desk_page(
        "setup/queue.html", form=form, queue=queue, problem=problem, others=other_queues(queue) if queue else []
    )


def _leaving(queue: Queue, problem: str = "") -> str:
    form, others = MoveForm(), other_queues(queue)
    form.into.choices = [SelectChoice(one.id, one.name) for one in others]
    return desk_page(
        "setup/queue_leaving.html", form=form, queue=queue, others=others, leaving=what_leaves(queue), problem=problem
    )
