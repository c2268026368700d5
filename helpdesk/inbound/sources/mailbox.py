"""One IMAP mailbox over verified TLS: which mails there are, their bytes, and the wait for the next (RFC 3501)."""

import contextlib
import imaplib
import re
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path
from typing import Any, Self, cast

from imap_tools import BaseMailBox, ImapToolsError, MailBox, MailboxFolderSelectError, MailBoxUnencrypted
from imap_tools.utils import encode_folder

from helpdesk.config import LOOPBACK, Security
from helpdesk.inbound.sources import moving, signing_in
from helpdesk.inbound.sources.deadlines import within
from helpdesk.inbound.sources.refusals import MailRefused, said
from helpdesk.inbound.sources.signing_in import MailboxFailed, Token

__all__ = ["Address", "MailRefused", "MailboxFailed", "OpenMailbox", "connect"]

TIMEOUT_SECONDS = 30
REIDLE_SECONDS = 9 * 60
LISTEN_SECONDS = 1.0
ONE_MAIL_SECONDS = 4 * 60  # less than a lease: another worker must not begin with the same mail meanwhile
SIZES_AT_ONCE = 500
HEADER_BYTES = 256 * 1024
AS_READ = "as read"
DEFAULT_PORTS: dict[str, int] = {"tls": 993, "starttls": 143, "none": 143}
FAULTS = (OSError, imaplib.IMAP4.error, ImapToolsError)

_UID = re.compile(rb"\bUID (\d+)\b")
_SIZE = re.compile(rb"\bRFC822\.SIZE (\d+)\b")
_STORAGE = re.compile(rb"\bSTORAGE (\d+) (\d+)")


@dataclass(frozen=True)
class Address:
    """Where a mailbox is, how to get in, and where mail goes that was taken, "" for nowhere; `timeout` in seconds for
    each answer of the server. A `token` of OAuth takes the place of the password.
    """

    host: str
    port: int
    security: Security
    username: str
    password: str = field(repr=False)
    folder: str = "INBOX"
    ca_file: Path | None = None
    timeout: float = TIMEOUT_SECONDS
    processed_folder: str = ""
    token: Token | None = field(default=None, repr=False, compare=False)

    @classmethod
    def of(cls, settings: dict[str, Any], *, password: str, token: Token | None = None) -> Self:
        """The address in a Source's settings. Raises MailboxFailed when they cannot be meant."""
        security = settings.get("security", "tls")
        host = str(settings.get("host", ""))
        if not host or security not in DEFAULT_PORTS:
            raise MailboxFailed("The mailbox needs a host, and one of tls, starttls or none as its security.")
        if security == "none" and host not in LOOPBACK:
            raise MailboxFailed("Without TLS a mailbox is only read on this machine; use tls or starttls.")
        folder, processed = str(settings.get("folder") or "INBOX"), str(settings.get("processed_folder") or "")
        if processed == folder:
            raise MailboxFailed("Mail that was taken must go to another folder than the one that is read.")
        return cls(
            host=host,
            port=int(settings.get("port") or DEFAULT_PORTS[security]),
            security=security,
            username=str(settings.get("username", "")),
            password=password,
            folder=folder,
            processed_folder=processed,
            token=token,
            ca_file=Path(settings["ca_file"]) if settings.get("ca_file") else None,
            timeout=float(settings.get("timeout_seconds") or TIMEOUT_SECONDS),
        )

    @property
    def mailbox(self) -> str:
        """Which mailbox it is, however it is reached."""
        return f"{self.username}@{self.host.lower()}/{self.folder}"

    def sentence(self, error: BaseException) -> str:
        """What went wrong here, for staff, without the password."""
        said = str(error) or type(error).__name__
        said = said.replace(self.password, "…") if self.password else said
        return f"{self.host}:{self.port}: {said}"[:500]


