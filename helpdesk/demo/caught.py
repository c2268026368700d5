"""Caught mail: one file for each, raw as it came, newest first when listed."""

import re
import secrets
import time
from dataclasses import dataclass
from email import message_from_bytes
from email.headerregistry import AddressHeader
from email.message import EmailMessage
from email.policy import default
from email.utils import parseaddr
from pathlib import Path

from helpdesk.demo.letters import Earlier

MOST_SHOWN = 200
_NAME = re.compile(r"\d{20}-[0-9a-f]{8}")


@dataclass(frozen=True)
class CaughtMail:
    """A mail that the desk sent."""

    id: str
    raw: bytes
    mail: EmailMessage

    @property
    def subject(self) -> str:
        return str(self.mail["Subject"] or "(no subject)")

    @property
    def to(self) -> str:
        return str(self.mail["To"] or "")

    @property
    def date(self) -> str:
        return str(self.mail["Date"] or "")

    @property
    def text(self) -> str:
        part = self.mail.get_body(("plain",))
        return str(part.get_content()) if part is not None else ""

    @property
    def html(self) -> str:
        part = self.mail.get_body(("html",))
        return str(part.get_content()) if part is not None else ""

    @property
    def headers(self) -> str:
        return self.raw.replace(b"\r\n", b"\n").partition(b"\n\n")[0].decode(errors="replace")

    @property
    def answer_to(self) -> str:
        """Where an answer would go; empty for mail that wants none."""
        return parseaddr(str(self.mail["Reply-To"] or ""))[1]

    @property
    def reader(self) -> tuple[str, str]:
        """Name and address of who got it."""
        header = self.mail["To"]
        first = header.addresses[0] if isinstance(header, AddressHeader) and header.addresses else None
        return (first.display_name, first.addr_spec) if first else ("", "")

    @property
    def earlier(self) -> Earlier:
        """This mail as an answer quotes it."""
        return Earlier(
            message_id=str(self.mail["Message-ID"]).strip(),
            references=" ".join(str(self.mail["References"] or "").split()),
            written_by=str(self.mail["From"]), written_on=self.date, text=self.text,
        )  # fmt: skip


class CaughtMails:
    """The folder they lie in."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder = folder

    def put(self, raw: bytes) -> None:
        """Keep one mail."""
        name = f"{time.time_ns():020d}-{secrets.token_hex(4)}"
        temporary = self.folder / f"{name}.part"
        temporary.write_bytes(raw)
        temporary.rename(self.folder / f"{name}.eml")

    def newest(self) -> list[CaughtMail]:
        """The latest mails, newest first."""
        names = sorted((file.stem for file in self.folder.glob("*.eml")), reverse=True)
        return [self._read(name) for name in names[:MOST_SHOWN]]

    def find(self, mail_id: str) -> CaughtMail | None:
        """One mail, or None when there is no such."""
        known = _NAME.fullmatch(mail_id) and (self.folder / f"{mail_id}.eml").is_file()
        return self._read(mail_id) if known else None

    def _read(self, mail_id: str) -> CaughtMail:
        raw = (self.folder / f"{mail_id}.eml").read_bytes()
        return CaughtMail(mail_id, raw, message_from_bytes(raw, policy=default))
