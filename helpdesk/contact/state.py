"""Where a ticket stands, in the reader's words."""

from collections.abc import Sequence
from dataclasses import dataclass

from helpdesk.templating import day
from helpdesk.tickets.messages import Message, MessageKind
from helpdesk.tickets.models import Resolution, Status, Ticket

_ENDINGS = {
    Resolution.ANSWERED: "We answered and closed this",
    Resolution.CORRECTED: "We made a correction and closed this",
    Resolution.NO_ACTION: "We read this and decided to change nothing",
    Resolution.DUPLICATE: "We knew of this already and look after it there",
}
_ANSWER = "Answer below, or answer the mail we sent."
_MORE = "If there is more to say, add it below."


@dataclass(frozen=True)
class State:
    """A word for the badge, a sentence, and what comes next."""

    word: str
    sentence: str
    next: str


def state_of(ticket: Ticket, messages: Sequence[Message]) -> State:
    """The state as the reader may know it: a message filed as spam looks like one that waits to be read."""
    replies = [message for message in messages if message.kind is MessageKind.REPLY]
    if ticket.status is Status.NEW or ticket.is_spam:
        return State("Received", "We have your message and nobody has read it yet.", _answer_within(ticket))
    if ticket.status is Status.CLOSED and ticket.resolution and ticket.closed_at:
        when = day(ticket.closed_at, ticket.site.timezone)
        return State("Closed", f"{_ENDINGS[ticket.resolution]} on {when}.", _MORE)
    if ticket.status is Status.PENDING and replies:
        when = day(replies[-1].created_at, ticket.site.timezone)
        return State("Your turn", f"We wrote to you on {when}; it is your turn.", _ANSWER)
    if replies and messages[-1] is replies[-1]:
        return State("In progress", "We have answered and are still looking into it.", _MORE)
    return State("In progress", "Somebody is looking into your message.", _answer_within(ticket))


def _answer_within(ticket: Ticket) -> str:
    if not ticket.wants_answer:
        return "You asked for no answer, so we write only if we have a question."
    return f"We usually answer within {ticket.site.answer_within}."
