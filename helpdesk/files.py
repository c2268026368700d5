"""Files under random names, on disk or in a bucket: durable before the row that names them commits."""

from flask import Flask, current_app

from helpdesk.config import Settings
from helpdesk.file_stores import Store, StoreDown, store_of


def init_app(app: Flask, settings: Settings) -> None:
    """Keep files where the settings say."""
    app.extensions["files"] = store_of(settings)


def put(content: bytes) -> str:
    """Store bytes durably; returns the storage key.

    Raises OSError when disk or store refuse; nothing half-written is ever found under the key.
    """
    return _store().put(content)


def get(key: str) -> bytes:
    """The bytes under a storage key. Raises FileNotFoundError when they are gone, StoreDown when nobody answers."""
    return _store().get(key)


def delete(key: str) -> None:
    """Remove the bytes under a key, if they are there."""
    _store().delete(key)


def keys_older_than(moment: float) -> list[str]:
    """The keys of files last changed before `moment` (seconds since the epoch), for the sweep of orphans."""
    return _store().keys_older_than(moment)


def _store() -> Store:
    store: Store = current_app.extensions["files"]
    return store


__all__ = ["StoreDown", "delete", "get", "init_app", "keys_older_than", "put"]
