"""Files on disk and in a bucket keep the same promise; a store that is down loses nothing."""

import io
import os
import time
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pydantic import ValidationError

from helpdesk import clock, file_stores, files
from helpdesk.config import Settings
from helpdesk.database import db
from helpdesk.file_stores import Disk, Store, StoreDown, store_of
from helpdesk.inbound.models import InboundEmail, InboundState
from helpdesk.inbound.operations import process_received, receive, sweep_files
from helpdesk.inbound.sources.pipe import receive_from_pipe
from helpdesk.outbound.models import DeliveryState
from helpdesk.tickets.delivery import deliver_due
from helpdesk.tickets.messages import Attachment
from helpdesk.tickets.replying import reply
from helpdesk.uploads import NO_STORE, store
from tests.cast import Cast
from tests.conftest import make_settings
from tests.contact.posting import PNG, WORDS, a_file, send, summary, tickets, value_of
from tests.factories import make_ticket
from tests.letters import letter, states, use_server
from tests.servers.s3 import S3
from tests.servers.smtp import SmtpServer


@pytest.fixture(params=["disk", "bucket"])
def any_store(request: pytest.FixtureRequest, settings: Settings, s3: S3) -> Store:
    return store_of(settings if request.param == "disk" else in_bucket(settings, s3))


@pytest.fixture
def on_s3(app: Flask, settings: Settings, s3: S3, monkeypatch: pytest.MonkeyPatch) -> S3:
    """The desk keeps its files in a bucket."""
    monkeypatch.setattr(file_stores, "TRIES", 0)
    monkeypatch.setattr(file_stores, "GIVE_UP_AFTER", timedelta(seconds=5))
    app.extensions["files"] = store_of(in_bucket(settings, s3))
    return s3


def in_bucket(settings: Settings, s3: S3) -> Settings:
    given = {"files_url": s3.url("desk-1"), "files_access_key": "key", "files_secret_key": "secret"}
    return make_settings(settings.data_dir, **given)


@pytest.mark.engines("sqlite")
def test_what_was_put_can_be_read_and_deleted_again(any_store: Store) -> None:
    key = any_store.put(b"\0bytes\xff")
    assert any_store.get(key) == b"\0bytes\xff"
    any_store.delete(key)
    any_store.delete(key)
    with pytest.raises(FileNotFoundError):
        any_store.get(key)


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize("key", ["../secret", "..", "a/b", "", "x\0y"])
def test_class_35_a_made_up_key_leads_nowhere(any_store: Store, key: str) -> None:
    for ask in (any_store.get, any_store.delete):
        with pytest.raises(FileNotFoundError):
            ask(key)


@pytest.mark.engines("sqlite")
def test_old_files_are_listed_by_their_keys_however_many(any_store: Store) -> None:
    keys = {any_store.put(b"x") for _ in range(30)}
    assert set(any_store.keys_older_than(time.time() + 60)) == keys
    assert any_store.keys_older_than(time.time() - 60) == []


@pytest.mark.engines("sqlite")
def test_a_file_that_a_crash_left_unfinished_is_swept(app: Flask) -> None:
    disk: Disk = app.extensions["files"]
    (disk.folder / "ab").mkdir()
    unfinished = disk.folder / "ab" / f"{file_stores.TEMPORARY}x1"
    unfinished.write_bytes(b"half")
    sweep_files()
    assert unfinished.exists()
    long_ago = clock.now().timestamp() - 3 * 24 * 60 * 60
    os.utime(unfinished, (long_ago, long_ago))
    sweep_files()
    assert not unfinished.exists()


