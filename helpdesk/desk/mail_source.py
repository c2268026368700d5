"""A mail as it came, to be looked at: its source as text, of which nothing is rendered."""

import re

from helpdesk.agents.models import Agent
from helpdesk.downloads import content_of
from helpdesk.errors import Refused
from helpdesk.inbound.models import InboundEmail
from helpdesk.sites.forward_addresses import agent_of_address

MOST_BYTES = 100_000
_TOKEN = re.compile(rb"\+([A-Za-z2-7]{20,120})@")
_UNSEEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def refuse_private(email: InboundEmail, agent: Agent) -> None:
    """Raise Refused when a mail names another's private address, with which one could forward in his name; who looks
    after mail sees it all the same.
    """
    if agent.can("mail.read"):
        return
    tokens = {token.decode() for token in _TOKEN.findall(content_of(email.storage_key))}
    if {agent_of_address(f"desk+{token}@desk.invalid") for token in tokens} - {None, agent.id}:
        raise Refused("A colleague forwarded this mail, and its source names his private address. Ask an editor.")


def source_of(email: InboundEmail) -> tuple[str, bool]:
    """The first 100,000 bytes as text, and whether that is all; what shows nothing or turns text is a � there.

    Raises NotFound when the mail is no longer kept.
    """
    raw = content_of(email.storage_key)
    text = raw[:MOST_BYTES].decode(errors="replace").replace("\r\n", "\n")
    return _UNSEEN.sub("\ufffd", text), len(raw) <= MOST_BYTES
