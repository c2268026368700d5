"""The second step of the own sign-in: set up with an app, new recovery codes, turned off; and required of everybody."""

from flask import current_app, flash, g, redirect, render_template, request, session, url_for
from flask_security.utils import check_and_update_authn_fresh
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import StringField

from helpdesk.access import require
from helpdesk.agents.queries import get_agent, requires_second_factor
from helpdesk.agents.second_factor import (
    decide_second_factor,
    end_second_factor,
    forget_devices,
    renew_recovery_codes,
    start_second_factor,
)
from helpdesk.desk import blueprint
from helpdesk.desk.pages import desk_page
from helpdesk.desk.views.agents import noted_agent
from helpdesk.desk.views.lists import ID
from helpdesk.errors import HelpdeskError
from helpdesk.extensions import security

NEW = "new_totp"


class CodeForm(FlaskForm):  # type: ignore[misc]
    """A code of an app."""

    code = StringField("Code", default="")


@blueprint.get("/account/two-factor")
@require("account.edit")
def two_factor() -> str | Response:
    """How to set it up, or how it stands."""
    return _ask_again() or _page(is_new=not g.agent.has_second_factor or "new" in request.args)


@blueprint.post("/account/two-factor")
@require("account.edit")
def start_two_factor() -> str | Response | tuple[str, int]:
    """Turn it on with the first code of the app, or go over to another app."""
    secret = session.get(NEW)
    if (asked := _ask_again()) is not None or secret is None:
        return asked or redirect(url_for("desk.two_factor"), 303)
    try:
        code, keep = CodeForm().code.data or "", session.get("sign_in")
        codes = start_second_factor(g.agent, secret=secret, code=code, keep=keep)
    except HelpdeskError as error:
        return _page(error.message, is_new=True), error.status
    session.pop(NEW)
    return render_template("security/recovery_codes.html", codes=codes, is_new=True)


@blueprint.post("/account/two-factor/codes")
@require("account.edit")
def renew_codes() -> str | Response:
    """New recovery codes, shown once."""
    if (asked := _ask_again()) is not None or not g.agent.has_second_factor:
        return asked or redirect(url_for("desk.two_factor"), 303)
    return render_template("security/recovery_codes.html", codes=renew_recovery_codes(g.agent), is_new=False)


@blueprint.post("/account/two-factor/off")
@require("account.edit")
def end_two_factor() -> str | Response | tuple[str, int]:
    """A password is enough again."""
    if (asked := _ask_again()) is not None:
        return asked
    try:
        end_second_factor(g.agent)
    except HelpdeskError as error:
        return _page(error.message), error.status
    flash("Your password is enough again.", "done")
    return redirect(url_for("desk.account"), 303)


@blueprint.get(f"/agents/<{ID}:agent_id>/devices/forget")
@require("agents.edit")
def leave_agents_devices(agent_id: int) -> str:
    """What will happen when a colleague's phone is lost."""
    return desk_page("agent_devices.html", agent=get_agent(agent_id))


@blueprint.post(f"/agents/<{ID}:agent_id>/devices/forget")
@require("agents.edit")
def forget_agents_devices(agent_id: int) -> Response:
    """Help a colleague who lost his phone."""
    noted_agent(agent_id, "the second step: took away app, codes and passkeys", forget_devices)
    flash("The password is enough until a new app is set up.", "done")
    return redirect(url_for("desk.edit_agent", agent_id=agent_id), 303)


@blueprint.post("/agents/two-factor")
@require("agents.edit")
def require_two_factor() -> Response:
    """Decide whether everybody needs it."""
    is_required = request.form.get("required") == "1"
    what = (
        "for all, the second step: it is required" if is_required else "for all, the second step: it is free to choose"
    )
    noted_agent(g.agent.id, what, lambda _: decide_second_factor(is_required))
    flash("Everybody needs a second step now." if is_required else "The second step is free to choose.", "done")
    return redirect(url_for("desk.agents"), 303)


def _ask_again() -> Response | None:
    """Who signed in a while ago shows once more that it is he."""
    within, grace = (current_app.config[f"SECURITY_FRESHNESS{part}"] for part in ("", "_GRACE_PERIOD"))
    if check_and_update_authn_fresh(within, grace):
        return None
    return redirect(url_for("security.verify", next=url_for("desk.two_factor")), 303)


def _page(problem: str = "", *, is_new: bool = False) -> str:
    shown = {
        "form": CodeForm(formdata=None),
        "problem": problem,
        "is_required": requires_second_factor(),
        "is_new": is_new,
    }
    if is_new:
        secret = session.setdefault(NEW, security.totp_factory.generate_totp_secret())
        shown |= security.totp_factory.fetch_setup_values(secret, g.agent)
    return render_template("security/two_factor.html", **shown)
