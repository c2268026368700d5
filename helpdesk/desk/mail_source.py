"""A mail as it came, to be looked at: its source as text, of which nothing is rendered."""

import re

from helpdesk.downloads import content_of
from helpdesk.inbound.models import InboundEmail

MOST_BYTES = 100_000
_UNSEEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def source_of(email: InboundEmail) -> tuple[str, bool]:
    """The first 100,000 bytes as text, and whether that is all; what shows nothing or turns text is a � there.

    Raises NotFound when the mail is no longer kept.
    """
    raw = content_of(email.storage_key)
    text = raw[:MOST_BYTES].decode(errors="replace").replace("\r\n", "\n")
    return _UNSEEN.sub("\ufffd", text), len(raw) <= MOST_BYTES
