"""Files from outside: safe names, sniffed types, durable bytes."""

import stat
from pathlib import Path

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from helpdesk import files
from helpdesk.errors import Invalid
from helpdesk.file_names import NAME_LENGTH, safe_name
from helpdesk.uploads import check, sniff, store

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 64
MB = 1024 * 1024


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("/absolute.txt", "absolute.txt"),
        (".htaccess", "htaccess"),
        ("\u200b.htaccess", "htaccess"),
        ("report\u202efdp.exe", "reportfdp.exe"),
        ("nul\0byte.txt", "nulbyte.txt"),
        ("line\r\nbreak.txt", "linebreak.txt"),
        ("..", "attachment.txt"),
        ("", "attachment.txt"),
    ],
)
def test_class_35_and_36_a_name_is_only_a_name(name: str, kept: str) -> None:
    assert safe_name(name, "text/plain") == kept


@given(st.text())
def test_any_name_becomes_a_safe_one_and_stays_it(name: str) -> None:
    safe = safe_name(name, "text/plain")
    assert 0 < len(safe) <= NAME_LENGTH
    assert not safe.startswith(".")
    assert set(safe) & set("/\\\0\r\n") == set()
    assert safe_name(safe, "text/plain") == safe


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("empty.txt", b"", "“empty.txt” is empty. Choose another file."),
        ("big.txt", b"x" * (MB + 1), "“big.txt” is larger than 1 MB. Choose a smaller file."),
        ("photo.png", b"MZ\x90\0" + b"\0" * 64, "“photo.png” is a program. Send a picture, a document or a text."),
        (
            "photo.png",
            b"<html>",
            "“photo.png” is not the kind of file its name says. Save it again, or choose another file.",
        ),
        ("../x/empty.txt", b"", "“empty.txt” is empty. Choose another file."),
    ],
)
def test_a_file_that_cannot_be_taken_is_told_by_name(name: str, content: bytes, sentence: str) -> None:
    with pytest.raises(Invalid) as error:
        check(name, content, max_bytes=MB)
    assert error.value.message == sentence


def test_good_files_are_taken() -> None:
    check("photo.PNG", PNG, max_bytes=MB)
    check("notes.txt", b"hello", max_bytes=MB)
    check("no-extension", b"hello", max_bytes=MB)


def test_class_6_the_type_is_what_the_bytes_show() -> None:
    kinds = [
        sniff(content) for content in (PNG, b"%PDF-1.7\n", b"<script>", b"\0\1\2", "ü".encode() * 9000, b"\xff\xfe\xfa")
    ]
    assert kinds == [
        "image/png",
        "application/pdf",
        "text/plain",
        "application/octet-stream",
        "text/plain",
        "application/octet-stream",
    ]


def test_bytes_are_kept_under_a_random_key_for_the_service_alone(app: Flask) -> None:
    stored = store("../../photo.png", PNG)
    assert (stored.name, stored.media_type, stored.size, files.get(stored.storage_key)) == (
        "photo.png",
        "image/png",
        len(PNG),
        PNG,
    )
    folder: Path = app.extensions["files"].folder
    path = folder / stored.storage_key[:2] / stored.storage_key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("key", ["../secret", "..", "a/b", "", "x\0y"])
def test_a_made_up_key_leads_nowhere(app: Flask, key: str) -> None:
    with pytest.raises((FileNotFoundError, IsADirectoryError)):
        files.get(key)


def test_l23_a_full_disk_leaves_no_half_file(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        files.put(b"content")
    folder: Path = app.extensions["files"].folder
    assert [path for path in folder.rglob("*") if path.is_file()] == []
