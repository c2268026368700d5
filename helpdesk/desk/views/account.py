"""An agent's own account: name, time zone, keys, where to go after sending, where to forward to, the devices."""

from datetime import timedelta

from flask import current_app, flash, g, redirect, session, url_for
from werkzeug.wrappers import Response

from helpdesk import clock
from helpdesk.access import require
from helpdesk.agents.models import AfterSend
from helpdesk.agents.operations import change_account, end_other_sign_ins, end_sign_in
from helpdesk.agents.queries import get_sign_in, list_sign_ins
from helpdesk.desk import blueprint
from helpdesk.desk.devices import device_name
from helpdesk.desk.forms import AccountForm
from helpdesk.desk.pages import desk_page
from helpdesk.desk.views.lists import ID
from helpdesk.sites.forward_addresses import forward_addresses


@blueprint.get("/account")
@require("account.edit")
def account() -> str:
    """The account as it is."""
    return _page(AccountForm(obj=g.agent))


@blueprint.post("/account")
@require("account.edit")
def save_account() -> Response | tuple[str, int]:
    """Keep what was changed."""
    form = AccountForm()
    if not form.validate():
        return _page(form), 422
    change_account(
        g.agent, name=form.name.data, timezone=form.timezone.data,
        keyboard=form.keyboard.data, after_send=AfterSend(form.after_send.data),
        undo_seconds=form.undo_seconds.data,
    )  # fmt: skip
    flash("Your account is saved.", "done")
    return redirect(url_for("desk.account"), 303)


@blueprint.post(f"/account/sign-ins/<{ID}:sign_in_id>/end")
@require("account.edit")
def sign_out_device(sign_in_id: int) -> Response:
    """Sign out one of the own devices."""
    end_sign_in(get_sign_in(sign_in_id, g.agent))
    flash("That device is signed out.", "done")
    return redirect(url_for("desk.account"), 303)


@blueprint.post("/account/sign-ins/end-others")
@require("account.edit")
def sign_out_others() -> Response:
    """Sign out everywhere but here."""
    end_other_sign_ins(g.agent, keep=session.get("sign_in"))
    flash("Every other device is signed out.", "done")
    return redirect(url_for("desk.account"), 303)


def _page(form: AccountForm) -> str:
    since = clock.now() - timedelta(days=current_app.config["SESSION_ABSOLUTE_DAYS"])
    sign_ins = list_sign_ins(g.agent, since=since)
    return desk_page(
        "account.html", form=form, forwards=forward_addresses(g.agent), sign_ins=sign_ins,
        this=session.get("sign_in"), device_name=device_name,
    )  # fmt: skip
