"""Mail from Postmark's inbound webhook: behind a secret address and a password, raw within JSON."""

import json
import logging
from base64 import b64encode
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from helpdesk import logs
from helpdesk.config import Settings, load_settings
from helpdesk.errors import Misconfigured
from helpdesk.inbound.models import InboundEmail
from helpdesk.intake import tries
from helpdesk.tickets.links import reply_address
from tests.cast import Cast
from tests.desk.test_shortages import impatient, locked  # noqa: F401 a fixture
from tests.factories import make_ticket
from tests.intake.keeping import KEPT, LARGE, NO_MAIL, NOT_NOW, TOO_LARGE, count, desk_with, emails, kept, said, tickets
from tests.letters import letter

PATH, PASSWORD = "p4th" * 6, "pa55-w0rd_" * 3
LOGIN = ("postmark", PASSWORD)
WRONG = (401, "User name or password are missing or wrong.\n")
MISSING = (422, "RawEmail is missing; let Postmark include the raw email content.\n")
NO_JSON = (422, "The request is no JSON of Postmark's.\n")


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    """The desk with a door for Postmark."""
    with desk_with(settings, postmark_secret=f"{PATH}:postmark:{PASSWORD}") as app:
        yield app


def test_a_mail_is_kept_as_it_is_with_its_recipient_and_becomes_a_ticket(client: FlaskClient, cast: Cast) -> None:
    raw = letter(subject="By Postmark", to="someone@example.com", body="Brücke\r\n.\r\n")
    answer = post(client, raw, OriginalRecipient="legal@example.org")
    assert (said(answer), answer.headers.getlist("Set-Cookie")) == (KEPT, [])
    assert kept() == [raw]
    assert tickets() == [("By Postmark", 1)]
    assert [(email.envelope_from, email.envelope_to, email.queue.name) for email in emails()] == [
        (None, ["legal@example.org"], "Legal")
    ]


@pytest.mark.parametrize("login", [None, ("postmark", "wrong"), ("other", PASSWORD), ("", ""), ("postmark", "ö\ud800")])
def test_class_25_a_wrong_password_is_refused_before_the_body_is_read(
    client: FlaskClient, app: Flask, login: tuple[str, str] | None
) -> None:
    for raw in (letter(), b"x" * 3 * LARGE):
        answer = post(client, raw, login=login)
        assert (said(answer), answer.headers["WWW-Authenticate"][:22]) == (WRONG, 'Basic realm="Helpdesk"')
    assert (count(InboundEmail), app.extensions["files"].keys_older_than(2.0**40)) == (0, [])


def test_class_25_guesses_of_the_password_end_soon_and_a_request_without_one_is_no_guess(client: FlaskClient) -> None:
    assert {said(post(client, letter(), login=None)) for _ in range(tries.PER_ADDRESS + 2)} == {WRONG}
    answers = [post(client, letter(), login=("postmark", "wrong")).status_code for _ in range(tries.PER_ADDRESS + 2)]
    assert answers == [401] * tries.PER_ADDRESS + [429] * 2
    refused = post(client, letter())
    assert (refused.status_code, refused.headers["Retry-After"], count(InboundEmail)) == (429, "150", 0)


def test_class_25_others_who_guess_lock_out_no_provider_that_handed_mail_in(client: FlaskClient) -> None:
    assert said(post(client, letter())) == KEPT
    for _ in range(tries.PER_ADDRESS + 1):
        post(client, letter(), login=("postmark", "wrong"))
    assert said(post(client, letter(subject="Another"))) == KEPT


def test_class_25_another_kind_of_authorization_is_refused(client: FlaskClient, app: Flask) -> None:
    for value in (f"Bearer {PASSWORD}", "Basic", "Basic ====", f"Digest username={PASSWORD}"):
        assert said(client.post(f"/intake/postmark/{PATH}", headers={"Authorization": value})) == WRONG
    assert count(InboundEmail) == 0


@pytest.mark.parametrize("path", [PATH[:-1], PATH + "x", "x", PATH.upper(), "%ff", PATH + "/more", ""])
def test_class_25_another_path_does_not_exist_whatever_the_password(client: FlaskClient, app: Flask, path: str) -> None:
    assert (post(client, letter(), path=path).status_code, count(InboundEmail)) == (404, 0)


