"""DKIM: our own signature over what leaves, when the owner gave a key (RFC 6376)."""

from flask import Flask, current_app

from helpdesk.config import Settings
from helpdesk.dkim_key import read_private

SIGNED = (
    b"from", b"to", b"cc", b"subject", b"date", b"message-id", b"in-reply-to", b"references", b"reply-to",
    b"mime-version", b"content-type", b"auto-submitted",
)  # fmt: skip
# Signed once more than they occur, so that nobody adds a second one on the way (RFC 6376 §8.15).
NEVER_TWICE = (b"from", b"to", b"subject")
RELAXED = (b"relaxed", b"relaxed")
KEY = "dkim_key"


def init_app(app: Flask, settings: Settings) -> None:
    """Keep the key from the start on, so that no mail fails when its file is replaced."""
    app.extensions[KEY] = read_private(settings.dkim_key_file) if settings.dkim_key_file else None


def signed(raw: bytes) -> bytes:
    """The mail with our signature before it; as it is when there is no key. `raw` is whole, with CRLF at each line."""
    key: bytes | None = current_app.extensions[KEY]
    if key is None:
        return raw
    import dkim  # noqa: PLC0415 a start without a key need not wait for it

    settings: Settings = current_app.extensions["smtp_settings"]
    selector, domain = settings.dkim_selector.encode(), settings.dkim_domain.encode()
    names = [*_present(raw), *NEVER_TWICE]
    signature: bytes = dkim.sign(raw, selector, domain, key, canonicalize=RELAXED, include_headers=names)
    return signature + raw


def _present(raw: bytes) -> list[bytes]:
    head = raw.partition(b"\r\n\r\n")[0]
    given = {line.partition(b":")[0].lower() for line in head.split(b"\r\n") if line[:1] not in (b" ", b"\t")}
    return [name for name in SIGNED if name in given]
