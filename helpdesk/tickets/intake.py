"""Taking in what a form sent: counted against the limits, filed as spam when it must be, never refused."""

from ipaddress import IPv4Address, ip_address, ip_network

from helpdesk.database import transactional
from helpdesk.rate_limit import Limit
from helpdesk.tickets.links import status_path
from helpdesk.tickets.models import Origin
from helpdesk.tickets.operations import Letter, open_ticket
from helpdesk.tickets.recall import recall_with_topic

HOUR = 60 * 60
PER_ADDRESS = 5
PER_NETWORK = 30
FOR_ALL = 500


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
    IP address), for its network or for all readers together it is filed as spam. Raises Invalid when the topic is
    gone meanwhile.
    """
    topic, recalled = recall_with_topic(letter, topic_id, article_url=article_url)
    ticket = open_ticket(
        topic.site, queue=topic.queue, letter=letter, origin=Origin.FORM, topic=topic, article_url=article_url,
        wants_answer=wants_answer, spam_reason=spam_reason, limits=_limits(remote_address), upload_token=upload_token,
        recalled=recalled,
    )  # fmt: skip
    return status_path(ticket)


def network_of(address: str) -> str:
    """The network that one person or firm has: /24 for IPv4, /48 for IPv6; the text itself when it is no address."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    length = 24 if isinstance(parsed, IPv4Address) else 48
    return str(ip_network((parsed, length), strict=False))


def _limits(address: str) -> tuple[Limit, ...]:
    return (
        Limit("one address", address, PER_ADDRESS, HOUR),
        Limit("one network", network_of(address), PER_NETWORK, HOUR),
        Limit("all readers", "", FOR_ALL, HOUR),
    )
