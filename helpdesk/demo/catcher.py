"""The demo's mail server: mail to a queue goes to the desk's intake, all other mail is caught."""

import logging
import socket
from typing import Any

from aiosmtpd.controller import Controller
from flask import Flask
from sqlalchemy import select
from werkzeug.serving import make_server

from helpdesk import create_app
from helpdesk.addresses import bare_spellings
from helpdesk.config import Settings
from helpdesk.database import db
from helpdesk.demo.caught import CaughtMails
from helpdesk.demo.pages import create_pages
from helpdesk.inbound.operations import receive
from helpdesk.ports import port_of
from helpdesk.sites.models import Queue

log = logging.getLogger(__name__)

CAUGHT = "mail"


class Catcher:
    """What happens to each mail, as aiosmtpd asks for it."""

    def __init__(self, app: Flask, mails: CaughtMails) -> None:
        self.app, self.mails = app, mails

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        try:
            for address in envelope.rcpt_tos:
                self.take(envelope.content, sender=envelope.mail_from, address=address)
        except Exception:  # the sender keeps the mail and tries again
            log.exception("a mail could not be kept")
            return "451 Try again later"
        return "250 Kept"

    def take(self, raw: bytes, *, sender: str, address: str) -> None:
        """Keep one mail for one recipient, where it belongs."""
        if not self._is_intake(address):
            self.mails.put(raw)
            return
        with self.app.app_context():
            receive(raw, envelope_from=sender, envelope_to=(address,))

    def _is_intake(self, address: str) -> bool:
        is_ours = Queue.intake_address.in_(bare_spellings(address))
        with self.app.app_context():
            return db.session.scalar(select(Queue.id).where(is_ours)) is not None


class _OnSocket(Controller):
    """Serves on a socket that is bound already."""

    def __init__(self, handler: Catcher, listener: socket.socket) -> None:
        super().__init__(handler, hostname="127.0.0.1", port=port_of(listener))
        self.listener = listener

    def _create_server(self) -> Any:
        return self.loop.create_server(self._factory_invoker, sock=self.listener)


def catch(settings: Settings, *, smtp: socket.socket, web: socket.socket) -> None:
    """Take mail on one socket and show it on the other, until SIGTERM."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    mails = CaughtMails(settings.data_dir / CAUGHT)
    server = _OnSocket(Catcher(create_app(settings), mails), smtp)
    server.start()
    pages = create_pages(settings, mails)
    make_server("127.0.0.1", port_of(web), pages, threaded=True, fd=web.fileno()).serve_forever()
