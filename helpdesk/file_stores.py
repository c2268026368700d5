"""Where the bytes of files are: a folder on disk, or a bucket of an S3-compatible store."""

import os
import secrets
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store
from pydantic import SecretStr

from helpdesk.config import Settings

TRIES = 3
GIVE_UP_AFTER = timedelta(seconds=20)
TEMPORARY = "unfinished-"


class StoreDown(OSError):
    """The store does not answer, or refuses; nothing is wrong with the file."""


class Store(Protocol):
    """Bytes under random keys; a key never changes what it means."""

    def put(self, content: bytes) -> str: ...
    def get(self, key: str) -> bytes: ...
    def delete(self, key: str) -> None: ...
    def keys_older_than(self, moment: float) -> list[str]: ...


def store_of(settings: Settings) -> Store:
    """The store that the settings name: a bucket, or the folder beside the database."""
    return Bucket.at(settings) if settings.files_url else Disk(settings.data_dir / "files")


@dataclass(frozen=True)
class Disk:
    """A folder that the service alone can read; a file is durable when `put` returns."""

    folder: Path

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def put(self, content: bytes) -> str:
        """Temporary file, fsync, rename, fsync of the folder. Raises OSError when the disk refuses."""
        key = secrets.token_hex(16)
        path = self._path(key)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=TEMPORARY)
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
        _sync(self.folder)
        return key

    def get(self, key: str) -> bytes:
        return self._path(key).read_bytes()

    def delete(self, key: str) -> None:
        self._path(key).unlink(missing_ok=True)

    def keys_older_than(self, moment: float) -> list[str]:
        """Files that were never finished are removed on the way: no row can name them."""
        old = [path for path in self.folder.glob("??/*") if _changed_before(path, moment)]
        for path in old:
            if path.name.startswith(TEMPORARY):
                path.unlink(missing_ok=True)
        return [path.name for path in old if not path.name.startswith(TEMPORARY)]

    def _path(self, key: str) -> Path:
        if not key.isalnum():
            raise FileNotFoundError(key)
        return self.folder / key[:2] / key


@dataclass(frozen=True)
class Bucket:
    """A bucket, or a part of one; a file is durable when the store has said so."""

    bucket: S3Store

    @classmethod
    def at(cls, settings: Settings) -> "Bucket":
        """The bucket that the settings name for files."""
        return cls(open_bucket(settings.files_url, settings.files_access_key, settings.files_secret_key))

    def put(self, content: bytes) -> str:
        """Raises StoreDown when the store does not take it."""
        key = secrets.token_hex(16)
        self._ask(obstore.put, _place(key), content)
        return key

    def get(self, key: str) -> bytes:
        return bytes(self._ask(obstore.get, _place(key)).bytes())

    def delete(self, key: str) -> None:
        self._ask(obstore.delete, _place(key))

    def keys_older_than(self, moment: float) -> list[str]:
        found: list[str] = self._ask(lambda bucket: [key for key, changed in _listed(bucket) if changed < moment])
        return found

    def _ask(self, question: Any, *details: Any) -> Any:
        return ask(question, self.bucket, *details)


def open_bucket(address: str, access_key: SecretStr, secret_key: SecretStr) -> S3Store:
    """The bucket at an address such as s3://bucket/prefix?endpoint=https://s3.example.org&region=eu-1."""
    url = urlsplit(address)
    options = {name: values[-1] for name, values in parse_qs(url.query).items()}
    given = {
        "access_key_id": access_key.get_secret_value(),
        "secret_access_key": secret_key.get_secret_value(),
        **options,
    }
    is_plain = options.get("endpoint", "").startswith("http:")
    return S3Store(
        url.netloc,
        prefix=url.path.strip("/") or None,
        client_options={"allow_http": is_plain, "timeout": GIVE_UP_AFTER, "connect_timeout": GIVE_UP_AFTER / 4},
        retry_config={"max_retries": TRIES, "retry_timeout": GIVE_UP_AFTER},
        virtual_hosted_style_request=False,
        **{name: value for name, value in given.items() if value},  # type: ignore[arg-type]
    )


def ask(question: Any, bucket: S3Store, *details: Any) -> Any:
    """Do something with a bucket. Raises FileNotFoundError when there is no such file, else StoreDown."""
    try:
        return question(bucket, *details)
    except FileNotFoundError:
        raise
    except (BaseError, OSError) as error:
        raise StoreDown("The store of files does not answer.") from error


def _place(key: str) -> str:
    if not key.isalnum():
        raise FileNotFoundError(key)
    return f"{key[:2]}/{key}"


def _listed(bucket: S3Store) -> Iterator[tuple[str, float]]:
    for page in obstore.list(bucket):
        for found in page:
            yield found["path"].rpartition("/")[2], found["last_modified"].timestamp()


def _changed_before(path: Path, moment: float) -> bool:
    try:
        return path.stat().st_mtime < moment
    except FileNotFoundError:  # removed by somebody else meanwhile
        return False


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
