"""Mail from Mailgun's routes: raw, signed over time and token, each signature good for one mail."""

import hashlib
import hmac
import logging
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import quote_from_bytes

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from helpdesk import clock, create_app, logs
from helpdesk.config import Settings, load_settings
from helpdesk.errors import Misconfigured
from helpdesk.inbound.models import InboundEmail
from helpdesk.intake.models import SeenSignature
from helpdesk.jobs import sweep
from helpdesk.tickets.links import reply_address
from helpdesk.web import let_go_of_connections
from tests.cast import Cast
from tests.desk.test_shortages import impatient, locked  # noqa: F401 a fixture
from tests.factories import make_ticket
from tests.intake.keeping import (
    BEFORE,
    KEPT,
    LARGE,
    NO_MAIL,
    NOT_NOW,
    PARTS,
    TOO_LARGE,
    count,
    desk_with,
    emails,
    in_parts,
    kept,
    said,
    tickets,
)
from tests.letters import letter

NEW, OLD = "0123456789abcdef" * 2, "fedcba9876543210" * 2
DOOR = "/intake/mailgun/mime"
TOKEN = "5a" * 25
UNSIGNED = (401, "Mailgun's fields timestamp, token and signature are missing or malformed.\n")
WRONG = (401, "The signature fits none of the keys.\n")
OUT_OF_TIME = (401, "The timestamp is more than 9 hours old, or of a time to come.\n")
MISSING = (422, "The field body-mime is missing; let the route's address end in /intake/mailgun/mime.\n")
CUT_OFF = (422, "The request is no form, or it is cut off.\n")
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    """The desk with two keys of Mailgun's."""
    with desk_with(settings, mailgun_keys=f"{NEW},{OLD}") as app:
        yield app


@pytest.mark.parametrize("key", [NEW, OLD])
@pytest.mark.parametrize("is_coded", [True, False], ids=["urlencoded", "multipart"])
def test_a_signed_mail_is_kept_byte_by_byte_with_its_envelope_and_becomes_a_ticket(
    client: FlaskClient, cast: Cast, key: str, is_coded: bool
) -> None:
    raw = letter(subject="By Mailgun", to="someone@example.com") + b"\xff\x00&=+%41\r\n.\r\n"
    fields = {"recipient": "legal@example.org", "sender": "ruth@example.com"}
    answer = post(client, raw, key=key, is_coded=is_coded, **fields)
    assert (said(answer), answer.headers.getlist("Set-Cookie")) == (KEPT, [])
    assert kept() == [raw]
    assert tickets() == [("By Mailgun", 1)]
    assert [(email.envelope_from, email.envelope_to, email.queue.name) for email in emails()] == [
        ("ruth@example.com", ["legal@example.org"], "Legal")
    ]


@pytest.mark.parametrize("said_sender", ["", "<>"])
def test_a_null_sender_stays_one_and_odd_characters_are_left_out(
    client: FlaskClient, cast: Cast, said_sender: str
) -> None:
    fields = {"sender": said_sender, "recipient": "<sup\x00port@example.org>, \ud800, legal@example.org"}
    assert said(post(client, letter(), is_coded=True, **fields)) == KEPT
    assert [(email.envelope_from, email.envelope_to[0], email.envelope_to[-1]) for email in emails()] == [
        ("", "support@example.org", "legal@example.org")
    ]


@pytest.mark.parametrize("is_coded", [True, False], ids=["urlencoded", "multipart"])
@pytest.mark.parametrize(
    ("changed", "answer"),
    [
        ({"timestamp": None}, UNSIGNED),
        ({"token": None}, UNSIGNED),
        ({"token": ""}, UNSIGNED),
        ({"signature": None}, UNSIGNED),
        ({"timestamp": "now"}, UNSIGNED),
        ({"signature": "A" * 64}, UNSIGNED),
        ({"signature": "0" * 64}, WRONG),
        ({"key": "x" * 32}, WRONG),
        ({"token": "another token"}, WRONG),
        ({"age": 9 * 3600 + 60}, OUT_OF_TIME),
        ({"age": -360}, OUT_OF_TIME),
        ({"body-mime": None}, MISSING),
        ({"body-mime": b"\r\n"}, NO_MAIL),
    ],
)
def test_class_25_what_is_unsigned_wrong_old_or_empty_is_refused_and_leaves_nothing(
    client: FlaskClient, app: Flask, changed: dict[str, object], answer: tuple[int, str], is_coded: bool
) -> None:
    told = post(client, letter(), is_coded=is_coded, **changed)
    assert said(told) == answer
    assert told.headers.get("WWW-Authenticate") == ("Mailgun-Signature" if answer[0] == 401 else None)
    assert (count(InboundEmail), count(SeenSignature), app.extensions["files"].keys_older_than(2.0**40)) == (0, 0, [])


