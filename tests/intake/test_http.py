"""Mail by signed requests: taken once, whoever sends it twice; refused in one sentence."""

import errno
import hashlib
import hmac
import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pydantic import SecretStr
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from helpdesk import clock, create_app, files
from helpdesk.config import Settings, load_settings
from helpdesk.database import db
from helpdesk.errors import Misconfigured
from helpdesk.inbound.models import InboundEmail
from helpdesk.inbound.operations import process_received
from helpdesk.intake import tries
from helpdesk.intake.models import SeenSignature
from helpdesk.jobs import sweep
from helpdesk.web import let_go_of_connections
from tests.cast import Cast
from tests.conftest import OwnContextClient, make_settings
from tests.intake.conftest import emails, no_table, subjects
from tests.letters import letter
from tests.live import free_port, serving

NEW, OLD = "n" * 40, "o" * 40
DOCS = Path(__file__).parents[2] / "docs" / "intake.md"
UNSIGNED = "Sign the request with X-Helpdesk-Timestamp and X-Helpdesk-Signature.\n"
OUT_OF_TIME = "The timestamp is more than 5 minutes from the time here.\n"
WRONG = "The signature fits none of the keys.\n"
GUESSED = (429, "Too many wrong signatures or passwords came from there; try again later.\n")
KEPT, BEFORE = (200, "The mail is kept.\n"), (200, "The mail was kept before.\n")


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    """The desk with two keys, and forms that take next to nothing."""
    keys = [SecretStr(NEW), SecretStr(OLD)]
    app = create_app(settings.model_copy(update={"intake_keys": keys, "max_files": 1, "max_file_bytes": 1000}))
    app.test_client_class = OwnContextClient
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.mark.parametrize("key", [NEW, OLD])
def test_a_signed_mail_is_kept_as_it_is_and_becomes_a_ticket(client: FlaskClient, cast: Cast, key: str) -> None:
    raw = letter(subject="By request") + b"\xff\x00\r\n.\r\n"
    answer = post(client, raw, key=key)
    assert said(answer) == KEPT
    assert (answer.mimetype, answer.headers.getlist("Set-Cookie")) == ("text/plain", [])
    assert [files.get(email.storage_key) for email in emails()] == [raw]
    process_received()
    assert subjects() == ["By request"]


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"timestamp": None}, UNSIGNED),
        ({"signature": None}, UNSIGNED),
        ({"timestamp": "now"}, UNSIGNED),
        ({"timestamp": "-5"}, UNSIGNED),
        ({"timestamp": "9" * 400}, UNSIGNED),
        ({"timestamp": "١٧٦٤٠٠٠٠٠٠"}, UNSIGNED),
        ({"signature": ""}, UNSIGNED),
        ({"signature": "0" * 64}, WRONG),
        ({"key": "x" * 40}, WRONG),
        ({"signed": b"another mail"}, WRONG),
        ({"age": 360}, OUT_OF_TIME),
        ({"age": -360}, OUT_OF_TIME),
    ],
)
def test_class_25_what_is_unsigned_wrong_or_old_is_refused_and_leaves_nothing(
    client: FlaskClient, app: Flask, changed: dict[str, object], sentence: str
) -> None:
    answer = post(client, letter(), **changed)
    assert said(answer) == (401, sentence)
    assert answer.headers["WWW-Authenticate"] == "Helpdesk-Signature"
    assert (count(InboundEmail), count(SeenSignature), app.extensions["files"].keys_older_than(2.0**40)) == (0, 0, [])


def test_class_25_without_keys_there_is_no_such_address(settings: Settings) -> None:
    app = create_app(settings)
    with app.app_context():
        assert post(app.test_client(), letter()).status_code == 404
        assert count(InboundEmail) == 0
        db.session.remove()
        db.engine.dispose()


def test_class_25_a_request_that_comes_again_files_nothing_again_here_or_in_another_process(
    client: FlaskClient, app: Flask, cast: Cast
) -> None:
    raw, at = letter(message_id=None), int(clock.now().timestamp())
    assert said(post(client, raw, at=at)) == KEPT
    assert said(post(client, raw, at=at)) == BEFORE
    restarted = create_app(app.extensions["settings"])
    assert said(post(restarted.test_client(), raw, at=at)) == BEFORE
    let_go_of_connections(restarted)
    assert (count(InboundEmail), len(app.extensions["files"].keys_older_than(2.0**40))) == (1, 1)


