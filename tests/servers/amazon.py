"""Amazon's notification service (SNS) as a desk meets it: one host over TLS, with certificates and confirmations."""

import contextlib
import json
import socket
import ssl
import threading
import time
from base64 import b64encode
from datetime import UTC, datetime
from functools import partial
from http.client import HTTPSConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from helpdesk import clock
from helpdesk.intake.amazon import TIMEOUT_SECONDS, Amazon
from tests.servers.certificates import Certificate

TOPIC = "arn:aws:sns:eu-west-1:123456789012:mail"
HOST, HOST_IN_CHINA = "sns.eu-west-1.amazonaws.com", "sns.cn-north-1.amazonaws.com.cn"
NAMES = f"DNS:{HOST},DNS:{HOST_IN_CHINA}"
PATH = "/SimpleNotificationService-7506a1e35b36ef5a444dd1a8e7cc3ed8.pem"
EXPIRED_PATH = "/SimpleNotificationService-01d088a6f77103d0fe307c0069e40ed6.pem"


class Sns:
    """The service; it listens on a loopback port, notes what it is asked, and signs messages."""

    def __init__(self, tls: Certificate, signing: Certificate, expired: Certificate) -> None:
        self.asked: list[tuple[str, str]] = []
        self.answers: dict[str, tuple[int, bytes]] = {
            PATH: (200, signing.chain.read_bytes()), EXPIRED_PATH: (200, expired.chain.read_bytes()),
        }  # fmt: skip
        self.seconds_a_byte = 0.0
        self.confirmed = (200, b"<ConfirmSubscriptionResponse/>")
        self.authority = tls.chain
        self._keys = {PATH: signing.key, EXPIRED_PATH: expired.key}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, self))
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(tls.chain, tls.key)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.port: int = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Nobody answers any more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=10)

    def message(self, text: str, *, path: str = PATH, version: str = "1", **changed: object) -> bytes:
        """A request's body as SNS makes it; what is changed is signed, `later` is changed after that."""
        later = changed.pop("later", {})
        fields = {
            "Type": "Notification", "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324", "TopicArn": TOPIC,
            "Subject": "Amazon SES Email Receipt Notification", "Message": text, "Timestamp": moment(clock.now()),
            "SignatureVersion": version, "SigningCertURL": f"https://{HOST}{path}",
        } | changed  # fmt: skip
        fields = {name: value for name, value in fields.items() if value is not None}
        fields["Signature"] = b64encode(self._sign(fields, path, version)).decode()
        return json.dumps(fields | dict(later)).encode()  # type: ignore[call-overload]

    def _sign(self, fields: dict[str, object], path: str, version: str) -> bytes:
        kinds = {"Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")}
        rest = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
        names = [name for name in kinds.get(str(fields["Type"]), rest) if name in fields]
        text = "".join(f"{name}\n{fields[name]}\n" for name in names).encode(errors="surrogatepass")
        key = load_pem_private_key(self._keys[path].read_bytes(), None)
        assert isinstance(key, RSAPrivateKey)
        return key.sign(text, PKCS1v15(), SHA256() if version == "2" else SHA1())


def amazon_at(port: int, authority: Path | None) -> Amazon:
    """What the desk asks Amazon with, but every host is at a port of this machine; names are checked as ever."""
    return Amazon(partial(_Diverted, port=port, authority=authority))


class _Diverted(HTTPSConnection):
    def __init__(self, host: str, *, port: int, authority: Path | None) -> None:
        super().__init__(host, timeout=TIMEOUT_SECONDS, context=ssl.create_default_context(cafile=authority))
        self._create_connection = lambda _, *more: socket.create_connection(("127.0.0.1", port), *more)


class _Handler(BaseHTTPRequestHandler):
    def __init__(self, sns: Sns, *details: object) -> None:
        self.sns = sns
        super().__init__(*details)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        self.sns.asked.append((self.headers["Host"], self.path))
        known = self.sns.answers | ({self.path: self.sns.confirmed} if "ConfirmSubscription" in self.path else {})
        status, content = known.get(self.path, (404, b"no such thing"))
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        if 300 <= status < 400:
            self.send_header("Location", f"https://{HOST}{PATH}")
        self.end_headers()
        with contextlib.suppress(OSError):  # nobody waits any more
            for piece in [content[i : i + 1] for i in range(len(content))] if self.sns.seconds_a_byte else [content]:
                self.wfile.write(piece)
                time.sleep(self.sns.seconds_a_byte)

    def log_message(self, *_: object) -> None:
        """Requests of tests need no log."""


def moment(at: datetime) -> str:
    """A time as SNS writes it."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
