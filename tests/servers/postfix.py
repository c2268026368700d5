"""A real Postfix on a free loopback port, with a queue of its own; only root can run one."""

import os
import shutil
import smtplib
import subprocess
import tempfile
from pathlib import Path

from tests.servers.ports import free_port, wait_for_port

PROGRAM = "postfix"
DAEMONS = Path("/usr/lib/postfix/sbin")
INNER = (
    "pickup unix n - n 60 1 pickup", "cleanup unix n - n - 0 cleanup", "qmgr unix n - n 300 1 qmgr",
    "rewrite unix - - n - - trivial-rewrite",
    "bounce unix - - n - 0 bounce", "defer unix - - n - 0 bounce", "trace unix - - n - 0 bounce",
    "flush unix n - n 1000? 0 flush", "proxymap unix - - n - - proxymap", "showq unix n - n - - showq",
    "error unix - - n - - error", "retry unix - - n - - error", "lmtp unix - - n - - lmtp",
    "anvil unix - - n - 1 anvil", "postlog unix-dgram n - n - 1 postlogd",
)  # fmt: skip


class Postfix:
    """The mail server of example.org; `main` and `transport` are what its owner added to the two files."""

    def __init__(self, *, main: str, transport: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="postfix-"))
        self.folder.chmod(0o755)
        self.port = free_port()
        self._write(main, transport)
        self._run("check")
        command = [str(DAEMONS / "master"), "-c", str(self.folder), "-d"]
        self._process = subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True)
        try:
            wait_for_port(self.port)
        except TimeoutError:
            self.stop()
            raise

    def send(self, raw: bytes, *, sender: str, to: tuple[str, ...]) -> None:
        """Hand in a mail as another mail server does; from now on it is this one's business."""
        with smtplib.SMTP("127.0.0.1", self.port, timeout=60) as client:
            assert client.sendmail(sender, list(to), raw) == {}

    def waiting(self) -> int:
        """How many mails it still has."""
        queues = [self.folder / "queue" / name for name in ("maildrop", "incoming", "active", "deferred")]
        return sum(len([path for path in queue.rglob("*") if path.is_file()]) for queue in queues)

    def try_again(self) -> None:
        """Let it try what waits now, as though its pause of some minutes were over."""
        subprocess.run(["postqueue", "-c", str(self.folder), "-f"], check=True, capture_output=True)

    def log(self) -> str:
        """What it says of its deliveries."""
        return (self.folder / "log").read_text(errors="replace")

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(timeout=60)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _write(self, main: str, transport: str) -> None:
        (self.folder / "queue").mkdir()
        (self.folder / "state").mkdir()
        shutil.chown(self.folder / "state", "postfix")
        (self.folder / "transport").write_text(transport)
        (self.folder / "main.cf").write_text(
            "\n".join([*self._own(), main.replace("/etc/postfix", str(self.folder)), ""])
        )
        smtpd = f"127.0.0.1:{self.port} inet n - n - - smtpd"
        (self.folder / "master.cf").write_text("\n".join([smtpd, *INNER, ""]))
        subprocess.run(["postmap", "-c", str(self.folder), str(self.folder / "transport")], check=True)

    def _own(self) -> list[str]:
        """Where everything is, and that it takes mail for its domain and nothing else."""
        return [
            "compatibility_level = 3.6", f"queue_directory = {self.folder}/queue", f"data_directory = {self.folder}/state",
            f"maillog_file = {self.folder}/log", f"maillog_file_prefixes = {self.folder}", "myhostname = mail.example.org",
            "mydestination =", "relay_domains = example.org", "inet_interfaces = 127.0.0.1", "inet_protocols = ipv4",
            "mynetworks = 127.0.0.0/8", "alias_maps =",
        ]  # fmt: skip

    def _run(self, *command: str) -> None:
        subprocess.run(["postfix", "-c", str(self.folder), *command], check=True, capture_output=True)


def may_run() -> bool:
    """Its processes change to other accounts."""
    return os.geteuid() == 0
