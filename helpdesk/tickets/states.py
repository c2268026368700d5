"""The closed lists of words that describe a ticket."""

from enum import StrEnum


class Status(StrEnum):
    """New until an agent touched it, pending while we wait for the reader."""

    NEW = "new"
    OPEN = "open"
    PENDING = "pending"
    CLOSED = "closed"


class Resolution(StrEnum):
    """How a closed ticket ended."""

    ANSWERED = "answered"
    CORRECTED = "corrected"
    NO_ACTION = "no_action"
    DUPLICATE = "duplicate"
    SPAM = "spam"


class Origin(StrEnum):
    """The door a ticket came in by."""

    FORM = "form"
    EMAIL = "email"
    STAFF = "staff"
    API = "api"


class Then(StrEnum):
    """What happens to a ticket once a reply is on its way."""

    SEND = "send"
    WAIT = "wait"
    CLOSE = "close"