def test_class_25_capital_letters_make_no_other_signature(client: FlaskClient, app: Flask) -> None:
    raw, at = letter(), int(clock.now().timestamp())
    assert said(post(client, raw, at=at)) == KEPT
    assert said(post(client, raw, at=at, signature=sign(raw, at, NEW).upper())) == (401, UNSIGNED)
    assert count(InboundEmail) == 1


def test_class_25_a_request_of_six_minutes_ago_is_refused_when_its_signature_is_forgotten(
    client: FlaskClient, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw, now = letter(), clock.now()
    assert said(post(client, raw, at=int(now.timestamp()))) == KEPT
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(minutes=6))
    sweep()
    assert count(SeenSignature) == 1
    assert said(post(client, raw, at=int(now.timestamp()))) == (401, OUT_OF_TIME)
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(minutes=90))
    sweep()
    assert (count(SeenSignature), count(InboundEmail)) == (0, 1)


def test_class_25_the_same_request_at_the_same_moment_is_kept_once(app: Flask) -> None:
    raw, at, answers = letter(), int(clock.now().timestamp()), []
    start = threading.Barrier(4)

    def send() -> None:
        start.wait()
        answers.append(said(post(FlaskClient(app, app.response_class), raw, at=at)))
        with suppress(AttributeError):  # who was too late woke no worker, and has no connection to close
            app.extensions["huey"].storage.close()

    together(send, 4)
    assert (sorted(answers), count(InboundEmail)) == ([KEPT, BEFORE, BEFORE, BEFORE], 1)


def test_wrong_signatures_end_soon_and_lock_nobody_out_of_a_network_that_hands_mail_in(
    client: FlaskClient, app: Flask
) -> None:
    assert said(post(client, letter(), remote="198.51.100.7")) == KEPT
    answers = [said(post(client, letter(), key="x" * 40, remote="192.0.2.1")) for _ in range(tries.PER_ADDRESS + 2)]
    assert answers == [(401, WRONG)] * tries.PER_ADDRESS + [GUESSED] * 2
    refused = post(client, letter(), remote="192.0.2.1")
    assert (said(refused), refused.headers["Retry-After"]) == (GUESSED, "150")
    restarted = create_app(app.extensions["settings"])
    assert said(post(restarted.test_client(), letter(), remote="192.0.2.1")) == GUESSED
    let_go_of_connections(restarted)
    for _ in range(tries.PER_ADDRESS + 1):
        post(client, letter(), key="x" * 40, remote="198.51.100.9")
    assert said(post(client, letter(), remote="198.51.100.9")) == KEPT
    assert said(post(client, letter(), remote="203.0.113.1")) == KEPT
    assert count(InboundEmail) == 3


@pytest.mark.parametrize(("name", "remote"), [("PER_NETWORK", "192.0.2.{}"), ("FOR_ALL", "192.{}.2.1")])
def test_wrong_signatures_of_many_addresses_have_limits_too_until_their_time_is_over(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, name: str, remote: str
) -> None:
    monkeypatch.setattr(tries, name, 3)
    answers = [post(client, letter(), key="x" * 40, remote=remote.format(n)).status_code for n in range(5)]
    assert answers == [401] * 3 + [429] * 2
    later = clock.now() + timedelta(minutes=18)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert said(post(client, letter(), remote=remote.format(9))) == KEPT


def test_what_is_unsigned_or_old_or_refused_before_it_is_read_uses_up_no_limit(client: FlaskClient, app: Flask) -> None:
    for changed in ({"timestamp": None}, {"age": 360}, {"signature": "no"}):
        for _ in range(tries.PER_ADDRESS + 1):
            assert post(client, letter(), **changed).status_code == 401
    assert said(post(client, letter())) == KEPT


def test_the_same_mail_in_a_new_request_becomes_one_ticket(client: FlaskClient, app: Flask, cast: Cast) -> None:
    raw = letter(subject="Twice")
    assert [said(post(client, raw, age=age)) for age in (0, 60)] == [KEPT, KEPT]
    process_received()
    assert subjects() == ["Twice"]


def test_a_mail_may_be_larger_than_a_form(client: FlaskClient, app: Flask) -> None:
    raw = letter(body="x" * 78 + "\r\n", times=40_000)
    assert app.config["MAX_CONTENT_LENGTH"] < len(raw)
    assert said(post(client, raw)) == KEPT


def test_class_38_a_mail_over_the_limit_is_refused_before_it_is_read(client: FlaskClient, app: Flask) -> None:
    raw = bytes(50 * 1024 * 1024 + 1)
    assert said(post(client, raw)) == (413, "This mail is larger than 50 MB.\n")
    assert count(InboundEmail) == 0


