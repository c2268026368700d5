"""Every mail to an agent, above all about his account: what it is filled with, and its row in the outbox."""

import secrets

from helpdesk.addresses import domain_of, named
from helpdesk.agents.models import Agent
from helpdesk.config import settings
from helpdesk.outbound.models import OutboundEmail
from helpdesk.outbound.operations import enqueue

FORGOTTEN = "/desk/password/forgotten"


def queue_account_mail(
    agent: Agent, *, template: str, subject: str, token: str = "", within: str = "", by: Agent | None = None
) -> OutboundEmail:
    """Put a mail to an agent into the outbox; `token` opens the page that chooses a password, `within` a time."""
    context = {
        "link": settings().link(f"{FORGOTTEN}/{token}"),
        "ask_again": settings().link(FORGOTTEN),
        "within": within,
        "by": by.name if by else "",
    }
    return queue_mail_to(agent, kind="account", template=template, subject=subject, context=context)


def queue_mail_to(
    agent: Agent,
    *,
    kind: str,
    template: str,
    subject: str,
    context: dict[str, str],
    headers: dict[str, str] | None = None,
    thread_token: str | None = None,
) -> OutboundEmail:
    """Put a mail of the desk itself to an agent into the outbox; `kind` is the first word of its Message-ID."""
    address = settings().sender
    return enqueue(
        message_id=f"{kind}.{secrets.token_hex(16)}@{domain_of(address)}",
        sender=named("Helpdesk", address),
        to=[agent.email],
        envelope_from=address,
        subject=subject,
        template=template,
        context={"language": "en", "first_name": agent.first_name, **context},
        headers={"Auto-Submitted": "auto-generated", **(headers or {})},
        thread_token=thread_token,
    )