def test_class_25_without_a_secret_there_is_no_such_address(settings: Settings) -> None:
    with desk_with(settings) as app:
        for path, login in (("x", ("", "")), (PATH, LOGIN)):
            assert post(app.test_client(), letter(), path=path, login=login).status_code == 404
        assert count(InboundEmail) == 0


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        (b"", NO_JSON),
        (b"RawEmail=1", NO_JSON),
        (b"\xff{}", NO_JSON),
        (b"[" * 100_000, NO_JSON),
        (b'["RawEmail"]', NO_JSON),
        (b"{}", MISSING),
        (b'{"RawEmail": null}', MISSING),
        (b'{"RawEmail": ["From: a@example.com"]}', MISSING),
        (b'{"RawEmail": "\\r\\n"}', NO_MAIL),
        (json.dumps({"RawEmail": "x" * LARGE}).encode(), TOO_LARGE),
        (bytes(2 * LARGE), TOO_LARGE),
    ],
    ids=lambda value: str(value[:10]),
)
def test_what_holds_no_mail_or_too_large_a_one_is_refused_in_a_sentence(
    client: FlaskClient, app: Flask, body: bytes, answer: tuple[int, str]
) -> None:
    told = client.post(f"/intake/postmark/{PATH}", data=body, auth=LOGIN, content_type="application/json")
    assert (said(told), count(InboundEmail)) == (answer, 0)


def test_l32_mails_that_come_three_times_out_of_order_are_one_ticket_each(client: FlaskClient, cast: Cast) -> None:
    first, second = letter(subject="First", message_id=None), letter(subject="Second")
    told = [said(post(client, raw)) for raw in (second, first, first, second, first, second)]
    assert told == [KEPT] * 6
    assert tickets() == [("Second", 1), ("First", 1)]
    assert said(post(client, first)) == KEPT
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


def test_class_b_what_a_payload_says_beside_the_mail_reaches_no_ticket(client: FlaskClient, cast: Cast) -> None:
    address = reply_address(make_ticket(cast))
    local, _, domain = address.partition("@")
    forged = f"{local[:-4]}{'aaaa' if local[-4:] != 'aaaa' else 'bbbb'}@{domain}"
    more = {"MailboxHash": local.partition("+")[2], "To": address, "Headers": [{"Name": "To", "Value": address}]}
    assert said(post(client, letter(subject="Forged"), OriginalRecipient=forged, **more)) == KEPT
    assert said(post(client, letter(subject="Odd"), OriginalRecipient={"to": [address]}, **more)) == KEPT
    assert [number for _, number in tickets()] == [1, 1, 1]
    assert said(post(client, letter(subject="Real"), OriginalRecipient=address)) == KEPT
    assert [number for _, number in tickets()] == [2, 1, 1]


def test_characters_that_no_database_takes_do_no_harm(client: FlaskClient, cast: Cast) -> None:
    body = b'{"RawEmail": "Subject: Odd\\r\\n\\r\\n\\ud800\\u0000", "OriginalRecipient": "a\\u0000\\udfff@example.org"}'
    assert said(client.post(f"/intake/postmark/{PATH}", data=body, auth=LOGIN)) == KEPT
    assert (tickets(), [email.envelope_to for email in emails()]) == ([("Odd", 1)], [["a@example.org"]])


def test_class_47_no_part_of_the_secret_is_in_the_log(
    client: FlaskClient, app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    post(client, letter())
    post(client, letter(), login=("postmark", "wrong"))
    settings: Settings = app.extensions["settings"]
    coded = b64encode(f"postmark:{PASSWORD}".encode()).decode()
    assert {PATH, PASSWORD, coded} <= logs.secrets_of(settings)
    assert "postmark" not in logs.secrets_of(settings)  # a plain word would be missed in every line
    assert not any(word in caplog.text + repr(settings) for word in (PATH, PASSWORD, coded))


@pytest.mark.parametrize("secret", ["short", f"{PATH}:postmark", f"{PATH}:postmark:short", f"x:postmark:{PASSWORD}"])
@pytest.mark.parametrize("name", ["postmark_secret", "sendgrid_secret"])
def test_a_secret_that_could_be_guessed_keeps_the_desk_from_starting(name: str, secret: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        load_settings(secret_keys="s" * 40, **{name: secret})
    assert refused.value.message == (
        f"HELPDESK_{name.upper()}: give path:user:password of letters, digits, - and _, path and password of 24 or "
        "more, or none"
    )


def post(
    client: FlaskClient,
    raw: bytes,
    *,
    path: str = PATH,
    login: tuple[str, str] | None = LOGIN,
    **more: object,
) -> TestResponse:
    """A request as Postmark makes it, unless something is changed."""
    told = {"FromName": "Ruth Reed", "MessageID": "22c74902-a0c1-4511-804f-341342852c90", "Subject": "unused"}
    told |= {"OriginalRecipient": "support@example.org", "RawEmail": raw.decode(), **more}
    given = f"{login[0]}:{login[1]}".encode(errors="surrogatepass") if login else b""
    headers = {"Authorization": f"Basic {b64encode(given).decode()}"} if login else {}
    return client.post(f"/intake/postmark/{path}", json=told, headers=headers)