def test_the_whole_way_of_files_through_a_bucket(
    on_s3: S3, client: FlaskClient, cast: Cast, app: Flask, smtp: SmtpServer
) -> None:
    use_server(app, smtp)
    send(client, files=a_file())
    ticket = tickets()[0]
    reply(ticket, body="See the scan.", by=cast.ann, files=(store("scan.png", PNG),))
    deliver_due("one")
    sent = message_from_bytes(smtp.mails[0].raw, policy=policy.default)
    assert [part.get_content() for part in sent.iter_attachments()] == [PNG]
    receive(with_a_picture())
    process_received()
    kept = {file.name: files.get(file.storage_key) for file in db.session.query(Attachment)}
    assert kept == {"plaque.png": PNG, "scan.png": PNG, "photo.png": PNG}
    assert sorted(os.listdir(app.extensions["settings"].data_dir / "files")) == []


def test_a_form_keeps_its_words_while_the_store_is_down(on_s3: S3, client: FlaskClient, cast: Cast) -> None:
    on_s3.stop()
    page = send(client, files=a_file())
    assert (page.status_code, summary(page)) == (422, [("files", NO_STORE)])
    assert (value_of(page, "message"), tickets()) == (WORDS, [])
    assert send(client).status_code == 303
    on_s3.start()
    assert send(client, files=a_file()).status_code == 303
    assert [len(ticket.messages[0].attachments) for ticket in tickets()] == [0, 1]


def test_l31_piped_mail_stays_with_the_mail_server_while_the_store_is_down(on_s3: S3, cast: Cast) -> None:
    on_s3.stop()
    assert receive_from_pipe(io.BytesIO(letter())) == 75
    on_s3.start()
    assert receive_from_pipe(io.BytesIO(letter())) == 0
    assert db.session.query(InboundEmail).count() == 1


def test_l22_mail_that_was_kept_waits_uncounted_while_the_store_is_down(on_s3: S3, cast: Cast) -> None:
    email_id = receive(letter(subject="Patient")).id
    on_s3.stop()
    for _ in range(4):
        with pytest.raises(StoreDown):
            process_received()
    email = db.session.get_one(InboundEmail, email_id)
    assert (email.state, email.attempts) == (InboundState.RECEIVED, 0)
    on_s3.start()
    assert process_received() == 1
    assert [ticket.subject for ticket in tickets()] == ["Patient"]


def test_a_reply_with_a_file_waits_while_the_store_is_down(on_s3: S3, app: Flask, cast: Cast, smtp: SmtpServer) -> None:
    use_server(app, smtp)
    ticket = make_ticket(cast, wants_answer=False)
    reply(ticket, body="See the scan.", by=cast.ann, files=(store("scan.png", PNG),))
    on_s3.stop()
    deliver_due("one")
    assert states() == [
        ("This mail could not be put together yet: The store of files does not answer.", DeliveryState.QUEUED)
    ]
    on_s3.start()
    with clock.at(clock.now() + timedelta(minutes=2)):
        deliver_due("one")
    assert [state for _, state in states()] == [DeliveryState.SENT]


def test_a_download_says_so_while_the_store_is_down(on_s3: S3, client: FlaskClient, cast: Cast) -> None:
    link = send(client, files=a_file()).headers["Location"].removesuffix("/thanks")
    file = tickets()[0].messages[0].attachments[0]
    on_s3.stop()
    page = client.get(f"{link}/files/{file.id}/plaque.png")
    assert (page.status_code, "Try again in a minute" in page.text) == (503, True)
    on_s3.start()
    assert client.get(f"{link}/files/{file.id}/plaque.png").data == PNG


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize("url", ["https://s3.example.org", "s3://", "s3://desk?endpoint=http://s3.example.org", "desk"])
def test_an_impossible_store_is_refused_before_the_start(settings: Settings, url: str) -> None:
    with pytest.raises(ValidationError, match="files_url"):
        make_settings(settings.data_dir, files_url=url)


def with_a_picture() -> bytes:
    """A mail of Ruth's with one file."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "Ruth Reed <ruth@example.com>", "support@example.org", "A photo"
    mail["Message-ID"] = "<photo@example.com>"
    mail.set_content("Here it is.")
    mail.add_attachment(PNG, maintype="image", subtype="png", filename="photo.png")
    return mail.as_bytes()
