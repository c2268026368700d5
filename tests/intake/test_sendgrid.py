"""Mail from SendGrid's Inbound Parse: behind a secret address and a password, raw within a form."""

import json
import logging
from base64 import b64encode
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from helpdesk import logs
from helpdesk.config import Settings
from helpdesk.inbound.models import InboundEmail
from helpdesk.tickets.links import reply_address
from tests.cast import Cast
from tests.desk.test_shortages import impatient, locked  # noqa: F401 a fixture
from tests.factories import make_ticket
from tests.intake.keeping import (
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

PATH, PASSWORD = "p4th" * 6, "pa55-w0rd_" * 3
LOGIN = ("sendgrid", PASSWORD)
WRONG = (401, "User name or password are missing or wrong.\n")
MISSING = (422, "The field email is missing; let SendGrid post the raw, full MIME message.\n")
CUT_OFF = (422, "The request is no form, or it is cut off.\n")


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    """The desk with a door for SendGrid."""
    with desk_with(settings, sendgrid_secret=f"{PATH}:sendgrid:{PASSWORD}") as app:
        yield app


def test_a_mail_is_kept_byte_by_byte_with_its_envelope_and_becomes_a_ticket(client: FlaskClient, cast: Cast) -> None:
    raw = letter(subject="By SendGrid", to="someone@example.com") + b"\xff\x00\r\n.\r\n"
    envelope = {"to": ["legal@example.org", "support@example.org"], "from": "ruth@example.com"}
    answer = post(client, raw, envelope=json.dumps(envelope).encode())
    assert (said(answer), answer.headers.getlist("Set-Cookie")) == (KEPT, [])
    assert kept() == [raw]
    assert tickets() == [("By SendGrid", 1)]
    assert [(email.envelope_from, email.envelope_to, email.queue.name) for email in emails()] == [
        ("ruth@example.com", envelope["to"], "Legal")
    ]


@pytest.mark.parametrize(
    ("envelope", "sender", "recipients"),
    [
        (None, None, []),
        (b"no JSON", None, []),
        (b"[" * 10_000, None, []),
        (b"[1]", None, []),
        (b'{"to": [1, null, "<a@example.org>"], "from": ""}', "", ["a@example.org"]),
        (b'{"to": "a\\u0000\\ud800@example.org", "from": 1}', None, ["a@example.org"]),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_mail_is_kept_whatever_its_envelope_looks_like(
    client: FlaskClient, cast: Cast, envelope: bytes | None, sender: str | None, recipients: list[str]
) -> None:
    assert said(post(client, letter(subject="Odd"), envelope=envelope)) == KEPT
    assert tickets() == [("Odd", 1)]
    assert [(email.envelope_from, email.envelope_to) for email in emails()] == [(sender, recipients)]


@pytest.mark.parametrize("login", [None, ("sendgrid", "wrong"), ("other", PASSWORD)])
def test_class_25_a_wrong_password_is_refused_and_leaves_nothing(
    client: FlaskClient, app: Flask, login: tuple[str, str] | None
) -> None:
    assert said(post(client, letter(), login=login)) == WRONG
    assert (count(InboundEmail), app.extensions["files"].keys_older_than(2.0**40)) == (0, [])


def test_class_25_another_path_and_a_door_without_a_secret_do_not_exist(client: FlaskClient, app: Flask) -> None:
    assert post(client, letter(), path=PATH[:-1]).status_code == 404
    assert client.post(f"/intake/postmark/{PATH}", json={"RawEmail": "Hi"}, auth=LOGIN).status_code == 404
    assert count(InboundEmail) == 0


@pytest.mark.parametrize(
    ("changed", "answer"),
    [({"email": None}, MISSING), ({"email": b"\r\n"}, NO_MAIL), ({"email": b"x" * LARGE}, TOO_LARGE)],
    ids=["missing", "empty", "too large"],
)
def test_what_holds_no_mail_or_too_large_a_one_is_refused_in_a_sentence(
    client: FlaskClient, app: Flask, changed: dict[str, bytes | None], answer: tuple[int, str]
) -> None:
    assert (said(post(client, letter(), **changed)), count(InboundEmail)) == (answer, 0)


def test_a_form_that_is_cut_off_is_never_kept_in_part(client: FlaskClient, app: Flask) -> None:
    body = in_parts({"email": letter()})
    for length in (len(body) - 20, len(body) // 2, 60, 5):
        answer = client.post(f"/intake/sendgrid/{PATH}", data=body[:length], auth=LOGIN, content_type=PARTS)
        assert (said(answer), count(InboundEmail)) == (CUT_OFF, 0)


def test_l32_mails_that_come_three_times_out_of_order_are_one_ticket_each(client: FlaskClient, cast: Cast) -> None:
    first, second = letter(subject="First", message_id=None), letter(subject="Second")
    assert [said(post(client, raw)) for raw in (second, first, first, second, first, second)] == [KEPT] * 6
    assert tickets() == [("Second", 1), ("First", 1)]


def test_l31_a_locked_database_asks_for_another_try_which_is_one_ticket(
    client: FlaskClient,
    app: Flask,
    cast: Cast,
    impatient: None,  # noqa: F811
) -> None:
    raw = letter(subject="Later")
    with locked(app, "inbound_email"):
        answer = post(client, raw)
    assert (said(answer), answer.headers["Retry-After"], count(InboundEmail)) == (NOT_NOW, "60", 0)
    assert [said(post(client, raw)) for _ in range(2)] == [KEPT, KEPT]
    assert tickets() == [("Later", 1)]


def test_class_b_a_forged_reply_address_reaches_no_ticket_and_a_real_one_its_own(
    client: FlaskClient, cast: Cast
) -> None:
    address = reply_address(make_ticket(cast))
    local, _, domain = address.partition("@")
    forged = f"{local[:-4]}{'aaaa' if local[-4:] != 'aaaa' else 'bbbb'}@{domain}"
    assert said(post(client, letter(subject="Forged"), envelope=envelope_to(forged), to=address.encode())) == KEPT
    assert [number for _, number in tickets()] == [1, 1]
    assert said(post(client, letter(subject="Real"), envelope=envelope_to(address))) == KEPT
    assert [number for _, number in tickets()] == [2, 1]


def test_class_47_no_part_of_the_secret_is_in_the_log(
    client: FlaskClient, app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    post(client, letter())
    post(client, letter(), login=("sendgrid", "wrong"))
    settings: Settings = app.extensions["settings"]
    coded = b64encode(f"sendgrid:{PASSWORD}".encode()).decode()
    assert {PATH, PASSWORD, coded} <= logs.secrets_of(settings)
    assert not any(word in caplog.text + repr(settings) for word in (PATH, PASSWORD, coded))


def post(
    client: FlaskClient,
    raw: bytes,
    *,
    path: str = PATH,
    login: tuple[str, str] | None = LOGIN,
    **changed: bytes | None,
) -> TestResponse:
    """A request as SendGrid makes it, unless something is changed."""
    fields = {"to": b"unused@example.org", "email": raw, "envelope": envelope_to("support@example.org")} | changed
    body = in_parts({name: value for name, value in fields.items() if value is not None})
    return client.post(f"/intake/sendgrid/{path}", data=body, auth=login, content_type=PARTS)


def envelope_to(address: str) -> bytes:
    """The envelope of a mail of Ruth's."""
    return json.dumps({"to": [address], "from": "ruth@example.com"}).encode()
