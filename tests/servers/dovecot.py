"""A real Dovecot on free loopback ports, as root or as anybody, with a mailbox for each test that asks for one."""

import getpass
import grp
import imaplib
import os
import re
import shutil
import signal
import subprocess
import tempfile
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.servers.certificates import Certificate
from tests.servers.ports import free_port, wait_for_port

PROGRAM = "dovecot"
PASSWORD = "a-mailbox-password"


class Dovecot:
    """The server; `port` speaks plain and STARTTLS, `tls_port` TLS. With an introspection URL it takes access tokens."""

    def __init__(self, certificate: Certificate | None, *, introspection_url: str = "") -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="dovecot-"))
        self.folder.chmod(0o755)
        self.certificate = certificate
        self.introspection_url = introspection_url
        self.port, self.tls_port = free_port(), free_port()
        self._write()
        self.start()

    def start(self) -> None:
        """Begin to listen, again after `halt`."""
        command = [shutil.which(PROGRAM) or f"/usr/sbin/{PROGRAM}", "-F", "-c", str(self.folder / "conf")]
        self._process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        try:
            wait_for_port(self.port)
        except TimeoutError:
            self.stop()
            raise

    def halt(self) -> None:
        """Be gone for a while; the mailboxes stay."""
        self._process.terminate()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def stop(self) -> None:
        self.halt()
        shutil.rmtree(self.folder, ignore_errors=True)

    def add_mailbox(self) -> "Account":
        """A new, empty mailbox."""
        return Account(self, f"{uuid.uuid4().hex[:12]}@example.org")

    def log(self) -> str:
        """What the server wrote about its visitors."""
        log = self.folder / "log"
        return log.read_text() if log.exists() else ""

    def _write(self) -> None:
        for name in ("run", "state", "mail"):
            (self.folder / name).mkdir()
        user, group = _who()
        if os.getuid() == 0:
            shutil.chown(self.folder / "mail", user, group)
        (self.folder / "conf").write_text(_conf(self, user, group))
        (self.folder / "oauth2").write_text(_oauth2(self.introspection_url))


@dataclass
class Account:
    """One mailbox, as its owner sees it with another mail program."""

    server: Dovecot
    username: str
    password: str = PASSWORD

    @property
    def port(self) -> int:
        return self.server.port

    def settings(self, **overrides: Any) -> dict[str, Any]:
        """The settings of a Source that reads it in the clear on this machine."""
        values = {"host": "127.0.0.1", "port": self.port, "security": "none", "username": self.username}
        return values | {"timeout_seconds": 20} | overrides

    def deliver(self, raw: bytes, *, flags: str = "", folder: str = "INBOX") -> None:
        """Put a mail into the mailbox."""
        with self._client(folder) as client:
            answer, said = client.append(folder, flags, "", raw)
            assert answer == "OK", said

    def deliver_all(self, raws: Iterable[bytes]) -> None:
        """Put many mails into the mailbox, by one connection."""
        with self._client() as client:
            for raw in raws:
                client.append("INBOX", "", "", raw)

    def change_flags(self, number: int, change: str, flags: str) -> None:
        """Let a person change the flags of one mail: `change` is "+FLAGS" or "-FLAGS"."""
        with self._client() as client:
            client.select()
            client.store(str(number), change, flags)

    def subjects(self, folder: str) -> list[str]:
        """What is in a folder, oldest first."""
        with self._client() as client:
            if client.select(f'"{folder}"', readonly=True)[1] == [b"0"]:
                return []
            _, data = client.fetch("1:*", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
            return [part[1].decode().partition(":")[2].strip() for part in data if isinstance(part, tuple)]

    def flags(self, folder: str = "INBOX") -> list[set[str]]:
        """The flags of each mail, oldest first."""
        with self._client(folder) as client:
            if client.select(f'"{folder}"', readonly=True)[1] == [b"0"]:
                return []
            _, data = client.fetch("1:*", "(FLAGS)")
            found = [re.search(rb"FLAGS \(([^)]*)\)", line) for line in data if isinstance(line, bytes)]
            return [{flag for flag in match[1].decode().split() if flag != "\\Recent"} for match in found if match]

    def rename(self, old: str, new: str) -> None:
        with self._client() as client:
            answer, said = client.rename(old, new)
            assert answer == "OK", said

    def create(self, folder: str) -> None:
        with self._client() as client:
            answer, said = client.create(folder)
            assert answer == "OK", said

    def delete(self, number: int) -> None:
        """Remove one mail for good."""
        with self._client() as client:
            client.select()
            client.store(str(number), "+FLAGS", r"(\Deleted)")
            client.expunge()

    def _client(self, _folder: str = "INBOX") -> imaplib.IMAP4:
        client = imaplib.IMAP4("127.0.0.1", self.port, timeout=30)
        client.login(self.username, self.password)
        return client


def _who() -> tuple[str, str]:
    if os.getuid() == 0:
        return "nobody", "nogroup"
    return getpass.getuser(), grp.getgrgid(os.getgid()).gr_name


def _conf(server: Dovecot, user: str, group: str) -> str:
    folder, certificate = server.folder, server.certificate
    tokens = f"""\
auth_mechanisms = plain login xoauth2 oauthbearer
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {folder}/oauth2
}}
"""
    tls = f"ssl_cert = <{certificate.chain}\nssl_key = <{certificate.key}\n" if certificate else ""
    return f"""\
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
protocols = imap
listen = 127.0.0.1
default_login_user = {user}
default_internal_user = {user}
default_internal_group = {group}
ssl = {"yes" if certificate else "no"}
{tls}disable_plaintext_auth = no
mail_max_userip_connections = 50
mail_location = maildir:{folder}/mail/%u
{tokens if server.introspection_url else ""}passdb {{
  driver = static
  args = password={PASSWORD}
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={folder}/mail/%u
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {server.port}
  }}
  inet_listener imaps {{
    port = {server.tls_port}
  }}
}}
"""


def _oauth2(introspection_url: str) -> str:
    return f"""\
introspection_mode = post
introspection_url = {introspection_url}
force_introspection = yes
username_attribute = username
active_attribute = active
active_value = true
"""
