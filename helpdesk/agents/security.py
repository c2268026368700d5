"""Flask-Security bound to our agents: sign-in under /desk, its mails through our outbox."""

import secrets
from datetime import timedelta
from typing import Any

from flask import Flask, Response, current_app, request
from flask_security import MailUtil, SQLAlchemyUserDatastore

from helpdesk.addresses import domain_of, named
from helpdesk.agents.current import leave_readers_alone
from helpdesk.agents.models import Agent, NoRole
from helpdesk.config import Settings
from helpdesk.database import db, open_write, wake_workers
from helpdesk.extensions import security
from helpdesk.outbound.operations import enqueue


class Datastore(SQLAlchemyUserDatastore):
    """Commits for Flask-Security's own pages, and wakes the worker for the mail they queued."""

    def commit(self) -> None:
        db.session.commit()
        wake_workers()

    def set_uniquifier(self, user: Any, uniquifier: str | None = None) -> None:  # noqa: ARG002
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
        **kwargs: Any,
    ) -> None:
        settings: Settings = current_app.extensions["settings"]
        address = settings.sender
        enqueue(
            message_id=f"account.{secrets.token_hex(16)}@{domain_of(address)}",
            sender=named("Helpdesk", address),
            to=[recipient],
            envelope_from=address,
            subject=str(subject),
            body_text=body or "",
            body_html=html or "",
            headers={"Auto-Submitted": "auto-generated"},
        )


def init_app(app: Flask, settings: Settings) -> None:
    """Bind Flask-Security with the few features we offer; everything else stays off."""
    app.config.update(
        SECURITY_URL_PREFIX="/desk",
        SECURITY_LOGIN_URL="/sign-in",
        SECURITY_LOGOUT_URL="/sign-out",
        SECURITY_LOGOUT_METHODS=["POST"],
        SECURITY_RESET_URL="/password/forgotten",
        SECURITY_CHANGE_URL="/password/change",
        SECURITY_RECOVERABLE=True,
        SECURITY_CHANGEABLE=True,
        SECURITY_RESET_PASSWORD_WITHIN=timedelta(hours=4),
        SECURITY_AUTO_LOGIN_AFTER_RESET=False,
        SECURITY_POST_LOGIN_VIEW="/desk/",
        SECURITY_POST_LOGOUT_VIEW="/desk/sign-in",
        SECURITY_POST_RESET_VIEW="/desk/sign-in",
        SECURITY_POST_CHANGE_VIEW="/desk/account",
        SECURITY_PASSWORD_SALT=settings.secret_keys[0].get_secret_value(),
        SECURITY_PASSWORD_LENGTH_MIN=12,
        SECURITY_RETURN_GENERIC_RESPONSES=True,
        SECURITY_DEFAULT_REMEMBER_ME=False,
        SECURITY_EMAIL_SUBJECT_PASSWORD_RESET="Choose a new password for the helpdesk",
        SECURITY_EMAIL_SUBJECT_PASSWORD_NOTICE="Your helpdesk password was changed",
        SECURITY_EMAIL_SUBJECT_PASSWORD_CHANGE_NOTICE="Your helpdesk password was changed",
        SECURITY_MSG_PASSWORD_RESET_REQUEST=(
            "If there is an account with this address, a mail with a link is on its way.", "done",
        ),
        SECURITY_MSG_GENERIC_AUTHN_FAILED=("This address and password do not belong together.", "error"),
        SECURITY_MSG_INVALID_RESET_PASSWORD_TOKEN=(
            "That link was used before, or is not whole. Ask for a new one here.", "error",
        ),
        SECURITY_MSG_PASSWORD_RESET_EXPIRED=("That link has run out. Ask for a new one here.", "error"),
        SECURITY_MSG_PASSWORD_RESET_NO_LOGIN=("The new password is kept. Sign in with it.", "done"),
        SECURITY_MSG_PASSWORD_CHANGE=("Your password is changed. Other devices are signed out.", "done"),
        SECURITY_MSG_PASSWORD_IS_THE_SAME=("Choose another password than the one you have.", "error"),
        SECURITY_MSG_RETYPE_PASSWORD_MISMATCH=("The two are not the same.", "error"),
        SECURITY_MSG_INVALID_PASSWORD=("That is not your password.", "error"),
        SECURITY_MSG_PASSWORD_INVALID_LENGTH=("Use at least %(length)s characters.", "error"),
        SECURITY_MSG_REAUTHENTICATION_SUCCESSFUL=("Thank you. Go on.", "done"),
        SECURITY_EMAIL_VALIDATOR_ARGS={"check_deliverability": False},
        SECURITY_BACKWARDS_COMPAT_AUTH_TOKEN=False,
        SECURITY_CSRF_IGNORE_UNAUTH_ENDPOINTS=False,
        SECURITY_STATIC_FOLDER=None,
        SECURITY_CHANGE_EMAIL=False,
        SECURITY_JOIN_USER_ROLES=False,  # our roles are no table
    )
    app.before_request(leave_readers_alone)
    app.before_request(_write_on_sign_in_pages)
    security._mail_util_cls = OutboxMail  # init_app ignores it as an argument
    security.init_app(app, Datastore(db, Agent, NoRole))
    security.mail_context_processor(lambda: {"link": settings.link})
    app.after_request(_keep_sign_in_pages)


def _write_on_sign_in_pages() -> None:
    if request.method == "POST" and request.blueprint == "security":
        open_write()


def _keep_sign_in_pages(response: Response) -> Response:
    """Flask-Security commits on most of its pages; the mail of a forgotten password would be lost without this."""
    if request.method == "POST" and request.blueprint == "security" and response.status_code < 500:
        current_app.extensions["security"].datastore.commit()
    return response
