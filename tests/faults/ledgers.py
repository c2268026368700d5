"""Four ledgers that must agree: what was sent to us, the raw store, the tickets, and what the mail server took.

Whatever somebody handed in carries a mark, such as “mark-3-”. A mark that stands nowhere is lost, one that stands
twice is doubled, and bytes that no row names are a leak.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from enum import StrEnum

from sqlalchemy import func, select

from helpdesk import clock, files
from helpdesk.database import db
from helpdesk.inbound.models import InboundEmail, InboundState
from helpdesk.inbound.operations import sweep_files
from helpdesk.inbound.receiving import ORPHAN_AGE
from helpdesk.outbound.models import DeliveryState, OutboundEmail, OutboundRecipient
from helpdesk.tickets.messages import Attachment, Message
from helpdesk.tickets.models import Ticket
from tests.servers.smtp import CaughtMail


class Kind(StrEnum):
    """What a complaint is about."""

    LOST = "lost"
    DOUBLED = "doubled"
    SENT_AGAIN = "sent again"
    STUCK = "stuck"
    LEFT = "left lying"


Complaint = tuple[Kind, str]


def complaints(*, taken: Iterable[str], replied: Iterable[str], caught: list[CaughtMail], twice: int = 0) -> list[str]:
    """A sentence for everything that is lost, doubled or left lying; none is what must be.

    `taken` are the marks that readers handed in, `replied` those that staff sent; at most `twice` mails may have
    left a second time, each with the Message-ID it had.
    """
    return [sentence for _, sentence in sorted_complaints(taken, replied, caught, twice)]


def sorted_complaints(
    taken: Iterable[str], replied: Iterable[str], caught: list[CaughtMail], twice: int
) -> list[Complaint]:
    """The same, each with its kind."""
    db.session.rollback()
    return [
        *_in_tickets([*taken, *replied]),
        *_in_mails(list(replied), caught, twice),
        *_in_the_outbox(caught),
        *_in_the_store(),
        *_of_nobody(),
    ]


def sent_again(caught: list[CaughtMail]) -> int:
    """How many mails left more than once."""
    return sum(times > 1 for times in _times(caught).values())


def _times(caught: list[CaughtMail]) -> Counter[tuple[str, tuple[str, ...]]]:
    return Counter((str(mail.parsed["Message-ID"]), mail.recipients) for mail in caught)


def _in_tickets(marks: list[str]) -> Iterator[Complaint]:
    bodies = db.session.scalars(select(Message.body_text)).all()
    for mark in marks:
        times = sum(mark in body for body in bodies)
        if times != 1:
            yield Kind.DOUBLED if times else Kind.LOST, f"{mark} is in {times} messages"


def _in_mails(marks: list[str], caught: list[CaughtMail], twice: int) -> Iterator[Complaint]:
    for mark in marks:
        ids = {str(mail.parsed["Message-ID"]) for mail in caught if mark in _words(mail)}
        if len(ids) != 1:
            yield Kind.DOUBLED if ids else Kind.LOST, f"{mark} left in {len(ids)} mails"
    counts = _times(caught)
    doubled = [times for times in counts.values() if times > 1]
    if any(times > 2 for times in doubled) or len(doubled) > twice:
        yield Kind.SENT_AGAIN, f"mails left more than once: {dict(counts)}"


def _in_the_outbox(caught: list[CaughtMail]) -> Iterator[Complaint]:
    took = {(str(mail.parsed["Message-ID"]).strip("<>"), mail.recipients[0]) for mail in caught}
    rows = db.session.scalars(select(OutboundRecipient)).all()
    for row in rows:
        if row.state is not DeliveryState.SENT:
            yield Kind.STUCK, f"the mail to {row.address} is {row.state.value}"
    if took != {(row.email.message_id, row.address) for row in rows}:
        yield Kind.LOST, "the mail server has other mails than the outbox"


def _in_the_store() -> Iterator[Complaint]:
    mails = db.session.scalars(select(InboundEmail)).all()
    accepted = {(mail.message_id, mail.content_hash) for mail in mails if mail.state is InboundState.ACCEPTED}
    for mail in mails:
        if mail.state is InboundState.IGNORED and (mail.message_id, mail.content_hash) in accepted:
            continue  # handed over again by somebody who had no answer
        if mail.state is not InboundState.ACCEPTED:
            yield Kind.STUCK, f"mail {mail.id} is {mail.state.value}: {mail.reason}"
        elif mail.became is None:
            yield Kind.LOST, f"mail {mail.id} became nothing"
    named = {mail.storage_key for mail in mails} | set(db.session.scalars(select(Attachment.storage_key)))
    with clock.at(clock.now() + 2 * ORPHAN_AGE):
        sweep_files()
    kept = set(files.keys_older_than((clock.now() + ORPHAN_AGE).timestamp()))
    if lost := named - kept:
        yield Kind.LOST, f"{len(lost)} files are gone"
    if left := kept - named:
        yield Kind.LEFT, f"{len(left)} files are nobody's"


def _of_nobody() -> Iterator[Complaint]:
    has_one = select(Message.id).where(Message.ticket_id == Ticket.id).exists()
    bare = select(func.count()).select_from(Ticket).where(~has_one)
    if tickets := db.session.scalar(bare):
        yield Kind.LEFT, f"{tickets} tickets have no message"
    whole = select(OutboundRecipient.id).where(OutboundRecipient.email_id == OutboundEmail.id).exists()
    if mails := db.session.scalar(select(func.count()).select_from(OutboundEmail).where(~whole)):
        yield Kind.LEFT, f"{mails} mails go to nobody"


def _words(mail: CaughtMail) -> str:
    body = mail.parsed.get_body(("plain",))
    return "\n".join(line for line in (body.get_content() if body else "").splitlines() if not line.startswith(">"))
