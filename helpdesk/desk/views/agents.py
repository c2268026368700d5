"""Accounts of the staff: add a colleague, give a role and queues, close an account."""

from flask import flash, g, redirect, url_for
from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload
from werkzeug.wrappers import Response

from helpdesk.access import require
from helpdesk.agents.invitations import invite
from helpdesk.agents.models import Agent
from helpdesk.agents.operations import add_agent, change_role, deactivate, reactivate
from helpdesk.agents.queries import get_agent, list_agents
from helpdesk.agents.roles import Role
from helpdesk.database import db
from helpdesk.desk import blueprint
from helpdesk.desk.forms import AgentForm, NewAgentForm, first_error
from helpdesk.desk.pages import desk_page
from helpdesk.desk.views.lists import ID
from helpdesk.errors import HelpdeskError, Invalid, Refused
from helpdesk.sites.models import Queue
from helpdesk.sites.operations import change_queues


@blueprint.get("/agents")
@require("agents.edit")
def agents() -> str:
    """Everybody who may sign in, and a form for one more."""
    return _list_page(_with_queues(NewAgentForm()))


@blueprint.post("/agents")
@require("agents.edit")
def add_colleague() -> Response | tuple[str, int]:
    """Open an account and mail its owner a link to choose a password."""
    form = _with_queues(NewAgentForm())
    try:
        added = _add(form)
    except HelpdeskError as error:
        return _list_page(form, error.message), error.status
    flash(f"{added.name} has an account, and a mail with a link to choose a password.", "done")
    return redirect(url_for("desk.agents"), 303)


@blueprint.get(f"/agents/<{ID}:agent_id>")
@require("agents.edit")
def edit_agent(agent_id: int) -> str:
    """One account."""
    agent = get_agent(agent_id)
    own = [queue.id for queue in _queues() if agent in queue.members]
    return _page(agent, _with_queues(AgentForm(data={"role": agent.role.value, "queues": own})))


@blueprint.post(f"/agents/<{ID}:agent_id>")
@require("agents.edit")
def change_agent(agent_id: int) -> Response | tuple[str, int]:
    """Give role and queues."""
    agent, form = get_agent(agent_id), _with_queues(AgentForm())
    try:
        _change(agent, form)
    except HelpdeskError as error:
        return _page(get_agent(agent_id), form, error.message), error.status
    flash("The account is saved.", "done")
    return redirect(url_for("desk.agents"), 303)


@blueprint.post(f"/agents/<{ID}:agent_id>/deactivate")
@require("agents.edit")
def deactivate_agent(agent_id: int) -> Response | tuple[str, int]:
    """Close an account; it is signed out everywhere."""
    agent = get_agent(agent_id)
    if agent is g.agent:
        flash("You cannot close your own account.", "error")
    else:
        deactivate(agent)
        flash("The account is closed.", "done")
    return redirect(url_for("desk.agents"), 303)


@blueprint.post(f"/agents/<{ID}:agent_id>/reactivate")
@require("agents.edit")
def reactivate_agent(agent_id: int) -> Response:
    """Open a closed account again."""
    reactivate(get_agent(agent_id))
    flash("The account is open again.", "done")
    return redirect(url_for("desk.agents"), 303)


@blueprint.post(f"/agents/<{ID}:agent_id>/invite")
@require("agents.edit")
def invite_agent(agent_id: int) -> Response:
    """Mail the link to choose a password once more."""
    invite(get_agent(agent_id), by=g.agent)
    flash("A new link is on its way.", "done")
    return redirect(url_for("desk.agents"), 303)


def _add(form: NewAgentForm) -> Agent:
    if not form.validate():
        raise Invalid(first_error(form))
    added = add_agent(form.email.data, name=form.name.data, role=Role(form.role.data), timezone=g.agent.timezone)
    change_queues(added, queues=_chosen_queues(form))
    invite(added, by=g.agent)
    return added


def _change(agent: Agent, form: AgentForm) -> None:
    if not form.validate():
        raise Invalid(first_error(form))
    role = Role(form.role.data)
    if agent is g.agent and role is not agent.role:
        raise Refused("You cannot change your own role. Ask another admin.")
    if role is not agent.role:
        change_role(agent, role=role)
    change_queues(agent, queues=_chosen_queues(form))


def _queues() -> list[Queue]:
    whole = select(Queue).options(joinedload(Queue.site), selectinload(Queue.members))
    return list(db.session.scalars(whole.order_by(Queue.site_id, Queue.name)))


def _with_queues(form: AgentForm) -> AgentForm:
    form.queues.choices = [(queue.id, f"{queue.name} ({queue.site.name})") for queue in _queues()]
    return form


def _chosen_queues(form: AgentForm) -> list[Queue]:
    return [queue for queue in _queues() if queue.id in (form.queues.data or [])]


def _list_page(form: AgentForm, problem: str = "") -> str:
    return desk_page("agents.html", agents=list_agents(), queues=_queues(), form=form, problem=problem)


def _page(agent: Agent, form: AgentForm, problem: str = "") -> str:
    return desk_page("agent.html", agent=agent, form=form, problem=problem)
