"""What an agent forwards to his private address: a ticket in the name of who wrote it, or his own note."""

from collections.abc import Collection
from dataclasses import replace

from helpdesk.addresses import bare_spellings
from helpdesk.agents.models import Agent
from helpdesk.database import db
from helpdesk.inbound.letters import subject_of
from helpdesk.inbound.matching import written_to
from helpdesk.inbound.parsing import ParsedEmail
from helpdesk.sites.forward_addresses import agent_of_address, may_forward_to
from helpdesk.sites.models import Queue
from helpdesk.tickets.forwarding import open_forwarded
from helpdesk.tickets.links import ticket_of_address
from helpdesk.tickets.messages import Message
from helpdesk.tickets.operations import Letter
from helpdesk.tickets.ours import own_by_setting

FORWARDED = "I forwarded this mail to the desk."
WRITER_UNKNOWN = "Whose words these are could not be read. Name the reader, so that somebody can be answered."
CAME_FROM = "The mail came from {}."


def forwarder_of(mail: ParsedEmail, envelope_to: tuple[str, ...], queue: Queue | None) -> Agent | None:
    """The agent whose private address decides where the mail belongs, if he still works in the queue.

    Whoever From names plays no part: whoever has the address has it from him.
    """
    for address in written_to(mail, envelope_to):
        if ticket_of_address(address) is not None:
            return None
        if (agent_id := agent_of_address(address)) is not None:
            agent = db.session.get(Agent, agent_id)
            return agent if agent and queue and may_forward_to(agent, queue) else None
    return None


def take_forward(
    queue: Queue,
    *,
    mail: ParsedEmail,
    letter: Letter,
    inner: Letter | None,
    by: Agent,
    own: Collection[str],
    maybe: int | None,
) -> Message:
    """Make a ticket of the mail `inner` that the agent forwarded; one that nobody or one of our `own` addresses wrote
    becomes his note.
    """
    if inner is None or _is_ours(inner.from_address, own):
        letter, beside, subject = _by_nobody(letter), None, subject_of(mail)
    else:
        letter, beside, subject = inner, _beside(mail, letter), _subject_inside(mail)
    return open_forwarded(queue, letter=letter, beside=beside, subject=subject, by=by, maybe=maybe).messages[0]


def _is_ours(address: str, own: Collection[str]) -> bool:
    """True for an address of the desk's, with a token too: to answer it would be to write to ourselves."""
    return not (own_by_setting() | set(own)).isdisjoint(bare_spellings(address))


def _by_nobody(letter: Letter) -> Letter:
    sender = f"{letter.from_name} <{letter.from_address}>" if letter.from_address else "an address that cannot be read"
    body = f"{WRITER_UNKNOWN} {CAME_FROM.format(sender)}\n\n{letter.body_text}"
    return replace(letter, body_text=body, from_name="", from_address="", message_id=None)


def _beside(mail: ParsedEmail, letter: Letter) -> Letter:
    """What the agent wrote above it, with all files, and the whole mail folded below, so that nothing of it is lost."""
    above = mail.forwarded.above if mail.forwarded else ""
    return replace(letter, body_text=above or FORWARDED, body_html=None, signature=None, quoted_text=mail.text)


def _subject_inside(mail: ParsedEmail) -> str:
    inside = mail.forwarded.subject.strip() if mail.forwarded else ""
    return inside[:300] or subject_of(mail)
