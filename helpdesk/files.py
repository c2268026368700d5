"""Files on disk under random names: durable before the row that names them commits."""

import os
import secrets
import tempfile
from pathlib import Path

from flask import Flask, current_app


def init_app(app: Flask, folder: Path) -> None:
    """Keep files below `folder`, readable by the service alone."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    app.extensions["files"] = folder


def put(content: bytes) -> str:
    """Store bytes durably (temporary file, fsync, rename, fsync of the folder); returns the storage key.

    Raises OSError when the disk refuses; nothing half-written is ever found under the key.
    """
    key = secrets.token_hex(16)
    path = _path(key)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        raise
    _sync(path.parent)
    _sync(path.parent.parent)
    return key


def get(key: str) -> bytes:
    """The bytes under a storage key. Raises FileNotFoundError when they are gone."""
    return _path(key).read_bytes()


def delete(key: str) -> None:
    """Remove the bytes under a key, if they are there."""
    _path(key).unlink(missing_ok=True)


def keys_older_than(moment: float) -> list[str]:
    """The keys of files last changed before `moment` (seconds since the epoch), for the sweep of orphans."""
    folder: Path = current_app.extensions["files"]
    return [path.name for path in folder.glob("??/*") if path.stat().st_mtime < moment]


def _path(key: str) -> Path:
    folder: Path = current_app.extensions["files"]
    if not key.isalnum():
        raise FileNotFoundError(key)
    return folder / key[:2] / key


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
