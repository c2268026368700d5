"""Every page that can be opened, from the map of addresses: one list for access, accessibility and pictures."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from flask import Flask
from sqlalchemy import exists, select

from helpdesk.agents.models import Agent
from helpdesk.canned_replies.models import CannedReply
from helpdesk.database import db
from helpdesk.inbound.models import InboundEmail
from helpdesk.outbound.models import NOT_ARRIVED, OutboundEmail, OutboundRecipient
from helpdesk.readers.models import Reader
from helpdesk.tickets.links import status_path
from helpdesk.tickets.messages import Attachment, Message
from helpdesk.tickets.models import Status, Ticket
from helpdesk.tickets.tags import Tag

Row = TypeVar("Row")


@dataclass(frozen=True)
class World:
    """Something of every kind that an address can name."""

    ticket: Ticket
    file: Attachment
    message: Message
    inbound: InboundEmail
    recipient: OutboundRecipient
    canned: CannedReply
    agent: Agent
    tag: Tag
    other: Reader

    @property
    def status(self) -> str:
        """The reader's page of the ticket."""
        return status_path(self.ticket)


def find_world() -> World:
    """Pick one of each from the database: the richest ticket that is open, or any."""
    rich = (
        Ticket.status == Status.OPEN,
        Ticket.article_id.is_not(None),
        Ticket.reader_id.is_not(None),
        ~Ticket.queue.has(restricted=True),
    )
    ticket = db.session.scalars(select(Ticket).where(*rich).order_by(Ticket.message_count.desc(), Ticket.id)).first()
    return World(
        ticket=ticket or first(Ticket),
        file=first(Attachment),
        message=first(Message),
        inbound=first(InboundEmail),
        recipient=find_recipient(),
        canned=first(CannedReply),
        agent=first(Agent),
        tag=first(Tag),
        other=find_other(ticket),
    )


def find_other(ticket: Ticket | None) -> Reader:
    """Another reader than the ticket's, with a ticket that everybody may see."""
    here = (Ticket.reader_id == Reader.id, ~Ticket.queue.has(restricted=True))
    others = select(Reader).where(Reader.id != (ticket.reader_id if ticket else None), exists().where(*here))
    return db.session.scalars(others.order_by(Reader.id)).first()  # type: ignore[return-value]


def find_recipient() -> OutboundRecipient:
    """A mail that did not arrive, else any."""
    not_arrived = OutboundRecipient.state.in_(NOT_ARRIVED)
    of_ticket = OutboundRecipient.email.has(OutboundEmail.thread_token.is_not(None))
    troubled = db.session.scalars(select(OutboundRecipient).where(not_arrived, of_ticket)).first()
    return troubled or first(OutboundRecipient)


def first(noun: type[Row]) -> Row:
    """The oldest row; where there is none, the test that needs it says so."""
    return db.session.scalars(select(noun).order_by(noun.id)).first()  # type: ignore[attr-defined,return-value]


Path = Callable[[World], str]

READER_PAGES: dict[str, Path] = {
    "contact.show_form": lambda world: (
        f"/contact?url={world.ticket.article.canonical_url}" if world.ticket.article else "/contact"
    ),
    "contact.show_thanks": lambda world: f"{world.status}/thanks",
    "contact.show_ticket": lambda world: world.status,
    "security.login": lambda world: "/desk/sign-in",
    "security.wan_signin": lambda world: "/desk/sign-in/passkey",
    "security.forgot_password": lambda world: "/desk/password/forgotten",
}
DESK_PAGES: dict[str, Path] = {
    "desk.folder": lambda world: "/desk/unassigned",
    "desk.ticket": lambda world: f"/desk/tickets/{world.ticket.number}?in=open",
    "desk.article": lambda world: f"/desk/articles/{world.ticket.article_id}",
    "desk.reader": lambda world: f"/desk/readers/{world.ticket.reader_id}",
    "desk.readers": lambda world: "/desk/readers",
    "desk.edit_reader": lambda world: f"/desk/readers/{world.ticket.reader_id}/edit",
    "desk.leave_reader": lambda world: f"/desk/readers/{world.ticket.reader_id}/merge?into={world.other.address}",
    "desk.find": lambda world: "/desk/search?q=the",
    "desk.mail": lambda world: "/desk/mail",
    "desk.mail_seen_to": lambda world: "/desk/mail/seen-to",
    "desk.view_mail": lambda world: f"/desk/mail/{world.inbound.id}/view",
    "desk.mail_text": lambda world: f"/desk/mail/out/{world.recipient.id}/text",
    "desk.canned_replies": lambda world: "/desk/canned-replies",
    "desk.new_canned_reply": lambda world: "/desk/canned-replies/new",
    "desk.edit_canned_reply": lambda world: f"/desk/canned-replies/{world.canned.id}",
    "desk.setup": lambda world: "/desk/setup",
    "desk.queues": lambda world: "/desk/setup/queues",
    "desk.new_queue": lambda world: "/desk/setup/queues/new",
    "desk.edit_queue": lambda world: f"/desk/setup/queues/{world.ticket.queue_id}",
    "desk.leave_queue": lambda world: f"/desk/setup/queues/{world.ticket.queue_id}/remove",
    "desk.topics": lambda world: "/desk/setup/topics",
    "desk.new_topic": lambda world: f"/desk/setup/sites/{world.ticket.site_id}/topics/new",
    "desk.edit_topic": lambda world: f"/desk/setup/topics/{world.ticket.topic_id}",
    "desk.leave_topic": lambda world: f"/desk/setup/topics/{world.ticket.topic_id}/remove",
    "desk.sites": lambda world: "/desk/setup/sites",
    "desk.new_site": lambda world: "/desk/setup/sites/new",
    "desk.edit_a_site": lambda world: f"/desk/setup/sites/{world.ticket.site_id}",
    "desk.tags": lambda world: "/desk/setup/tags",
    "desk.edit_tag": lambda world: f"/desk/setup/tags/{world.tag.id}",
    "desk.leave_tag": lambda world: f"/desk/setup/tags/{world.tag.id}/remove",
    "desk.account": lambda world: "/desk/account",
    "desk.agents": lambda world: "/desk/agents",
    "desk.edit_agent": lambda world: f"/desk/agents/{world.agent.id}",
    "desk.leave_agents_devices": lambda world: f"/desk/agents/{world.agent.id}/devices/forget",
    "desk.leave_agent": lambda world: f"/desk/agents/{world.agent.id}/deactivate",
    "desk.two_factor": lambda world: "/desk/account/two-factor",
    "security.wan_register": lambda world: "/desk/account/passkeys",
    "security.change_password": lambda world: "/desk/password/change",
    "security.verify": lambda world: "/desk/verify",
}
NO_PAGES = {
    "doctor.proxy", "contact.accent",
    "static", "bootstrap.static", "contact.home", "contact.return_to_ticket", "contact.download_file",
    "security.two_factor_token_validation", "security.mf_recovery", "security.wan_verify", "security.wan_delete", "security.two_factor_setup",
    "security.two_factor_rescue", "security.tf_select", "security.mf_recovery_codes",
    "security.reset_password", "desk.home", "desk.folder_news", "desk.ticket_news", "desk.suggestions", "desk.file", "desk.message_html",
    "desk.canned_reply", "desk.raw_mail", "health.live", "health.ready", "health.metrics",
}  # fmt: skip


def get_endpoints(app: Flask) -> set[str]:
    """Every endpoint that answers a GET."""
    return {rule.endpoint for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())}
