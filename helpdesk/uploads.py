"""Taking in a file: its name made safe, its type sniffed, its bytes durable under a random key."""

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import filetype

from helpdesk import files
from helpdesk.errors import Invalid, NoRoom
from helpdesk.file_names import safe_name

NO_STORE = "We cannot take files at the moment. Send your message without them."
OCTETS = "application/octet-stream"
_SNIFFED = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "gif": "image/gif",
    "webp": "image/webp",
    "heic": "image/heic",
    "pdf": "application/pdf",
    "zip": "application/zip",
    "mp3": "audio/mpeg",
    "mp4": "video/mp4",
}
_PROGRAMS = frozenset({"application/x-msdownload", "application/x-executable", "application/x-dosexec"})


@dataclass(frozen=True)
class StoredFile:
    """A file that is already durable; `size` in bytes."""

    name: str
    media_type: str
    size: int
    sha256: str
    storage_key: str
    content_id: str | None = None


def store(name: str, content: bytes, *, content_id: str | None = None) -> StoredFile:
    """Keep a file as it is, whatever it is. Outside any transaction. Raises OSError when the disk refuses."""
    media_type = sniff(content)
    return StoredFile(
        name=safe_name(name, media_type),
        media_type=media_type,
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        storage_key=files.put(content),
        content_id=content_id,
    )


def take(sent: Sequence[tuple[str, bytes]]) -> tuple[StoredFile, ...]:
    """Keep the files of a form, all or none. Raises NoRoom, with a sentence for people, when disk or store refuse."""
    stored: list[StoredFile] = []
    try:
        for name, content in sent:
            stored.append(store(name, content))
    except OSError as error:
        for file in stored:
            with suppress(OSError):
                files.delete(file.storage_key)
        raise NoRoom(NO_STORE) from error
    return tuple(stored)


def check(name: str, content: bytes, *, max_bytes: int) -> None:
    """Raise Invalid with a sentence when a file sent through a form cannot be taken."""
    shown = safe_name(name, sniff(content))
    if not content:
        raise Invalid(f"“{shown}” is empty. Choose another file.")
    if len(content) > max_bytes:
        raise Invalid(f"“{shown}” is larger than {max_bytes // 1024 // 1024} MB. Choose a smaller file.")
    if sniff(content) in _PROGRAMS:
        raise Invalid(f"“{shown}” is a program. Send a picture, a document or a text.")
    expected = _SNIFFED.get(shown.rpartition(".")[2].lower())
    if expected and sniff(content) != expected:
        raise Invalid(f"“{shown}” is not the kind of file its name says. Save it again, or choose another file.")


def sniff(content: bytes) -> str:
    """The media type that the bytes themselves show; text when they are text, else plain octets."""
    kind = filetype.guess(content[:8192])
    if kind is not None:
        return str(kind.mime)
    if b"\0" in content[:8192]:
        return OCTETS
    try:
        content[:8192].decode("utf-8", errors="strict" if len(content) <= 8192 else "ignore")
    except UnicodeDecodeError:
        return OCTETS
    return "text/plain"
