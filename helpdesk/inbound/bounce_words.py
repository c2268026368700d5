"""Why a mail came back, in words for people: the meaning of its status (RFC 3463 §3), then what the server said."""

from helpdesk.inbound.bounces import Bounce

_MEANINGS = {
    "1.1": "there is no such address",
    "1.2": "there is no such mail domain",
    "1.3": "the address is not a valid one",
    "1.6": "the mailbox has moved and left no new address",
    "1.10": "the domain takes no mail",
    "2.1": "the mailbox is switched off",
    "2.2": "the mailbox is full",
    "2.3": "the mail is too large for that mailbox",
    "3.4": "the mail is too large for their mail server",
    "4.1": "their mail server does not answer",
    "4.3": "their mail domain cannot be found",
    "4.4": "there is no way to their mail server",
    "4.6": "their mail servers send it round in circles",
    "4.7": "their mail server did not take it in time",
    "7.1": "their mail server refused it by its rules",
    "7.26": "their mail server could not verify that it is ours",
}
_CLASSES = {
    "1": "the address is not right",
    "2": "something is wrong with that mailbox",
    "3": "something is wrong with their mail server",
    "4": "it could not be carried to their mail server",
    "5": "the two mail servers did not understand each other",
    "6": "their mail server cannot read such a mail",
    "7": "their mail server refused it by its rules",
}
UNKNOWN = "their mail server did not say why"


def why_it_came_back(bounce: Bounce | None) -> str:
    """One clause in plain words, with the server's own words in brackets when there are any."""
    if bounce is None:
        return UNKNOWN
    _, _, detail = (bounce.status or "").partition(".")
    meaning = _MEANINGS.get(detail) or _CLASSES.get(detail.partition(".")[0])
    said = " ".join(bounce.diagnostic.split())
    if meaning is None:
        return f"their mail server says: {said}" if said else UNKNOWN
    return f"{meaning} ({said or bounce.status})"
