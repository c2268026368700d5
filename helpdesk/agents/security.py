"""Flask-Security bound to our agents: sign-in under /desk, its mails through our outbox."""

from typing import Any, cast

from flask import Flask, Response, current_app, redirect, request, session, url_for
from flask_security import ForgotPasswordForm, Form, MailUtil, SQLAlchemyUserDatastore, current_user
from flask_security.forms import EmailValidation
from flask_security.signals import wan_deleted, wan_registered
from flask_security.tf_plugin import tf_clean_session
from sqlalchemy import inspect, select
from werkzeug.exceptions import UnsupportedMediaType
from wtforms import EmailField

from helpdesk import clock
from helpdesk.agents.current import leave_readers_alone
from helpdesk.agents.emails import queue_account_mail
from helpdesk.agents.forgotten import note_password_request
from helpdesk.agents.models import Agent, NoRole, Passkey
from helpdesk.agents.passkeys import Passkeys, load_webauthn
from helpdesk.agents.second_factor import Codes, RecoveryCodes, sealing_keys, tell_of_passkey
from helpdesk.agents.sign_in_pages import SIGN_IN_PAGES
from helpdesk.agents.tries import RETRY_AFTER_SECONDS, account_of, count_code, count_passkey, count_try
from helpdesk.config import Settings
from helpdesk.database import db, is_open_write, lock, open_write, wake_workers
from helpdesk.errors import Conflict, TooMany
from helpdesk.extensions import security
from helpdesk.metrics import SIGN_IN_FAILURES

CODES = ("security.two_factor_token_validation", "security.mf_recovery")
PASSKEYS = (
    "security.wan_register", "security.wan_register_response", "security.wan_signin", "security.wan_signin_response",
    "security.wan_delete",
)  # fmt: skip
SIGNS_IN = ("security.login", "security.verify", *CODES)
PROVES_BY_PASSWORD = ("security.login", "security.verify", "security.change_password")


class Datastore(SQLAlchemyUserDatastore):
    """Commits for Flask-Security's own pages, and wakes the worker for the mail they queued."""

    def commit(self) -> None:
        db.session.commit()
        wake_workers()

    def set_uniquifier(self, user: Any, uniquifier: str | None = None) -> None:
        """A changed password ends every session; its devices leave the list of sign-ins with it."""
        _write_password(user)
        user.end_every_session()

    def put(self, model: Any) -> Any:
        """Called when a password was hashed anew."""
        _write_password(model)
        return super().put(model)  # type: ignore[no-untyped-call]


class ForgottenForm(ForgotPasswordForm):
    """Only notes who asked, so that no answer and no delay can tell whether there is such an account."""

    email = EmailField("Email address", validators=[EmailValidation(verify=False)])

    def validate(self, **options: Any) -> bool:
        """Never finds anybody: the page then shows the answer that is the same for all."""
        if Form.validate(self, **options):
            note_password_request(account_of(self.email.data), remote_address=request.remote_addr or "")
        return False


class OutboxMail(MailUtil):
    """Puts the mails about passwords into the outbox, in the transaction of the page that sends them."""

    def send_mail(
        self,
        template: str,
        subject: str,
        recipient: Any,
        sender: Any,
        body: str | None,
        html: str | None,
        **context: Any,
    ) -> None:
        token, within = context.get("reset_token", ""), context.get("within", "")
        queue_account_mail(context["user"], template=template, subject=str(subject), token=token, within=within)


def init_app(app: Flask, settings: Settings) -> None:
    """Bind Flask-Security with the few features we offer; everything else stays off."""
    app.config.update(
        SIGN_IN_PAGES,
        SECURITY_PASSWORD_SALT=settings.secret_keys[0].get_secret_value(),
        SECURITY_TOTP_SECRETS=sealing_keys(settings),
    )
    app.before_request(leave_readers_alone)
    app.before_request(_count_tries)
    app.before_request(_prepare_second_step)
    security._mail_util_cls = OutboxMail  # init_app ignores these as arguments
    security._totp_cls, security._webauthn_util_cls = Codes, Passkeys
    security._mf_recovery_codes_util_cls = RecoveryCodes
    security.init_app(
        app,
        Datastore(db, Agent, NoRole, Passkey),
        forgot_password_form=ForgottenForm,
        datetime_factory=clock.now,
    )
    wan_registered.connect(_tell_of_new_passkey, app)
    wan_deleted.connect(_tell_of_old_passkey, app)
    app.after_request(_keep_sign_in_pages)
    app.after_request(_note_failures)


def _count_tries() -> None:
    """Guessing passwords ends soon, whoever is or is not known here; counted for good before anything is looked up."""
    if request.method != "POST" or request.blueprint != "security":
        return
    if request.is_json:
        raise UnsupportedMediaType  # these pages are forms, and only the fields of a form are counted
    if request.endpoint in PROVES_BY_PASSWORD and not count_try(_who(), remote_address=request.remote_addr or ""):
        raise TooMany(retry_after=RETRY_AFTER_SECONDS)


def _prepare_second_step() -> Response | None:
    """Codes are counted, and what their pages write is written with the account locked: a code works once."""
    if request.endpoint in PASSKEYS:
        load_webauthn()
        tf_clean_session()  # type: ignore[no-untyped-call]  # a passkey is a sign-in of its own, not the step after a password
    if request.endpoint in CODES and current_user.is_authenticated:
        return cast("Response", redirect(url_for("desk.home"), 303))  # this page would sign out who is signed in
    if request.method != "POST" or request.endpoint not in (*CODES, *PASSKEYS):
        return None
    agent = db.session.scalar(select(Agent).where(Agent.fs_uniquifier == session.get("tf_user_id", "")))
    _count_second_step(agent.email if agent else "")
    open_write()
    if agent is not None:
        lock(agent)
    return None


def _count_second_step(address: str) -> None:
    place = request.remote_addr or ""
    if request.endpoint in CODES and not count_code(address, remote_address=place):
        raise TooMany(retry_after=RETRY_AFTER_SECONDS)
    if request.endpoint == "security.wan_signin_response" and not count_passkey(place):
        raise TooMany(retry_after=RETRY_AFTER_SECONDS)


def _tell_of_new_passkey(_app: Flask, user: Any, **_: Any) -> None:
    tell_of_passkey(user._get_current_object(), is_new=True)


def _tell_of_old_passkey(_app: Flask, user: Any, **_: Any) -> None:
    tell_of_passkey(user._get_current_object(), is_new=False)


def _who() -> str:
    return str(current_user.email if current_user.is_authenticated else account_of(request.form.get("email", "")))


def _write_password(user: Agent) -> None:
    """Begin to write only when all hashing is done: SQLite has one writer, and no guess may hold it up."""
    if is_open_write():
        return
    changed, new = inspect(user).attrs.password.history, user.password
    open_write()
    if changed.added:
        if user.password != (changed.deleted[0] if changed.deleted else None):
            raise Conflict
        user.password = new


def _note_failures(response: Response) -> Response:
    """A sign-in page that is shown again, or refused, let nobody in."""
    if request.method == "POST" and request.endpoint in SIGNS_IN and response.status_code in (200, 429):
        SIGN_IN_FAILURES.labels(request.endpoint).inc()
    return response


def _keep_sign_in_pages(response: Response) -> Response:
    """Flask-Security commits on most of its pages; the mail about a password chosen anew would be lost without this."""
    if request.method == "POST" and request.blueprint == "security" and response.status_code < 500:
        current_app.extensions["security"].datastore.commit()
    return response
