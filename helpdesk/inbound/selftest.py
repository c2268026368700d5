"""A mail that the desk sends to itself, to see whether mail comes in: signed, so that it never becomes a ticket."""

import secrets
from datetime import timedelta
from typing import NamedTuple

from sqlalchemy import select

from helpdesk import clock
from helpdesk.addresses import domain_of, named, split_token, with_token
from helpdesk.config import settings
from helpdesk.database import db, transactional
from helpdesk.inbound.parsing import ParsedEmail
from helpdesk.outbound.models import OutboundEmail
from helpdesk.outbound.operations import enqueue
from helpdesk.sites.models import Queue
from helpdesk.tokens import Kind, keyring

HEADER = "X-Helpdesk-Selftest"
LASTS = timedelta(hours=1)
RUN_BYTES = 5  # as many as a ticket's id has, so that the address is as long as those of replies
BY_PLUS = "its address came in with the part behind the plus"
BY_PLAIN = "its address came in without a part behind a plus"


class Arrived(NamedTuple):
    """A selftest's mail that came in: the name of its run, and how its address looked."""

    run: str
    how: str

    @property
    def reason(self) -> str:
        """The sentence on its row, which begins with the run."""
        return f"{begins(self.run)}{self.how}."


def begins(run: str) -> str:
    """How the reason of a run's mails begins."""
    return f"Selftest {run}: "


@transactional
def send_selftest(queue: Queue, *, run: str, plus: bool) -> OutboundEmail:
    """Put a mail to the queue's own address into the outbox, with a token behind a plus or without."""
    token, sender = keyring().issue(Kind.SELFTEST, bytes.fromhex(run)), settings().sender
    return enqueue(
        message_id=f"{token}.{'plus' if plus else 'plain'}@{domain_of(sender)}",
        sender=named("Helpdesk", sender),
        to=[with_token(queue.intake_address, token) if plus else queue.intake_address],
        envelope_from=sender,
        subject="A selftest of your helpdesk",
        template="emails/selftest",
        context={"language": "en"},
        headers={"Auto-Submitted": "auto-generated", HEADER: token},
        thread_token=thread_of(run),
    )


def new_run() -> str:
    """A name for one selftest."""
    return secrets.token_hex(RUN_BYTES)


def thread_of(run: str) -> str:
    """The word by which the outbox knows a run's mails."""
    return f"selftest:{run}"


def arrived(mail: ParsedEmail, envelope_to: tuple[str, ...]) -> Arrived | None:
    """Which run's mail this is; None for all other mail, such as one that only names the address of a run.

    It is the mail that we sent within the last hour, by its Message-ID, or by our header where a relay writes ids anew.
    """
    ids = ((mail.message_id or "").partition(".")[0], mail.first_of(HEADER))
    run = next((run for token in ids if (run := _run_of(token)) and _was_sent_lately(run)), None)
    if run is None:
        return None
    delivered = (*envelope_to, *mail.delivered_to) or tuple(box.address for box in mail.to)
    tokens = (parts[1] for address in delivered if (parts := split_token(address)))
    return Arrived(run, BY_PLUS if any(_run_of(token) == run for token in tokens) else BY_PLAIN)


def _was_sent_lately(run: str) -> bool:
    lately = (OutboundEmail.thread_token == thread_of(run), OutboundEmail.created_at > clock.now() - LASTS)
    return db.session.scalar(select(OutboundEmail.id).where(*lately).limit(1)) is not None


def _run_of(token: str) -> str | None:
    payload = keyring().read(Kind.SELFTEST, token)
    return payload.hex() if payload else None
