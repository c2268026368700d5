"""Taking in what a form sent, counted against the limits: filed as spam when it must be, never refused."""

from helpdesk.addresses import mailbox_of
from helpdesk.database import transactional
from helpdesk.errors import TooMany
from helpdesk.networks import host_of, network_of
from helpdesk.rate_limit import Limit, count
from helpdesk.tickets.links import status_path
from helpdesk.tickets.messages import Message
from helpdesk.tickets.models import Origin, Ticket
from helpdesk.tickets.operations import Letter, find_submission, follow_up, open_ticket
from helpdesk.tickets.quota import spend
from helpdesk.tickets.recall import recall_with_topic

HOUR = 60 * 60
PER_ADDRESS = 5
PER_NETWORK = 30
PER_MAIL_ADDRESS = 20
FOR_ALL = 500
ADDED_PER_TICKET = 20
ADDED_PER_ADDRESS = 30
ADDED_PER_NETWORK = 120

LATER = "You have sent a lot in the last hour. What you typed is still here: send it a little later."


@transactional
def receive_form(
    letter: Letter,
    *,
    topic_id: int,
    remote_address: str,
    article_url: str | None = None,
    wants_answer: bool = True,
    spam_reason: str | None = None,
    upload_token: str | None = None,
) -> str:
    """Make a ticket of what a reader sent by form; returns the path of its status page.

    Sent twice (submission key and content), it is counted and opened once. Over the limit for `remote_address` (an
    IP address), its network, the mail address it names or all readers together it is filed as spam. Raises Invalid
    when the topic is gone meanwhile, NoRoom when the files with it are too many.
    """
    topic, recalled = recall_with_topic(letter, topic_id, article_url=article_url)
    if recalled.before is None:
        spend(letter.files, remote_address=remote_address)
    ticket = open_ticket(
        topic.site, queue=topic.queue, letter=letter, origin=Origin.FORM, topic=topic, article_url=article_url,
        wants_answer=wants_answer, spam_reason=spam_reason, limits=_form_limits(letter, remote_address),
        upload_token=upload_token, recalled=recalled,
    )  # fmt: skip
    return status_path(ticket)


@transactional
def receive_follow_up(
    ticket: Ticket, *, letter: Letter, remote_address: str, upload_token: str | None = None
) -> Message:
    """Add what a reader sent from the status page.

    Raises TooMany over the limit for the ticket, `remote_address` or its network, NoRoom when the files are too many.
    """
    if find_submission(letter) is None:
        spend(letter.files, remote_address=remote_address)
        # A first message may come from a machine, which must not learn that it was caught. Here somebody we wrote to
        # sits before a page that keeps his words; a message filed out of sight would be lost to him and to us.
        passed = count(*_follow_up_limits(ticket, remote_address))
        if passed is not None:
            raise TooMany(LATER, retry_after=passed.pause)
    return follow_up(ticket, letter=letter, upload_token=upload_token)


def _form_limits(letter: Letter, remote_address: str) -> tuple[Limit, ...]:
    """From narrow to wide."""
    named = Limit("one mail address", mailbox_of(letter.from_address), PER_MAIL_ADDRESS, HOUR)
    return (
        Limit("one address", host_of(remote_address), PER_ADDRESS, HOUR),
        Limit("one network", network_of(remote_address), PER_NETWORK, HOUR),
        *((named,) if letter.from_address else ()),
        Limit("all readers", "", FOR_ALL, HOUR),
    )


def _follow_up_limits(ticket: Ticket, remote_address: str) -> tuple[Limit, ...]:
    return (
        Limit("added to one ticket", str(ticket.id), ADDED_PER_TICKET, HOUR),
        Limit("added by one address", host_of(remote_address), ADDED_PER_ADDRESS, HOUR),
        Limit("added by one network", network_of(remote_address), ADDED_PER_NETWORK, HOUR),
    )