class OpenMailbox:
    """A mailbox we are logged in to. Every call raises one of FAULTS when the connection is gone."""

    def __init__(self, box: BaseMailBox, folder: str) -> None:
        self._box = box
        self._client = box.client
        self._folder = folder
        self._exist = 0

    def look(self) -> tuple[int, list[int]]:
        """Look at the folder afresh: its UIDVALIDITY, and the UIDs of all its mails, oldest first.

        Raises MailboxFailed when there is no such folder, and an error of FAULTS when the server lists fewer mails
        than it says there are: a mailbox that is broken must not look like an empty one.
        """
        for _ in range(2):  # somebody may remove mails between the two answers, but hardly twice
            validity, uids = self.select(), self.uids()
            if len(uids) >= self._exist:
                return validity, uids
        raise imaplib.IMAP4.error(f"the server says there are {self._exist} mails, and lists only {len(uids)}")

    def select(self) -> int:
        """Open the folder; returns its UIDVALIDITY."""
        self._client.untagged_responses.pop("UIDVALIDITY", None)
        try:
            _, exist = self._box.folder.set(self._folder)
        except MailboxFolderSelectError as error:
            if self._box.folder.exists(self._folder):
                raise
            raise MailboxFailed(
                f"There is no folder “{self._folder}”; it was renamed, removed or never made."
            ) from error
        self._exist = int(exist[-1] or 0)
        validity: Any = self._client.untagged_responses.get("UIDVALIDITY")
        if not validity:
            raise imaplib.IMAP4.error("the server names no UIDVALIDITY")
        return int(validity[-1])

    def uids(self) -> list[int]:
        """The UIDs of all mails in the folder, whoever has read them, oldest first."""
        self._client.untagged_responses.pop("EXISTS", None)
        return sorted(int(uid) for uid in self._box.uids("ALL", charset=None))

    def unread(self) -> set[int]:
        """The UIDs of all mails that nobody has read."""
        return {int(uid) for uid in self._box.uids("UNSEEN", charset=None)}

    def has(self, uid: int) -> bool:
        """False when a mail is gone for certain."""
        answer, data = self._client.uid("SEARCH", f"UID {uid}")
        return answer != "OK" or str(uid).encode() in (data[-1] or b"").split()

    def sizes(self, uids: list[int]) -> dict[int, int]:
        """How many bytes these mails have, by UID; a mail that is gone has none."""
        return dict(
            size
            for start in range(0, len(uids), SIZES_AT_ONCE)
            for size in self._sizes(uids[start : start + SIZES_AT_ONCE])
        )

    def fetch(self, uid: int) -> bytes | None:
        """The bytes of one mail as the server keeps them, left unread; None when it is gone."""
        return self._section(uid, "BODY.PEEK[]")

    def fetch_headers(self, uid: int) -> bytes | None:
        """The first headers of one mail, at most 256 KB; None when it is gone."""
        return self._section(uid, f"BODY.PEEK[HEADER]<0.{HEADER_BYTES}>")

    def mark_seen(self, uid: int) -> None:
        """Show the mail as read. Raises MailRefused when the server does not let us."""
        # imap-tools' own flag() expunges as well, which would destroy what somebody else marked as deleted.
        answer, data = self._client.uid("STORE", str(uid), "+FLAGS.SILENT", r"(\Seen)")
        if answer != "OK":
            raise MailRefused(f"the server does not mark mail {uid} {AS_READ}: {said(data)}")

    def move(self, uid: int, folder: str, *, is_copied: bool, note_copied: Callable[[], None]) -> None:
        """Move the mail into another folder. Raises MailRefused when the server does not let us. See `moving.move`."""
        moving.move(self._box, uid, folder, is_copied=is_copied, note_copied=note_copied)

    def quota(self) -> tuple[int, int] | None:
        """Kilobytes that are used and that may be, where least is left (RFC 9208 §4.2); None without a limit."""
        if not any(name.split("=")[0] == "QUOTA" for name in self._client.capabilities):
            return None
        try:
            answer, data = self._client.getquotaroot(encode_folder(self._folder).decode())
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error:  # it said that it could
            return None
        lines = [line for part in data for line in part if isinstance(line, bytes)] if answer == "OK" else []
        found = [(int(limit[1]), int(limit[2])) for line in lines if (limit := _STORAGE.search(line))]
        return max(found, key=lambda quota: quota[0] / max(quota[1], 1), default=None)

    @property
    def can_idle(self) -> bool:
        """True when the server tells of new mail by itself (RFC 2177)."""
        return "IDLE" in self._client.capabilities

    def wait(self, stop: threading.Event, *, seconds: float) -> None:
        """Return when something may be new: IDLE where the server can, else after `seconds`; soon after `stop`."""
        if not self.can_idle:
            stop.wait(seconds)
            return
        until = time.monotonic() + min(seconds, REIDLE_SECONDS)
        with self._box.idle as idle:
            while not self._was_told() and not stop.is_set() and time.monotonic() < until:
                began = time.monotonic()
                # Silence that ends early is a closed connection, or part of an answer; DONE finds out which.
                if idle.poll(timeout=LISTEN_SECONDS) or time.monotonic() - began < LISTEN_SECONDS / 2:
                    return

    def _was_told(self) -> bool:
        """True when the server has told of new mail where no listening at the socket hears it.

        That is in its answers since the search, which it does not repeat, or behind its last line, in our buffer.
        """
        lines, connection = cast("BufferedReader", self._client.file), self._client.sock
        timeout = connection.gettimeout()
        connection.settimeout(0)
        try:
            with contextlib.suppress(BlockingIOError, ssl.SSLWantReadError):
                return "EXISTS" in self._client.untagged_responses or bool(lines.peek(1))
        finally:
            connection.settimeout(timeout)
        return False

    def _section(self, uid: int, section: str) -> bytes | None:
        with within(self._client.sock, ONE_MAIL_SECONDS):
            answer, data = self._client.uid("FETCH", str(uid), f"(UID {section})")
        if answer != "OK":
            raise MailRefused(f"the server does not give out mail {uid}: {said(data)}")
        return next((part[1] for part in data if isinstance(part, tuple) and _names(part[0], uid)), None)

    def _sizes(self, uids: list[int]) -> Iterator[tuple[int, int]]:
        _, data = self._client.uid("FETCH", ",".join(map(str, uids)), "(UID RFC822.SIZE)")
        for line in data:
            if isinstance(line, bytes) and (uid := _UID.search(line)) and (size := _SIZE.search(line)):
                yield int(uid[1]), int(size[1])


