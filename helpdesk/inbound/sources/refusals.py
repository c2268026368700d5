"""What a mail server may refuse for a single mail, and how it says why."""

from collections.abc import Iterable

from helpdesk.errors import HelpdeskError


class MailRefused(HelpdeskError):
    """The server does not do for one mail what we ask; the others may be fine."""

    status = 503


def said(data: Iterable[object]) -> str:
    """The server's words."""
    parts = [part.decode("utf-8", "replace") if isinstance(part, bytes) else "" for part in data]
    return " ".join(filter(None, parts)) or "no reason given"
