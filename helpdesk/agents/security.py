"""Flask-Security bound to our agents: sign-in under /desk, its mails through our outbox."""

from typing import Any

from flask import Flask, Response, current_app, request
from flask_security import ForgotPasswordForm, Form, MailUtil, SQLAlchemyUserDatastore, current_user
from flask_security.forms import EmailValidation
from sqlalchemy import inspect
from werkzeug.exceptions import UnsupportedMediaType
from wtforms import EmailField

from helpdesk.agents.current import leave_readers_alone
from helpdesk.agents.emails import queue_account_mail
from helpdesk.agents.forgotten import note_password_request
from helpdesk.agents.models import Agent, NoRole
from helpdesk.agents.sign_in_pages import SIGN_IN_PAGES
from helpdesk.agents.tries import RETRY_AFTER_SECONDS, account_of, count_try
from helpdesk.config import Settings
from helpdesk.database import db, is_open_write, open_write, wake_workers
from helpdesk.errors import Conflict, TooMany
from helpdesk.extensions import security
from helpdesk.metrics import SIGN_IN_FAILURES

SIGNS_IN = ("security.login", "security.verify")
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
    app.config.update(SIGN_IN_PAGES, SECURITY_PASSWORD_SALT=settings.secret_keys[0].get_secret_value())
    app.before_request(leave_readers_alone)
    app.before_request(_count_tries)
    security._mail_util_cls = OutboxMail  # init_app ignores it as an argument
    security.init_app(app, Datastore(db, Agent, NoRole), forgot_password_form=ForgottenForm)
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
