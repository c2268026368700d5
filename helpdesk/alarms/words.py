"""What a mail about each kind of trouble says: what stands still, what to do, and that it is over."""

from dataclasses import dataclass

from helpdesk.inbound.troubles import NOT_FETCHED, NOT_READ, NOT_SENT, NOT_TAKEN, NOT_TRIED, QUARANTINED


@dataclass(frozen=True)
class Words:
    """For one kind: what is wrong, what to do, and how it sounds when it is over; `{name}` is the mailbox."""

    trouble: str
    remedy: str
    over: str


_WORKER = "Look whether the worker runs (“systemctl status helpdesk”), and start it again."
_DOCTOR = "Run “helpdesk doctor” on the server: it signs in to {what} and says what is wrong and what to do."

WORDS = {
    NOT_SENT: Words("Mail does not leave", _DOCTOR.format(what="the mail server that sends"), "Mail leaves again"),
    NOT_TRIED: Words("Mail waits and nobody sends it", _WORKER, "Mail is sent again"),
    NOT_READ: Words("Mail that came in waits and nobody reads it", _WORKER, "Mail that comes in is read again"),
    NOT_FETCHED: Words(
        "The mailbox “{name}” is not read", _DOCTOR.format(what="every mailbox"), "The mailbox “{name}” is read again"
    ),
    NOT_TAKEN: Words(
        "The mailbox “{name}” holds mail that cannot be taken",
        "It stays where it is and is tried again. Try it by hand, or leave it there.",
        "All mail of the mailbox “{name}” is taken again",
    ),
    QUARANTINED: Words(
        "A mail came in and could not be read",
        "It is kept as it came. Read it again, make a ticket of it, or ignore it.",
        "No mail that could not be read is left",
    ),
}
