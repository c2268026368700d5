"""Every page that can be opened, from the map of addresses: one list for access, accessibility and pictures."""

from collections.abc import Callable
from dataclasses import dataclass

from flask import Flask
from sqlalchemy import select

from helpdesk.agents.models import Agent
from helpdesk.canned_replies.models import CannedReply
from helpdesk.database import db
from helpdesk.inbound.models import InboundEmail
from helpdesk.tickets.links import status_path
from helpdesk.tickets.messages import Attachment, Message, MessageKind
from helpdesk.tickets.models import Ticket


@dataclass(frozen=True)
class World:
    """Something of every kind that an address can name."""

    ticket: Ticket
    file: Attachment
    message: Message
    inbound: InboundEmail
    canned: CannedReply
    agent: Agent

    @property
    def status(self) -> str:
        """The reader's page of the ticket."""
        return status_path(self.ticket)


def find_world() -> World:
    """Pick one of each from the database: the ticket that has a file from its reader."""
    file = db.session.scalars(
        select(Attachment).join(Message).where(Message.kind == MessageKind.READER).order_by(Attachment.id)
    ).first()
    assert file is not None
    assert file.message is not None
    return World(
        ticket=file.message.ticket,
        file=file,
        message=file.message,
        inbound=db.session.scalars(select(InboundEmail).order_by(InboundEmail.id)).first(),  # type: ignore[arg-type]
        canned=db.session.scalars(select(CannedReply).order_by(CannedReply.id)).first(),  # type: ignore[arg-type]
        agent=db.session.scalars(select(Agent).order_by(Agent.id)).first(),  # type: ignore[arg-type]
    )


@dataclass(frozen=True)
class Page:
    """One address to open: its path in a world, and who may; `is_html` False for files, data and redirects."""

    path: Callable[[World], str]
    capability: str | None = None
    is_html: bool = True


def get_endpoints(app: Flask) -> set[str]:
    """Every endpoint that answers a GET."""
    return {rule.endpoint for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())}
