"""The machine-readable half of a delivery report, a read receipt or a complaint (RFC 6522)."""

from dataclasses import dataclass
from email.message import Message
from email.parser import HeaderParser

from helpdesk.inbound.bodies import raw_header
from helpdesk.inbound.charsets import decode
from helpdesk.inbound.headers import decode_header, read_parameters
from helpdesk.inbound.mime import BoundedMessage
from helpdesk.inbound.transfer import decode_part

GROUPS = 200

_REPORT_TYPES = {
    "message/delivery-status": "delivery-status",
    "message/global-delivery-status": "delivery-status",
    "message/feedback-report": "feedback-report",
    "message/disposition-notification": "disposition-notification",
}
# Outlook.com's complaints are the mail itself, whose first header says to whom it went.
_HOTMAIL_COMPLAINT = "x-hmxmroriginalrecipient"
_RETURNED = ("message/rfc822", "message/global", "text/rfc822-headers", "message/rfc822-headers")

Fields = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Report:
    """What a report says: its kind, groups of fields with lower-case names, and the returned headers."""

    kind: str
    groups: tuple[Fields, ...]
    returned: Fields

    def first_returned(self, name: str) -> str:
        """A header of the mail that came back, or an empty string."""
        return next((value for key, value in self.returned if key == name.lower()), "")


def read_report(message: BoundedMessage) -> Report | None:
    """The report that a mail carries, or None. A report type without its part still counts."""
    kind = _declared_kind(message)
    groups: list[Fields] = []
    returned: Fields = ()
    for part in _own_parts(message):
        media_type = part.get_content_type()
        if media_type in _REPORT_TYPES:
            kind = _REPORT_TYPES[media_type]
            groups += _groups(part)
        elif media_type in _RETURNED and not returned:
            returned = _returned(part)
    if not kind and any(name == _HOTMAIL_COMPLAINT for name, _ in returned):
        kind = "feedback-report"
    return Report(kind, tuple(groups[:GROUPS]), returned) if kind or (groups and returned) else None


def _declared_kind(message: BoundedMessage) -> str:
    if message.get_content_type() != "multipart/report":
        return ""
    return read_parameters(raw_header(message, "Content-Type")).get("report-type", "report").lower()


def _own_parts(message: BoundedMessage) -> list[BoundedMessage]:
    """Every part of this mail, not those of a mail attached to it."""
    if message.get_content_maintype() != "multipart" or not message.is_multipart():
        return [message]
    return [part for child in message.children for part in _own_parts(child)]


def _groups(part: BoundedMessage) -> list[Fields]:
    is_encoded = raw_header(part, "Content-Transfer-Encoding").strip().lower().startswith("base64")
    if part.is_multipart() and not is_encoded:
        return [fields for child in part.children if (fields := _fields(child))]
    text = decode(decode_part(part)).replace("\r\n", "\n")
    blocks = [HeaderParser().parsestr(block) for block in text.split("\n\n")[:GROUPS]]
    return [fields for block in blocks if (fields := _fields(block))]


def _fields(message: Message) -> Fields:
    return tuple((name.lower(), decode_header(value)) for name, value in message.raw_items())


def _returned(part: BoundedMessage) -> Fields:
    if part.is_multipart():
        return next((_fields(child) for child in part.children), ())
    return _fields(HeaderParser().parsestr(decode(decode_part(part)).lstrip()))
