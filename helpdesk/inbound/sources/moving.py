"""Taking one mail out of the folder that is read, into another: never more than that one, never before it is there."""

import contextlib
import imaplib
from collections.abc import Callable
from functools import partial

from imap_tools import BaseMailBox, ImapToolsError
from imap_tools.utils import encode_folder

from helpdesk.inbound.sources.refusals import MailRefused, said

CANNOT_MOVE = "the server can neither move a mail nor remove a single one, so mails stay where they are"


def move(box: BaseMailBox, uid: int, folder: str, *, is_copied: bool, note_copied: Callable[[], None]) -> None:
    """Move a mail into `folder`, which is made if it is missing (RFC 6851; else COPY and UID EXPUNGE of RFC 4315).

    Where it takes a copy, `note_copied` is called once there is one, and `is_copied` says that there was one already:
    what failed half-way is not copied again. Raises MailRefused when the server does not let us.
    """
    if "MOVE" in box.client.capabilities:
        _into(box, "MOVE", uid, folder)
    elif "UIDPLUS" in box.client.capabilities:
        if not is_copied:
            _into(box, "COPY", uid, folder)
            note_copied()
        _ask(box.client, f"take mail {uid} away", "STORE", str(uid), "+FLAGS.SILENT", r"(\Deleted)")
        # A plain EXPUNGE would destroy what somebody else marked as deleted as well.
        _ask(box.client, f"take mail {uid} away", "EXPUNGE", str(uid))
    else:
        raise MailRefused(CANNOT_MOVE)


def _into(box: BaseMailBox, command: str, uid: int, folder: str) -> None:
    ask = partial(_ask, box.client, f"move mail {uid} to “{folder}”", command, str(uid), encode_folder(folder).decode())
    try:
        ask()
    except MailRefused:
        if not _make(box, folder):
            raise
        ask()


def _make(box: BaseMailBox, folder: str) -> bool:
    """True when the folder was missing and is there now, for people's mail programs too."""
    try:
        if box.folder.exists(folder):
            return False
        box.folder.create(folder)
    except ImapToolsError as error:
        raise MailRefused(f"the server does not make the folder “{folder}”: {error}"[:300]) from error
    with contextlib.suppress(ImapToolsError, imaplib.IMAP4.error):
        box.folder.subscribe(folder, True)
    return True


def _ask(client: imaplib.IMAP4, what: str, *command: str) -> None:
    answer, data = client.uid(*command)
    if answer != "OK":
        raise MailRefused(f"the server does not {what}: {said(data)}")
