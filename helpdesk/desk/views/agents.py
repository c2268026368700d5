"""Accounts of the staff: add a colleague, give a role and queues, close an account."""

from collections.abc import Callable
from datetime import timedelta

from flask import current_app, flash, g, redirect, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload
from werkzeug.wrappers import Response

from helpdesk import clock
from helpdesk.access import require
from helpdesk.agents.invitations import invite
from helpdesk.agents.models import Agent
from helpdesk.agents.operations import change_role, end_every_session, end_sign_in, reactivate
from helpdesk.agents.queries import get_agent, get_sign_in, list_agents, list_sign_ins, requires_second_factor
from helpdesk.agents.roles import Role
from helpdesk.database import db
from helpdesk.desk import blueprint
from helpdesk.desk.devices import device_name
from helpdesk.desk.forms import AgentForm, NewAgentForm, first_error
from helpdesk.desk.pages import desk_page
from helpdesk.desk.views.lists import ID
from helpdesk.errors import HelpdeskError, Invalid, Refused
from helpdesk.sites.models import Queue
from helpdesk.sites.operations import change_queues
from helpdesk.tickets import staff
from helpdesk.tickets.staff import close_account


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


@blueprint.get(f"/agents/<{ID}:agent_id>/deactivate")
@require("agents.edit")
def leave_agent(agent_id: int) -> str:
    """What will happen when this account is closed."""
    return _leaving(get_agent(agent_id))


@blueprint.post(f"/agents/<{ID}:agent_id>/deactivate")
@require("agents.edit")
def deactivate_agent(agent_id: int) -> Response | tuple[str, int]:
    """Close an account; it is signed out everywhere."""
    agent = get_agent(agent_id)
    try:
        close_account(agent, unassign=bool(request.form.get("unassign")), by=g.agent)
    except HelpdeskError as error:
        return _leaving(get_agent(agent_id), error.message), error.status
    flash("The account is closed.", "done")
    return redirect(url_for("desk.agents"), 303)


@blueprint.post(f"/agents/<{ID}:agent_id>/reactivate")
@require("agents.edit")
def reactivate_agent(agent_id: int) -> Response:
    """Open a closed account again."""
    agent = get_agent(agent_id)
    _noted(agent, "the account: opened it again", lambda: reactivate(agent))
    flash("The account is open again.", "done")
    return redirect(url_for("desk.edit_agent", agent_id=agent_id), 303)


@blueprint.post(f"/agents/<{ID}:agent_id>/invite")
@require("agents.edit")
def invite_agent(agent_id: int) -> Response:
    """Mail the link to choose a password once more."""
    agent = get_agent(agent_id)
    _noted(agent, "the password: mailed a link to choose one", lambda: invite(agent, by=g.agent))
    flash("A new link is on its way.", "done")
    return redirect(url_for("desk.edit_agent", agent_id=agent_id), 303)


@blueprint.post(f"/agents/<{ID}:agent_id>/sign-out")
@require("agents.edit")
def sign_out_agent(agent_id: int) -> Response:
    """End every session of a colleague."""
    agent = get_agent(agent_id)
    _noted(agent, "the sign-ins: ended all of them", lambda: end_every_session(agent))
    flash(f"{agent.name} is signed out everywhere.", "done")
    return redirect(url_for("desk.edit_agent", agent_id=agent_id), 303)


@blueprint.post(f"/agents/<{ID}:agent_id>/sign-ins/<{ID}:sign_in_id>/end")
@require("agents.edit")
def end_agents_sign_in(agent_id: int, sign_in_id: int) -> Response:
    """Sign a colleague out on one device."""
    agent = get_agent(agent_id)
    sign_in = get_sign_in(sign_in_id, agent)
    device = device_name(sign_in.device)
    _noted(agent, f"the sign-ins: ended the one with {device}", lambda: end_sign_in(sign_in))
    flash("That device is signed out.", "done")
    return redirect(url_for("desk.edit_agent", agent_id=agent_id), 303)


def noted_agent(agent_id: int, what: str, change: Callable[[Agent], None]) -> None:
    """Change an account and keep an entry of it."""
    agent = get_agent(agent_id)
    _noted(agent, what, lambda: change(agent))


def _noted(agent: Agent, what: str, change: Callable[[], None]) -> None:
    staff.change_agent(agent, what=what, change=change, by=g.agent)


def _add(form: NewAgentForm) -> Agent:
    if not form.validate():
        raise Invalid(first_error(form))
    return staff.add_colleague(
        form.email.data, name=form.name.data, role=Role(form.role.data), timezone=g.agent.timezone,
        queues=_chosen_queues(form), by=g.agent,
    )  # fmt: skip


def _change(agent: Agent, form: AgentForm) -> None:
    if not form.validate():
        raise Invalid(first_error(form))
    role, queues = Role(form.role.data), _chosen_queues(form)
    is_new = role is not agent.role
    if agent is g.agent and is_new:
        raise Refused("You cannot change your own role. Ask another admin.")
    names = ", ".join(queue.name for queue in queues) or "none"
    what = f"the role to {role.value}, the queues to {names}" if is_new else f"the queues to {names}"

    def change() -> None:
        if is_new:
            change_role(agent, role=role)
        change_queues(agent, queues=queues)

    _noted(agent, what, change)


def _queues() -> list[Queue]:
    whole = select(Queue).options(joinedload(Queue.site), selectinload(Queue.members))
    return list(db.session.scalars(whole.order_by(Queue.site_id, Queue.name)))


def _with_queues(form: AgentForm) -> AgentForm:
    form.queues.choices = [(queue.id, f"{queue.name} ({queue.site.name})") for queue in _queues()]
    return form


def _chosen_queues(form: AgentForm) -> list[Queue]:
    return [queue for queue in _queues() if queue.id in (form.queues.data or [])]


def _list_page(form: AgentForm, problem: str = "") -> str:
    return desk_page(
        "agents.html", agents=list_agents(), queues=_queues(), form=form, problem=problem,
        is_required=requires_second_factor(),
    )  # fmt: skip


def _page(agent: Agent, form: AgentForm, problem: str = "") -> str:
    since = clock.now() - timedelta(days=current_app.config["SESSION_ABSOLUTE_DAYS"])
    return desk_page(
        "agent.html", agent=agent, form=form, problem=problem, history=staff.account_history(agent),
        sign_ins=list_sign_ins(agent, since=since), device_name=device_name,
    )  # fmt: skip


def _leaving(agent: Agent, problem: str = "") -> str:
    return desk_page("agent_leaving.html", agent=agent, left=staff.left_behind(agent), problem=problem)
