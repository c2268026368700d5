"""Who is asking: the agent of this request, from a sign-in that is still good."""

from datetime import datetime, timedelta
from functools import cache
from typing import Any

from flask import Flask, current_app, g, request, session
from flask_login import AnonymousUserMixin, user_logged_out
from flask_security import current_user, user_authenticated
from flask_security.utils import set_request_attr
from sqlalchemy import Select, bindparam, select
from sqlalchemy.exc import SQLAlchemyError

from helpdesk import clock
from helpdesk.agents.models import Agent, SignIn
from helpdesk.agents.operations import end_sign_in, start_sign_in
from helpdesk.agents.queries import is_second_factor_required
from helpdesk.agents.tries import note_place
from helpdesk.database import db, open_write

READER_PAGES = "contact"
STATIC = ("static", "bootstrap.static")
SEEN_EVERY_SECONDS = 60


def init_app(app: Flask) -> None:
    """Load the agent of each request and note each sign-in with its device."""
    app.login_manager.user_loader(_signed_in_agent)  # type: ignore[attr-defined]
    app.login_manager.request_loader(_nobody)  # type: ignore[attr-defined]
    app.before_request(load_agent)
    app.after_request_funcs[None].remove(app.login_manager._update_remember_cookie)  # type: ignore[attr-defined]
    user_authenticated.connect(_note_sign_in, app)
    user_logged_out.connect(_note_sign_out, app)


def leave_readers_alone() -> None:
    """On reader pages nobody is signed in, so that the session is not even looked at."""
    if request.blueprint == READER_PAGES or request.endpoint in STATIC:
        g._login_user = AnonymousUserMixin()


def load_agent() -> None:
    """Set g.agent."""
    g.agent = current_user._get_current_object() if current_user.is_authenticated else None


def _nobody(_request: object) -> None:
    """Only a session says who is signed in: Flask-Security's own loader would read any JSON body to find a token."""


def _signed_in_agent(uniquifier: str) -> Agent | None:
    now = clock.now()
    idle = timedelta(minutes=current_app.config["SESSION_IDLE_MINUTES"])
    absolute = timedelta(days=current_app.config["SESSION_ABSOLUTE_DAYS"])
    silent_for = now.timestamp() - session.get("seen", 0)
    if silent_for > idle.total_seconds():
        return None
    agent = _look_up(uniquifier, since=now - absolute)
    if agent is not None:
        _note_seen(silent_for, int(now.timestamp()))
    return agent


def _look_up(uniquifier: str, *, since: datetime) -> Agent | None:
    try:
        values = {"uniquifier": uniquifier, "sign_in": session.get("sign_in"), "since": since}
        found = db.session.execute(_whose_session(), values).one_or_none()
    except SQLAlchemyError:
        g._login_user = AnonymousUserMixin()  # the page that tells of it would ask the database again, and fail too
        raise
    if found is None:
        return None
    agent, is_required = found
    g.owes_second_factor = is_required and not agent.has_second_factor
    return agent


@cache
def _whose_session() -> Select[Agent, bool]:
    """Written once, as it is asked with every page."""
    is_it = (Agent.fs_uniquifier == bindparam("uniquifier"), SignIn.id == bindparam("sign_in"))
    still_good = (Agent.active, SignIn.ended_at.is_(None), SignIn.started_at > bindparam("since"))
    return select(Agent, is_second_factor_required()).join(SignIn).where(*is_it, *still_good)


def _note_seen(silent_for: float, now: int) -> None:
    set_request_attr("fs_authn_via", "session")
    set_request_attr("fs_paa", session.get("fs_paa", 0))
    if silent_for > SEEN_EVERY_SECONDS and not _is_poll():
        session["seen"] = now


def _is_poll() -> bool:
    """A page that asks by itself for news is no sign of a person; the idle time goes on."""
    return (request.endpoint or "").endswith("_news")


def _note_sign_in(_app: Flask, user: Agent, **_: Any) -> None:
    open_write()  # only now that the password is verified; a change of the password has opened it already
    note_place(user.email, remote_address=request.remote_addr or "")
    session["sign_in"] = start_sign_in(user, device=request.user_agent.string).id
    session["seen"] = int(clock.now().timestamp())
    g.agent = user


def _note_sign_out(_app: Flask, **_: Any) -> None:
    sign_in = db.session.get(SignIn, session.pop("sign_in", 0))
    if sign_in is not None and sign_in.ended_at is None:
        end_sign_in(sign_in)
    g.agent = None
