"""What each role may do: the one table the whole desk asks."""

from enum import StrEnum


class Role(StrEnum):
    """Agents answer, editors also look after the desk's texts and mail, admins configure."""

    AGENT = "agent"
    EDITOR = "editor"
    ADMIN = "admin"


_AGENT = frozenset(
    {
        "account.edit",
        "tickets.read",
        "tickets.reply",
        "tickets.note",
        "tickets.assign",
        "tickets.triage",
        "tickets.close",
    }
)
_EDITOR = _AGENT | {"canned_replies.edit", "mail.read", "mail.retry", "mail.handle"}
_EDITOR |= {"setup.read", "tags.edit", "readers.edit"}
_ADMIN = _EDITOR | {"agents.edit", "mail.pause", "setup.edit"}

CAPABILITIES: dict[Role, frozenset[str]] = {Role.AGENT: _AGENT, Role.EDITOR: _EDITOR, Role.ADMIN: _ADMIN}
EVERY_CAPABILITY = _ADMIN
