"""Closed by default: an endpoint says who may use it, or the application does not start."""

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, current_app, flash, g, redirect, request, url_for
from werkzeug.exceptions import Forbidden
from werkzeug.wrappers import Response

from helpdesk.errors import Misconfigured, NotFound

View = TypeVar("View", bound=Callable[..., Any])

PUBLIC = "public"
SIGNED_IN = "signed in"
CLOSED = "closed"
FIRST_OF_ALL = {"desk.two_factor", "desk.start_two_factor", "security.verify", "security.logout"}

THIRD_PARTY = {
    "static": PUBLIC,
    "bootstrap.static": PUBLIC,
    "security.login": PUBLIC,
    "security.logout": PUBLIC,
    "security.forgot_password": PUBLIC,
    "security.reset_password": PUBLIC,
    "security.change_password": SIGNED_IN,
    "security.verify": SIGNED_IN,
    "security.static": PUBLIC,
    "security.two_factor_token_validation": PUBLIC,
    "security.mf_recovery": PUBLIC,
    "security.wan_signin": PUBLIC,
    "security.wan_signin_response": PUBLIC,
    "security.wan_register": SIGNED_IN,
    "security.wan_register_response": SIGNED_IN,
    "security.wan_delete": SIGNED_IN,
    "security.wan_verify": CLOSED,
    "security.wan_verify_response": CLOSED,
    "security.two_factor_setup": CLOSED,
    "security.two_factor_setup_validate": CLOSED,
    "security.two_factor_rescue": CLOSED,
    "security.tf_select": CLOSED,
    "security.mf_recovery_codes": CLOSED,
}


def public(view: View) -> View:
    """Open to everybody, readers above all."""
    view.access = PUBLIC  # type: ignore[attr-defined]
    return view


def require(capability: str) -> Callable[[View], View]:
    """Open to signed-in staff who may do `capability`, such as "tickets.reply"."""

    def mark(view: View) -> View:
        view.access = capability  # type: ignore[attr-defined]
        return view

    return mark


def access_of(app: Flask, endpoint: str) -> str | None:
    """PUBLIC, SIGNED_IN, CLOSED to all or the capability that an endpoint wants; None when nobody said."""
    access = getattr(app.view_functions[endpoint], "access", None)
    return access or THIRD_PARTY.get(endpoint)


def init_app(app: Flask) -> None:
    """Refuse to start with an endpoint that nobody opened, then guard each request."""
    undecided = sorted({rule.endpoint for rule in app.url_map.iter_rules() if access_of(app, rule.endpoint) is None})
    if undecided:
        raise Misconfigured("These endpoints do not say who may use them: " + ", ".join(undecided))
    app.before_request(guard)


def guard() -> Response | None:
    """Let the request through, ask for a sign-in, or refuse."""
    if request.endpoint is None:
        return None
    access = access_of(current_app, request.endpoint)
    if access == PUBLIC:
        return None
    if access == CLOSED:
        raise NotFound
    if g.get("agent") is None:
        return _ask_to_sign_in()
    if g.get("owes_second_factor") and request.endpoint not in FIRST_OF_ALL:
        return redirect(url_for("desk.two_factor"), 303)
    if access != SIGNED_IN and not g.agent.can(access):
        raise Forbidden
    return None


def _ask_to_sign_in() -> Response:
    back = request.full_path.rstrip("?") if request.method == "GET" else None
    if request.method != "GET":
        flash("You were signed out before that was done. Sign in and try again.", "error")
    return redirect(url_for("security.login", next=back), 303)