def test_class_25_without_keys_there_is_no_such_address(settings: Settings) -> None:
    with desk_with(settings) as app:
        assert (post(app.test_client(), letter()).status_code, count(InboundEmail)) == (404, 0)


def test_l32_requests_that_come_three_times_out_of_order_are_kept_once_here_or_in_another_process(
    client: FlaskClient, app: Flask, cast: Cast
) -> None:
    first, second = letter(subject="First", message_id=None), letter(subject="Second", message_id=None)
    restarted, at = create_app(app.extensions["settings"]), int(clock.now().timestamp())
    told = [
        said(post(browser, raw, token=token, at=at))
        for browser in (client, restarted.test_client(), client)
        for raw, token in ((second, "2" * 50), (first, "1" * 50))
    ]
    let_go_of_connections(restarted)
    assert (told, kept()) == ([KEPT, KEPT, BEFORE, BEFORE, BEFORE, BEFORE], [second, first])
    assert tickets() == [("Second", 1), ("First", 1)]


def test_class_25_a_signature_that_was_used_carries_no_other_mail(client: FlaskClient, app: Flask) -> None:
    at = int(clock.now().timestamp())
    assert said(post(client, letter(), at=at)) == KEPT
    assert said(post(client, letter(subject="Forged"), at=at)) == BEFORE
    moved = {"timestamp": f"{at}{TOKEN[0]}", "token": TOKEN[1:]}  # the same text is signed
    assert said(post(client, letter(subject="Forged"), at=at, **moved)) == OUT_OF_TIME
    assert count(InboundEmail) == 1


def test_class_25_a_signature_is_remembered_as_long_as_it_is_believed(
    client: FlaskClient, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw, now = letter(), clock.now()
    told = []
    for hours in (0, 8.9, 9.1, 10.5):
        monkeypatch.setattr(clock, "now", lambda hours=hours: now + timedelta(hours=hours))
        sweep()
        told.append(said(post(client, raw, at=int(now.timestamp()))))
    assert told == [KEPT, BEFORE, OUT_OF_TIME, OUT_OF_TIME]
    assert (count(SeenSignature), count(InboundEmail)) == (0, 1)


def test_the_same_mail_signed_anew_is_one_ticket(client: FlaskClient, cast: Cast) -> None:
    raw = letter(subject="Twice")
    assert [said(post(client, raw, token=token)) for token in ("1" * 50, "2" * 50)] == [KEPT, KEPT]
    assert tickets() == [("Twice", 1)]


def test_l31_a_locked_database_asks_for_another_try_which_hours_later_is_one_ticket(
    client: FlaskClient,
    app: Flask,
    cast: Cast,
    monkeypatch: pytest.MonkeyPatch,
    impatient: None,  # noqa: F811
) -> None:
    raw, at, now = letter(subject="Later"), int(clock.now().timestamp()), clock.now()
    with locked(app, "inbound_email"):
        answer = post(client, raw, at=at)
    assert (said(answer), answer.headers["Retry-After"]) == (NOT_NOW, "60")
    assert (count(InboundEmail), count(SeenSignature)) == (0, 0)
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(hours=7, minutes=55))
    assert [said(post(client, raw, at=at)) for _ in range(2)] == [KEPT, BEFORE]
    assert tickets() == [("Later", 1)]


@pytest.mark.parametrize("is_coded", [True, False], ids=["urlencoded", "multipart"])
def test_class_38_a_mail_over_the_limit_is_refused(client: FlaskClient, app: Flask, is_coded: bool) -> None:
    assert said(post(client, b"x" * LARGE, is_coded=is_coded)) == TOO_LARGE
    assert said(client.post(DOOR, data=bytes(2 * LARGE), content_type=FORM)) == TOO_LARGE
    assert count(InboundEmail) == 0


