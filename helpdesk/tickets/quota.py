"""How many files may be left with us: by address, by network, by all, by one agent, and never the last of the disk."""

import shutil
from collections.abc import Sequence

from sqlalchemy import func, select

from helpdesk.agents.models import Agent
from helpdesk.config import settings
from helpdesk.database import db
from helpdesk.errors import NoRoom
from helpdesk.networks import host_of, network_of
from helpdesk.rate_limit import Limit, count, would_pass
from helpdesk.tickets.drafts import Draft
from helpdesk.tickets.messages import Attachment
from helpdesk.uploads import StoredFile

HOUR = 60 * 60
KILOBYTE = 1024
MOST_DRAFT_BYTES = 500 * 1024 * 1024

# Full forms in an hour: as many files, and as many bytes, as that many forms could carry.
FORMS_PER_ADDRESS = 5
FORMS_PER_NETWORK = 20
FORMS_FOR_ALL = 100

DISK_IS_FULL = "We cannot take files at the moment. Send your message without them."
TOO_MANY_FILES = "Many files were sent from your network in the last hour. Send your message without them, or later."
TOO_MANY_DRAFTS = "Your drafts hold too many files. Send or discard some of them first."


def refuse_files(sizes: Sequence[int], *, remote_address: str) -> None:
    """Raise NoRoom when files of these sizes (in bytes) cannot be taken; asked before a byte of them is written."""
    if sizes:
        _refuse_full_disk(sum(sizes))
        if would_pass(*_limits(sizes, remote_address)) is not None:
            raise NoRoom(TOO_MANY_FILES)


def spend(files: Sequence[StoredFile], *, remote_address: str) -> None:
    """Count files against the limits, in the transaction that keeps them. Raises NoRoom, and nothing was counted."""
    if files and count(*_limits([file.size for file in files], remote_address)) is not None:
        raise NoRoom(TOO_MANY_FILES)


def refuse_draft_files(agent: Agent, sizes: Sequence[int]) -> None:
    """Raise NoRoom when an agent's drafts cannot hold more files of these sizes (in bytes)."""
    if sizes:
        _refuse_full_disk(sum(sizes))
        held = select(func.sum(Attachment.size)).join(Draft).where(Draft.agent_id == agent.id)
        if (db.session.scalar(held) or 0) + sum(sizes) > MOST_DRAFT_BYTES:
            raise NoRoom(TOO_MANY_DRAFTS)


def _refuse_full_disk(size: int) -> None:
    """The database and the mail that comes in need what is left."""
    if shutil.disk_usage(settings().data_dir).free - size < settings().keep_free_bytes:
        raise NoRoom(DISK_IS_FULL)


def _limits(sizes: Sequence[int], remote_address: str) -> list[Limit]:
    """Sizes count in kilobytes, since the sum of an hour may be larger than a column holds."""
    kilobytes = sum(-(-size // KILOBYTE) for size in sizes)
    most_kilobytes = settings().max_files * settings().max_file_bytes // KILOBYTE
    scopes = (
        ("one address", host_of(remote_address), FORMS_PER_ADDRESS),
        ("one network", network_of(remote_address), FORMS_PER_NETWORK),
        ("all readers", "", FORMS_FOR_ALL),
    )
    limits = []
    for name, who, forms in scopes:
        limits.append(Limit(f"files from {name}", who, forms * settings().max_files, HOUR, len(sizes)))
        limits.append(Limit(f"kilobytes from {name}", who, forms * most_kilobytes, HOUR, kilobytes))
    return limits