@contextlib.contextmanager
def connect(address: Address) -> Iterator[OpenMailbox]:
    """Log in to a mailbox; the certificate is checked before anything is said.

    Raises MailboxFailed for whatever goes wrong, then or later inside the block.
    """
    try:
        box = _connected(address)
        try:
            _log_in(box, address)
            yield OpenMailbox(box, address.folder)
        finally:
            _close(box)
    except (*FAULTS, UnicodeError) as error:
        raise MailboxFailed(address.sentence(error)) from error


class _StartTls(MailBoxUnencrypted):
    """STARTTLS that closes what it opened when the server will not have it, or is not who it should be."""

    def __init__(self, context: ssl.SSLContext, **where: Any) -> None:
        self._context = context
        super().__init__(**where)

    def _get_mailbox_client(self) -> imaplib.IMAP4:
        client = super()._get_mailbox_client()
        try:
            client.starttls(self._context)
        except BaseException:
            with contextlib.suppress(OSError):
                client.shutdown()
            raise
        return client


def _connected(address: Address) -> BaseMailBox:
    where: dict[str, Any] = {"host": address.host, "port": address.port, "timeout": address.timeout}
    if address.security == "none":
        return MailBoxUnencrypted(**where)
    context = ssl.create_default_context(cafile=address.ca_file)
    return MailBox(**where, ssl_context=context) if address.security == "tls" else _StartTls(context, **where)


def _log_in(box: BaseMailBox, address: Address) -> None:
    if address.token is None:
        signing_in.by_password(box, address.username, address.password)
    else:
        signing_in.by_token(box.client, address.username, address.token)
    _, capabilities = box.client.capability()  # what a server can may change with the login
    box.client.capabilities = tuple(capabilities[-1].decode("ascii", "replace").upper().split())


def _close(box: BaseMailBox) -> None:
    with contextlib.suppress(*FAULTS):
        box.client.logout()
    with contextlib.suppress(OSError):
        box.client.shutdown()


def _names(line: bytes, uid: int) -> bool:
    return re.search(rb"\bUID %d\b" % uid, line) is not None