@pytest.mark.parametrize(
    ("body", "kind", "answer"),
    [
        (b"", FORM, UNSIGNED),
        (b"{}", "application/json", UNSIGNED),
        (b"&" * 5000, FORM, CUT_OFF),
        (b"n" * 5000 + b"=1", FORM, CUT_OFF),
        (b"--b\r\nContent-Disposition: form-data; name=token\r\n\r\n1\r\n", "multipart/form-data; boundary=b", CUT_OFF),
        (b"--b\r\nNothing: here\r\n\r\n1\r\n--b--\r\n", "multipart/form-data; boundary=b", CUT_OFF),
        (b"--\r\n\r\n", "multipart/form-data", CUT_OFF),
        (b"--b\r\nX: " + b"x" * 2_000_000, "multipart/form-data; boundary=b", TOO_LARGE),
    ],
    ids=lambda value: str(value[:12]),
)
def test_a_request_that_is_no_form_is_refused_in_a_sentence(
    client: FlaskClient, app: Flask, body: bytes, kind: str, answer: tuple[int, str]
) -> None:
    assert (said(client.post(DOOR, data=body, content_type=kind)), count(InboundEmail)) == (answer, 0)


def test_a_second_field_of_a_name_is_not_believed(client: FlaskClient, app: Flask) -> None:
    raw = letter()
    body = coded(signed({"body-mime": raw})) + b"&body-mime=forged&signature=" + b"0" * 64
    assert said(client.post(DOOR, data=body, content_type=FORM)) == KEPT
    assert kept() == [raw]


def test_class_b_a_forged_reply_address_reaches_no_ticket_and_a_real_one_its_own(
    client: FlaskClient, cast: Cast
) -> None:
    address = reply_address(make_ticket(cast))
    local, _, domain = address.partition("@")
    forged = f"{local[:-4]}{'aaaa' if local[-4:] != 'aaaa' else 'bbbb'}@{domain}"
    assert said(post(client, letter(subject="Forged"), token="1" * 50, recipient=forged)) == KEPT
    assert [number for _, number in tickets()] == [1, 1]
    assert said(post(client, letter(subject="Real"), token="2" * 50, recipient=address)) == KEPT
    assert [number for _, number in tickets()] == [2, 1]


def test_class_47_no_key_is_in_the_log(client: FlaskClient, app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    post(client, letter(), key="x" * 32)
    post(client, letter())
    settings: Settings = app.extensions["settings"]
    assert {NEW, OLD} <= logs.secrets_of(settings)
    assert not any(word in caplog.text + repr(settings) for word in (NEW, OLD, TOKEN))


def test_short_keys_keep_the_desk_from_starting(tmp_path: object) -> None:
    with pytest.raises(Misconfigured) as refused:
        load_settings(secret_keys="s" * 40, mailgun_keys="short")
    assert refused.value.message == ("HELPDESK_MAILGUN_KEYS: give keys of 32 characters or more, newest first, or none")


def post(client: FlaskClient, raw: bytes, *, is_coded: bool = False, **changed: object) -> TestResponse:
    """A request as Mailgun makes it, unless something is changed."""
    fields = signed({"body-mime": raw} | changed)
    if is_coded:
        return client.post(DOOR, data=coded(fields), content_type=FORM)
    return client.post(DOOR, data=in_parts(fields), content_type=PARTS)


def signed(changed: dict[str, object]) -> dict[str, bytes]:
    """The fields, in the order that they have at Mailgun; None leaves one out."""
    at, key = changed.pop("at", int(clock.now().timestamp())), str(changed.pop("key", NEW))
    moment = str(at - changed.pop("age", 0))  # type: ignore[operator]
    token = TOKEN if changed.get("token") in (None, "another token") else str(changed["token"])
    signature = hmac.new(key.encode(), (moment + token).encode(), hashlib.sha256).hexdigest()
    fields = {
        "recipient": "support@example.org", "sender": "ruth@example.com", "subject": "unused",
        "timestamp": moment, "token": token, "signature": signature,
    } | changed  # fmt: skip
    return {
        name: value if isinstance(value, bytes) else str(value).encode(errors="surrogatepass")
        for name, value in fields.items()
        if value is not None
    }


def coded(fields: dict[str, bytes]) -> bytes:
    """application/x-www-form-urlencoded"""
    return "&".join(f"{name}={quote_from_bytes(value).replace('%20', '+')}" for name, value in fields.items()).encode()