def test_a_signed_nothing_is_no_mail(client: FlaskClient, app: Flask) -> None:
    assert said(post(client, b"\r\n")) == (422, "There was no mail in the request.\n")
    assert count(InboundEmail) == 0


@pytest.mark.parametrize("short", ["disk", "database"])
def test_l32_a_refusing_disk_or_database_asks_for_another_try_which_is_then_taken(
    client: FlaskClient, app: Flask, short: str
) -> None:
    raw, at = letter(), int(clock.now().timestamp())
    with full_disk(app) if short == "disk" else no_table():
        answer = post(client, raw, at=at)
    assert said(answer) == (503, "The mail could not be kept just now; send it again later.\n")
    assert answer.headers["Retry-After"] == "60"
    assert (count(InboundEmail), count(SeenSignature)) == (0, 0)
    assert said(post(client, raw, at=at)) == KEPT


def test_class_53_only_a_signature_replaces_the_token_of_a_form(client: FlaskClient, app: Flask) -> None:
    assert client.get("/intake/mime").status_code == 405
    assert client.post("/desk/sign-in", data={"email": "ann@example.org"}).status_code == 400
    assert said(client.post("/intake/mime", data=letter())) == (401, UNSIGNED)


@pytest.mark.parametrize("keys", ["short", f"{NEW},short"])
def test_short_keys_keep_the_desk_from_starting(keys: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HELPDESK_INTAKE_KEYS", keys)
    sentence = "HELPDESK_INTAKE_KEYS: give keys of 32 characters or more, newest first, or none"
    with pytest.raises(Misconfigured) as refused:
        load_settings(secret_keys="s" * 40, data_dir=tmp_path)
    assert refused.value.message == sentence


@pytest.mark.parametrize("port", [free_port()], ids=["a free port"])
def test_the_recipe_of_the_documents_works_as_it_stands(settings: Settings, tmp_path: Path, port: int) -> None:
    recipe = re.search(r"```sh\n(.*?)```", DOCS.read_text(), re.DOTALL)
    assert recipe is not None
    (tmp_path / "mail.eml").write_bytes(letter(subject="By curl") + b"\x00\xff")
    values = {"data_dir": settings.data_dir, "database_url": settings.database_url}
    app = create_app(make_settings(**values, intake_keys=f"{NEW},{OLD}", base_url=f"http://127.0.0.1:{port}"))
    with app.app_context(), serving(app, port) as url:
        environment = {"PATH": "/usr/bin:/bin", "KEY": OLD, "DESK": url}
        done = subprocess.run(
            ["sh", "-euc", recipe[1]], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "The mail is kept.\n", "")
        assert [files.get(email.storage_key) for email in emails()] == [(tmp_path / "mail.eml").read_bytes()]
        db.session.remove()


def post(
    client: FlaskClient,
    raw: bytes,
    *,
    key: str = NEW,
    at: int | None = None,
    age: int = 0,
    signed: bytes | None = None,
    remote: str = "127.0.0.1",
    **headers: str | None,
) -> TestResponse:
    """A request as a program makes it, unless something is changed."""
    moment = (int(clock.now().timestamp()) if at is None else at) - age
    said = {"timestamp": str(moment), "signature": sign(raw if signed is None else signed, moment, key), **headers}
    named = {f"X-Helpdesk-{name.title()}": value for name, value in said.items() if value is not None}
    named = {name: value.encode().decode("latin-1") for name, value in named.items()}
    who = {"REMOTE_ADDR": remote}
    return client.post("/intake/mime", data=raw, headers=named, content_type="message/rfc822", environ_base=who)


def sign(raw: bytes, at: int, key: str) -> str:
    return hmac.new(key.encode(), str(at).encode() + b"." + raw, hashlib.sha256).hexdigest()


def said(answer: TestResponse) -> tuple[int, str]:
    return answer.status_code, answer.text


@contextmanager
def full_disk(app: Flask) -> Iterator[None]:
    """No file can be kept."""
    working, app.extensions["files"] = app.extensions["files"], FullDisk()
    yield
    app.extensions["files"] = working


def together(work: object, times: int) -> None:
    threads = [threading.Thread(target=work) for _ in range(times)]  # type: ignore[arg-type]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def count(model: type) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(model)) or 0


class FullDisk:
    """A store with no room left."""

    def put(self, _content: bytes) -> str:
        raise OSError(errno.ENOSPC, "No space left on device")
