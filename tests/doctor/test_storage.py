"""The doctor about folders, disk, files, keys and what may be fetched."""

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from tests.doctor.conftest import Desk, Front
from tests.servers.ports import free_port
from tests.servers.s3 import S3

Found = Callable[..., list[tuple[str, str, str]]]
FRESH = "; make a new one with: python -c 'import secrets; print(secrets.token_urlsafe(48))'"
SQLITE = pytest.mark.engines("sqlite")


@SQLITE
def test_a_settings_file_that_others_can_read(found: Found, desk: Desk) -> None:
    desk.settings_file.chmod(0o640)
    file = desk.settings_file
    sentence = f"Others can read {file}, which holds keys and passwords; run: chmod 600 {file}"
    assert found() == [("failure", "settings", sentence)]


@pytest.mark.engines("postgresql")
def test_a_data_folder_that_is_none(found: Found, tmp_path: Path) -> None:
    missing = tmp_path / "nowhere"
    sentence = f"{missing} takes no files from us: No such file or directory; make it a folder that our account can "
    assert found(data_dir=missing, silent=("disk", "files")) == [("failure", "folders", sentence + "write to.")]


@SQLITE
def test_a_disk_that_is_almost_full(found: Found, desk: Desk) -> None:
    (level, area, sentence), *rest = found(keep_free_bytes=10**18)
    assert (level, area, rest) == ("failure", "disk", [])
    assert sentence.startswith(f"The disk of {desk.settings.data_dir} has ")
    assert sentence.endswith(
        " MB free, less than the 1000000000000 MB of HELPDESK_KEEP_FREE_BYTES, so forms take no files: make room."
    )


@SQLITE
def test_a_folder_of_files_that_is_a_file(found: Found, desk: Desk) -> None:
    folder = desk.settings.data_dir / "files"
    folder.rename(folder.with_name("aside"))
    folder.touch()
    (level, area, sentence), *rest = found()
    assert (level, area, rest) == ("failure", "files", [])
    assert sentence.startswith(f"Files cannot be kept in {folder}: ")
    assert sentence.endswith("; check that it exists and is ours.")


@SQLITE
def test_files_are_tried_and_nothing_stays(found: Found, desk: Desk) -> None:
    assert (found(), [path for path in (desk.settings.data_dir / "files").rglob("*") if path.is_file()]) == ([], [])


@SQLITE
def test_a_bucket_that_is_not_there(desk: Desk, s3: S3) -> None:
    keys = {"files_access_key": SecretStr("us"), "files_secret_key": SecretStr("a word")}
    healthy = desk.findings(files_url=s3.url("files"), **keys)
    broken = desk.findings(files_url=s3.url("files").replace("s3://desk/", "s3://nowhere/"), **keys)
    assert [finding.sentence for finding in healthy if finding.area == "files"] == [
        "Files can be kept in the bucket of HELPDESK_FILES_URL, read and removed."
    ]
    assert [(finding.level, finding.sentence) for finding in broken if finding not in healthy] == [
        (
            "failure",
            "Files cannot be kept in the bucket of HELPDESK_FILES_URL: it is not there; check that "
            "it exists and is ours.",
        )
    ]


def forgetful(environ: dict[str, Any], start: Any) -> list[bytes]:
    """A store that takes everything and gives back something else."""
    environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    body = {"GET": b"something else", "POST": b"<DeleteResult><Deleted><Key>it</Key></Deleted></DeleteResult>"}.get(
        environ["REQUEST_METHOD"], b""
    )
    date = ("Last-Modified", "Mon, 23 Nov 2026 09:00:00 GMT")
    start("200 OK", [("ETag", '"1"'), date, ("Content-Length", str(len(body)))])
    return [body]


@SQLITE
def test_a_bucket_that_gives_back_something_else(found: Found, serve: Callable[..., object]) -> None:
    port = free_port()
    serve(Front(forgetful), port)
    url = f"s3://desk/files?endpoint=http://127.0.0.1:{port}&region=us-east-1"
    keys = {"files_access_key": SecretStr("us"), "files_secret_key": SecretStr("a word")}
    sentence = "What is kept in the bucket of HELPDESK_FILES_URL comes back changed; check that store."
    assert found(files_url=url, **keys) == [("failure", "files", sentence)]


@SQLITE
def test_a_key_that_is_there_twice(found: Found, desk: Desk) -> None:
    assert found(secret_keys=desk.settings.secret_keys * 2) == [
        ("warning", "keys", "HELPDESK_SECRET_KEYS holds a key twice; remove one of them.")
    ]


@SQLITE
@pytest.mark.parametrize(
    ("key", "what"),
    [
        ("please-CHANGE-me-before-going-live-0123", "looks like a placeholder"),
        ("abababababababababababababababababab", "has fewer than 10 different characters"),
    ],
)
def test_an_older_key_that_can_be_guessed(key: str, what: str, found: Found, desk: Desk) -> None:
    assert found(secret_keys=[*desk.settings.secret_keys, SecretStr(key)]) == [
        ("failure", "keys", f"Key 2 of HELPDESK_SECRET_KEYS {what}{FRESH}")
    ]


@SQLITE
def test_a_key_of_the_programs_that_can_be_guessed(found: Found) -> None:
    assert found(intake_keys=[SecretStr("abababababababababababababababababab")]) == [
        ("failure", "keys", f"Key 1 of HELPDESK_INTAKE_KEYS has fewer than 10 different characters{FRESH}")
    ]


@SQLITE
def test_secrets_of_mail_providers_that_can_be_guessed(found: Found) -> None:
    path, few = "9f0c4ab27de8135619f0c4ab27", "has fewer than 10 different characters"
    assert found(
        mailgun_keys=[SecretStr("ab" * 16)],
        postmark_secret=SecretStr(f"{path}:example:{'ab' * 12}"),
        sendgrid_secret=SecretStr(f"{path}:us:{path}"),
    ) == [
        ("failure", "keys", f"Key 1 of HELPDESK_MAILGUN_KEYS {few}{FRESH}"),
        ("failure", "keys", f"Key 2 of HELPDESK_POSTMARK_SECRET {few}{FRESH}"),
        ("warning", "keys", "HELPDESK_SENDGRID_SECRET holds a key twice; remove one of them."),
    ]


@SQLITE
def test_a_key_that_is_good_for_two_things(found: Found, desk: Desk) -> None:
    sentence = "A key is in both HELPDESK_SECRET_KEYS and HELPDESK_INTAKE_KEYS, so who may hand in mail can forge "
    assert found(intake_keys=[SecretStr(secrets.token_urlsafe(48)), *desk.settings.secret_keys]) == [
        ("failure", "keys", sentence + "sessions; give each its own.")
    ]


@SQLITE
def test_each_exception_from_what_is_not_fetched(found: Found) -> None:
    assert found(fetch_allow=["blog.example.org", "10.1.0.0/16", "0.0.0.0/0", "::/0"]) == [
        ("warning", "fetching", "HELPDESK_FETCH_ALLOW lets the desk fetch from blog.example.org; remove it if that is not needed."),
        ("warning", "fetching", "HELPDESK_FETCH_ALLOW lets the desk fetch from 10.1.0.0/16; remove it if that is not needed."),
        ("failure", "fetching", "HELPDESK_FETCH_ALLOW opens 0.0.0.0/0, which is nearly everything; name the few hosts instead."),
        ("failure", "fetching", "HELPDESK_FETCH_ALLOW opens ::/0, which is nearly everything; name the few hosts instead."),
    ]  # fmt: skip
