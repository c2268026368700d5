"""Flask-Security bound to our agents: sign-in under /desk, its mails through our outbox."""

from typing import Any

from flask import Flask, Response, current_app, request
from flask_security import MailUtil, SQLAlchemyUserDatastore

from helpdesk.addresses import MAX_LENGTH, normalise
from helpdesk.agents.current import leave_readers_alone
from helpdesk.agents.emails import queue_account_mail
from helpdesk.agents.models import Agent, NoRole
from helpdesk.agents.sign_in_pages import SIGN_IN_PAGES
from helpdesk.config import Settings
from helpdesk.database import db, open_write, wake_workers
from helpdesk.errors import TooMany
from helpdesk.extensions import security
from helpdesk.rate_limit import Limit, count

TRIES = {"security.login": ("sign-in", 10, 15 * 60), "security.forgot_password": ("forgotten", 3, 60 * 60)}
HOST_FACTOR = 10


class Datastore(SQLAlchemyUserDatastore):
    """Commits for Flask-Security's own pages, and wakes the worker for the mail they queued."""

    def commit(self) -> None:
        db.session.commit()
        wake_workers()

    def set_uniquifier(self, user: Any, uniquifier: str | None = None) -> None:
        """A changed password ends every session; its devices leave the list of sign-ins with it."""
        user.end_every_session()


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
    app.before_request(_write_on_sign_in_pages)
    security._mail_util_cls = OutboxMail  # init_app ignores it as an argument
    security.init_app(app, Datastore(db, Agent, NoRole))
    app.after_request(_keep_sign_in_pages)


def _write_on_sign_in_pages() -> None:
    if request.method == "POST" and request.blueprint == "security":
        open_write()
        _count_tries()


def _count_tries() -> None:
    """Guessing passwords and flooding somebody with reset mails both end soon, whoever is or is not known here."""
    tried = TRIES.get(request.endpoint or "")
    if tried is None:
        return
    name, per_address, seconds = tried
    who = normalise(request.form.get("email", "")[:MAX_LENGTH])
    by_address = Limit(f"{name} address", who, per_address, seconds)
    by_host = Limit(f"{name} host", request.remote_addr or "", per_address * HOST_FACTOR, seconds)
    if count(by_address, by_host):
        raise TooMany


def _keep_sign_in_pages(response: Response) -> Response:
    """Flask-Security commits on most of its pages; the mail of a forgotten password would be lost without this."""
    if request.method == "POST" and request.blueprint == "security" and response.status_code < 500:
        current_app.extensions["security"].datastore.commit()
    return response
