"""Mail that Amazon SES received: told by SNS in signed messages, with the mail in them or in a bucket."""

import json
import signal
import subprocess
import sys
import threading
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from http.client import RemoteDisconnected
from pathlib import Path
from uuid import uuid4

import obstore
import pytest
from flask import Flask
from flask.testing import FlaskClient
from pydantic import SecretStr
from werkzeug.test import TestResponse

from helpdesk import clock, logs
from helpdesk.config import Settings, load_settings
from helpdesk.errors import Misconfigured
from helpdesk.file_stores import open_bucket
from helpdesk.inbound.models import InboundEmail
from helpdesk.intake import amazon as asking
from helpdesk.intake import tries
from helpdesk.intake.amazon import MOST_BYTES, connect
from helpdesk.intake.models import SeenSignature
from helpdesk.jobs import sweep
from helpdesk.tickets.links import reply_address
from tests.cast import Cast
from tests.desk.test_shortages import impatient, locked  # noqa: F401 a fixture
from tests.factories import make_ticket
from tests.intake.conftest import environment
from tests.intake.keeping import (
    BEFORE,
    KEPT,
    LARGE,
    NO_MAIL,
    NOT_NOW,
    TOO_LARGE,
    count,
    desk_with,
    emails,
    kept,
    said,
    tickets,
)
from tests.letters import letter
from tests.servers.amazon import EXPIRED_PATH, HOST, HOST_IN_CHINA, NAMES, PATH, TOPIC, Sns, amazon_at, moment
from tests.servers.certificates import Certificate, make_certificate
from tests.servers.fixtures import Certificates
from tests.servers.ports import free_port, wait_for_port
from tests.servers.s3 import BUCKET, S3

DOOR, ROOT = "/intake/ses", Path(__file__).parents[2]
IN_CHINA = "arn:aws-cn:sns:cn-north-1:123456789012:mail"
UNSIGNED = (401, "This is no signed message of Amazon SNS; switch “raw message delivery” of the subscription off.\n")
OUT_OF_TIME = (401, "The message is more than 15 days old, or of a time to come.\n")
OTHER_TOPIC = (401, "The topic of this message is not among HELPDESK_SES_TOPICS.\n")
ELSEWHERE = (401, "The certificate is not where Amazon has those of this topic.\n")
EXPIRED = (401, "The certificate has expired, or is not valid yet.\n")
WRONG = (401, "The signature does not fit the certificate.\n")
NO_RECEIPT = (422, "This tells of no mail that was received; give SES a topic of its own for incoming mail.\n")
IN_A_BUCKET = (
    422,
    "The mail is in a bucket; name it in HELPDESK_SES_BUCKET, or let the rule publish the mail to the topic.\n",
)
CONFIRMED = (200, "The subscription is confirmed.\n")
TOKEN = (
    "2336412f37fb687f5d51e6e241d09c805a5a57b30d712f794cc5f6a988666d92768dd60a747ba6f3beb71854e285d6ad02428b09ceece29"
)
EVIL = (
    "sns.eu-west-1.amazonaws.com.evil.example",
    "sns.eu-west-1.amazonaws.com@evil.example",
    "evil.example/sns.eu-west-1.amazonaws.com",
    "evil.example#sns.eu-west-1.amazonaws.com",
    "user:password@sns.eu-west-1.amazonaws.com",
    "sns.eu-west-1.amazonaws.com:8443",
    "sns.eu-west-1.amazonaws.com:443",
    "sns.eu-west-1.amazonaws.com\\@evil.example",
    "sns.eu-west-1.amazonaws.com%2eevil.example",
    "sns.eu-west-1.amazonaws.com.",
    "sns.us-east-1.amazonaws.com",
    "sns.s3-eu-west-1.amazonaws.com",
    "bucket.s3.amazonaws.com",
    "SNS.EU-WEST-1.AMAZONAWS.COM.",
    "127.0.0.1",
    "[::1]",
    "169.254.169.254",
    "",
)
DIES = """
import os, signal, sys
from werkzeug.serving import make_server
from helpdesk import create_app
from helpdesk.intake import operations
from tests.servers.amazon import amazon_at
keep = operations.receive
def receive(*args, **kwargs):
    keep(*args, **kwargs)
    os.kill(os.getpid(), signal.SIGKILL)
operations.receive = receive
app = create_app()
app.extensions["amazon"] = amazon_at(int(sys.argv[2]), sys.argv[3])
make_server("127.0.0.1", int(sys.argv[1]), app).serve_forever()
"""


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory, certificates: Certificates) -> Certificate:
    """What Amazon's host shows that it is itself by; its authority is our own."""
    return make_certificate(tmp_path_factory.mktemp("amazon"), "amazon", names=NAMES)


@pytest.fixture
def sns(tls: Certificate, certificates: Certificates) -> Iterator[Sns]:
    """Amazon SNS on this machine."""
    service = Sns(tls, certificates.good, certificates.expired)
    yield service
    service.stop()


@pytest.fixture
def app(settings: Settings, sns: Sns) -> Iterator[Flask]:
    """The desk with a door for SES and two topics."""
    with desk_with(settings, ses_topics=f"{TOPIC}, {IN_CHINA}") as app:
        app.extensions["amazon"] = amazon_at(sns.port, sns.authority)
        yield app


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("subject", ["Amazon SES Email Receipt Notification", None, ""])
def test_a_mail_in_a_signed_message_is_kept_byte_by_byte_with_its_envelope_and_becomes_a_ticket(
    client: FlaskClient, cast: Cast, sns: Sns, version: str, subject: str | None
) -> None:
    raw = letter(subject="By SES", to="someone@example.com") + b"\xff\x00\r\n.\r\nBr\xfccke\n"
    body = sns.message(receipt(raw, to=["legal@example.org"]), version=version, Subject=subject)
    answer = post(client, body)
    assert (said(answer), answer.mimetype, answer.headers.getlist("Set-Cookie")) == (KEPT, "text/plain", [])
    assert kept() == [raw]
    assert tickets() == [("By SES", 1)]
    assert [(email.envelope_from, email.envelope_to, email.queue.name) for email in emails()] == [
        ("ruth@example.com", ["legal@example.org"], "Legal")
    ]
    assert sns.asked == [(HOST, PATH)]


def test_a_topic_in_china_has_its_certificate_there(client: FlaskClient, cast: Cast, sns: Sns) -> None:
    there = {"TopicArn": IN_CHINA, "SigningCertURL": f"https://{HOST_IN_CHINA}{PATH}"}
    assert said(post(client, sns.message(receipt(letter()), **there))) == KEPT
    assert sns.asked == [(HOST_IN_CHINA, PATH)]


def test_a_mail_that_the_rule_does_not_code_is_kept_too(client: FlaskClient, cast: Cast, sns: Sns) -> None:
    raw = letter(subject="Plain", body="Brücke\r\n")
    for number, encoding in enumerate(("UTF-8", "UTF8", None)):
        body = sns.message(receipt(raw, encoding=encoding), MessageId=str(number))
        assert said(post(client, body)) == KEPT
    assert kept() == [raw] * 3
    assert tickets() == [("Plain", 1)]


@pytest.mark.parametrize(
    ("changed", "answer"),
    [
        ({"Type": None}, UNSIGNED),
        ({"Type": "Other"}, UNSIGNED),
        ({"Type": "SubscriptionConfirmation"}, UNSIGNED),
        ({"Type": ["Notification"]}, UNSIGNED),
        ({"MessageId": None}, UNSIGNED),
        ({"Message": {"notificationType": "Received"}}, UNSIGNED),
        ({"Message": None}, UNSIGNED),
        ({"Signature": None}, UNSIGNED),
        ({"Signature": "no Base64!"}, UNSIGNED),
        ({"Timestamp": "now"}, UNSIGNED),
        ({"Timestamp": "9999999-01-01T00:00:00Z"}, UNSIGNED),
        ({"SigningCertURL": None}, UNSIGNED),
        ({"SigningCertURL": f"https://{HOST}{PATH}\n"}, UNSIGNED),
        ({"SignatureVersion": None}, UNSIGNED),
        ({"TopicArn": f"{TOPIC}2"}, OTHER_TOPIC),
        ({"TopicArn": ""}, OTHER_TOPIC),
        ({"SignatureVersion": "3"}, WRONG),
        ({"SignatureVersion": "2"}, WRONG),
        ({"Signature": ""}, WRONG),
        ({"Signature": b64encode(bytes(256)).decode()}, WRONG),
        ({"Message": "{}"}, WRONG),
        ({"MessageId": "another"}, WRONG),
        ({"Subject": "another"}, WRONG),
        ({"TopicArn": IN_CHINA, "SigningCertURL": f"https://{HOST_IN_CHINA}{PATH}"}, WRONG),
        ({"SigningCertURL": f"https://{HOST}{EXPIRED_PATH}"}, EXPIRED),
        ({"SigningCertURL": f"https://{HOST}/SimpleNotificationService-none.pem"}, ELSEWHERE),
        ({"SigningCertURL": f"https://{HOST_IN_CHINA}{PATH}"}, ELSEWHERE),
    ],
    ids=str,
)
def test_class_25_what_is_unsigned_wrong_or_of_another_topic_is_refused_and_leaves_nothing(
    client: FlaskClient, app: Flask, sns: Sns, changed: dict[str, object], answer: tuple[int, str]
) -> None:
    told = post(client, sns.message(receipt(letter()), later=changed))
    assert said(told) == answer
    assert told.headers["WWW-Authenticate"] == "SNS-Signature"
    assert (count(InboundEmail), count(SeenSignature), app.extensions["files"].keys_older_than(2.0**40)) == (0, 0, [])


@pytest.mark.parametrize("path", [EXPIRED_PATH])
def test_class_65_what_an_expired_certificate_signed_is_refused(
    client: FlaskClient, app: Flask, sns: Sns, path: str
) -> None:
    assert said(post(client, sns.message(receipt(letter()), path=path))) == EXPIRED
    assert count(InboundEmail) == 0


@pytest.mark.parametrize("host", EVIL)
def test_class_34_a_certificate_elsewhere_is_not_even_asked_for(
    client: FlaskClient, app: Flask, sns: Sns, host: str
) -> None:
    assert said(post(client, sns.message(receipt(letter()), SigningCertURL=f"https://{host}{PATH}"))) == ELSEWHERE
    assert (sns.asked, count(InboundEmail)) == ([], 0)


@pytest.mark.parametrize(
    "address",
    [
        f"http://{HOST}{PATH}",
        f"HTTPS://{HOST}{PATH}",
        f"file://{HOST}{PATH}",
        f"//{HOST}{PATH}",
        f"https://{HOST}/../SimpleNotificationService-1.pem",
        f"https://{HOST}/other{PATH}",
        f"https://{HOST}{PATH}?x=1",
        f"https://{HOST}{PATH}#.pem",
        f"https://{HOST}/SimpleNotificationService-../../1.pem",
        f"https://{HOST}/SimpleNotificationService-1.crt",
        f"https://{HOST}/SimpleNotificationService-{'1' * 101}.pem",
        f"https://{HOST}/?Action=ConfirmSubscription&Token=1.pem",
        f" https://{HOST}{PATH}",
    ],
)
def test_class_34_another_scheme_or_path_of_a_certificate_is_not_asked_for(
    client: FlaskClient, app: Flask, sns: Sns, address: str
) -> None:
    assert said(post(client, sns.message(receipt(letter()), SigningCertURL=address))) == ELSEWHERE
    assert (sns.asked, count(InboundEmail)) == ([], 0)


@pytest.mark.parametrize(
    ("found", "answer"),
    [
        ((302, b""), ELSEWHERE),
        ((403, b"no"), ELSEWHERE),
        ((200, b"x" * (MOST_BYTES + 1)), ELSEWHERE),
        ((200, b"<html>"), WRONG),
        ((200, b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), WRONG),
        ((500, b""), NOT_NOW),
        ((503, b""), NOT_NOW),
        ((429, b""), NOT_NOW),
    ],
    ids=lambda value: str(value)[:30],
)
def test_class_25_what_is_there_instead_of_a_certificate_is_not_believed(
    client: FlaskClient, app: Flask, sns: Sns, found: tuple[int, bytes], answer: tuple[int, str]
) -> None:
    sns.answers[PATH], good = found, sns.answers[PATH]
    body = sns.message(receipt(letter()))
    assert (said(post(client, body)), len(sns.asked), count(InboundEmail)) == (answer, 1, 0)
    sns.answers[PATH] = good
    app.extensions["amazon"] = amazon_at(sns.port, sns.authority)
    assert said(post(client, body)) == KEPT


def test_class_65_who_shows_a_certificate_of_nobody_known_or_for_another_name_is_not_amazon(
    client: FlaskClient, app: Flask, sns: Sns, certificates: Certificates
) -> None:
    body = sns.message(receipt(letter()))
    app.extensions["amazon"] = amazon_at(sns.port, None)
    assert said(post(client, body)) == NOT_NOW
    other = Sns(certificates.elsewhere, certificates.good, certificates.expired)
    app.extensions["amazon"] = amazon_at(other.port, other.authority)
    assert said(post(client, body)) == NOT_NOW
    other.stop()
    assert (sns.asked, other.asked, count(InboundEmail)) == ([], [], 0)


def test_class_65_amazon_is_asked_over_tls_that_is_verified_and_not_for_long() -> None:
    connection = connect(HOST)
    context = connection._context
    assert (connection.host, connection.port, connection.timeout) == (HOST, 443, 5)
    assert (context.check_hostname, context.verify_mode.name) == (True, "CERT_REQUIRED")


def test_while_amazon_cannot_be_asked_sns_is_told_to_try_again_and_the_mail_is_kept_then(
    client: FlaskClient, app: Flask, cast: Cast, sns: Sns
) -> None:
    body = sns.message(receipt(letter(subject="Later")))
    app.extensions["amazon"] = amazon_at(free_port(), sns.authority)
    answer = post(client, body)
    assert (said(answer), answer.headers["Retry-After"], count(InboundEmail)) == (NOT_NOW, "60", 0)
    app.extensions["amazon"] = amazon_at(sns.port, sns.authority)
    assert [said(post(client, body)) for _ in range(2)] == [KEPT, BEFORE]
    assert tickets() == [("Later", 1)]


def test_a_certificate_that_comes_byte_by_byte_is_not_waited_for(
    client: FlaskClient, app: Flask, sns: Sns, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "ALL_SECONDS", 0.3)
    sns.seconds_a_byte = 0.005
    assert said(post(client, sns.message(receipt(letter())))) == NOT_NOW
    assert (sns.asked, count(InboundEmail)) == ([(HOST, PATH)], 0)


def test_a_certificate_is_asked_for_once_a_day_and_few_are_remembered(
    client: FlaskClient, app: Flask, sns: Sns, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        assert said(post(client, sns.message(receipt(letter()), MessageId=str(number)))) == KEPT
    assert len(sns.asked) == 1
    for number in range(20):
        sns.answers[f"/SimpleNotificationService-{number}.pem"] = (200, b"x")
        app.extensions["amazon"].certificate(HOST, f"/SimpleNotificationService-{number}.pem")
    assert len(app.extensions["amazon"]._certificates) == 8
    tomorrow = clock.now() + timedelta(hours=25)
    monkeypatch.setattr(clock, "now", lambda: tomorrow)
    asked = len(sns.asked)
    assert [said(post(client, sns.message(receipt(letter()), MessageId=f"t{n}"))) for n in range(2)] == [KEPT, KEPT]
    assert len(sns.asked) == asked + 1


def test_l32_messages_that_come_three_times_out_of_order_are_kept_once(
    client: FlaskClient, cast: Cast, sns: Sns
) -> None:
    first, second = letter(subject="First", message_id=None), letter(subject="Second", message_id=None)
    bodies = {raw: sns.message(receipt(raw), MessageId=str(number)) for number, raw in enumerate((first, second))}
    told = [said(post(client, bodies[raw])) for raw in (second, first, first, second, first, second)]
    assert (told, kept()) == ([KEPT, KEPT, BEFORE, BEFORE, BEFORE, BEFORE], [second, first])
    assert tickets() == [("Second", 1), ("First", 1)]


def test_class_25_a_message_that_was_taken_does_not_come_again_with_its_fields_moved(
    client: FlaskClient, app: Flask, sns: Sns
) -> None:
    body = json.loads(sns.message(receipt(letter()), Subject="A mail"))
    assert said(post(client, json.dumps(body).encode())) == KEPT
    body["MessageId"] += f"\nSubject\n{body.pop('Subject')}"  # the same text is signed
    assert said(post(client, json.dumps(body).encode())) == UNSIGNED
    assert count(InboundEmail) == 1


def test_class_25_a_message_is_remembered_as_long_as_it_is_believed(
    client: FlaskClient, app: Flask, sns: Sns, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, told = clock.now(), []
    for days in (0, 1.9, 15.1):
        monkeypatch.setattr(clock, "now", lambda days=days: now + timedelta(days=days))
        sweep()
        told.append(said(post(client, sns.message(receipt(letter()), Timestamp=moment(now)))))
    assert (told, count(InboundEmail)) == ([KEPT, BEFORE, OUT_OF_TIME], 1)
    assert count(SeenSignature) == 0
    early = sns.message(receipt(letter()), Timestamp=moment(clock.now() + timedelta(minutes=6)))
    assert said(post(client, early)) == OUT_OF_TIME


def test_class_25_wrong_signatures_end_soon_and_lock_out_nobody_who_handed_mail_in(
    client: FlaskClient, app: Flask, sns: Sns
) -> None:
    assert said(post(client, sns.message(receipt(letter())), remote="198.51.100.7")) == KEPT
    forged = sns.message(receipt(letter()), MessageId="f", later={"Message": "{}"})
    answers = [post(client, forged, remote="192.0.2.1").status_code for _ in range(tries.PER_ADDRESS + 2)]
    assert answers == [401] * tries.PER_ADDRESS + [429] * 2
    for _ in range(tries.PER_ADDRESS + 1):
        post(client, forged, remote="198.51.100.9")
    good = sns.message(receipt(letter()), MessageId="g")
    assert said(post(client, good, remote="198.51.100.9")) == KEPT


def test_class_25_without_topics_there_is_no_such_address(settings: Settings, sns: Sns) -> None:
    with desk_with(settings) as app:
        body = sns.message(receipt(letter()))
        assert (post(app.test_client(), body).status_code, count(InboundEmail)) == (404, 0)


def test_a_subscription_is_confirmed_at_amazon_wherever_the_message_points(
    client: FlaskClient, app: Flask, sns: Sns
) -> None:
    for address in (f"https://{HOST}/?Action=ConfirmSubscription", "http://169.254.169.254/latest/", "file:///etc"):
        assert said(post(client, confirmation(sns, SubscribeURL=address))) == CONFIRMED
    asked = f"/?Action=ConfirmSubscription&TopicArn={TOPIC.replace(':', '%3A')}&Token={TOKEN}"
    assert sns.asked == [(HOST, PATH), (HOST, asked), (HOST, asked), (HOST, asked)]
    assert count(InboundEmail) == 0


@pytest.mark.parametrize(
    ("answered", "answer"),
    [
        ((302, b""), (422, "Amazon did not confirm the subscription; request a confirmation once more.\n")),
        ((400, b""), (422, "Amazon did not confirm the subscription; request a confirmation once more.\n")),
        ((500, b""), NOT_NOW),
    ],
)
def test_a_subscription_that_amazon_does_not_confirm_is_not_said_to_be(
    client: FlaskClient, app: Flask, sns: Sns, answered: tuple[int, bytes], answer: tuple[int, str]
) -> None:
    sns.confirmed = answered
    assert said(post(client, confirmation(sns))) == answer
    assert len(sns.asked) == 2


def test_class_34_a_forged_or_foreign_subscription_asks_nobody_to_confirm_it(
    client: FlaskClient, app: Flask, sns: Sns
) -> None:
    assert said(post(client, confirmation(sns, later={"Token": "0" * 64}))) == WRONG
    assert said(post(client, confirmation(sns, TopicArn=f"{TOPIC}2"))) == OTHER_TOPIC
    assert sns.asked == [(HOST, PATH)]


def test_an_end_of_the_subscription_is_in_the_log_and_nothing_is_asked_for(
    client: FlaskClient, app: Flask, sns: Sns, caplog: pytest.LogCaptureFixture
) -> None:
    told = post(client, confirmation(sns, Type="UnsubscribeConfirmation"))
    assert said(told) == (200, "The subscription has ended.\n")
    ended = [record for record in caplog.records if record.name == "helpdesk.intake.ses"]
    assert [(record.levelname, record.topic) for record in ended] == [("ERROR", TOPIC)]  # type: ignore[attr-defined]
    assert sns.asked == [(HOST, PATH)]


@pytest.mark.parametrize(
    ("message", "answer"),
    [
        ("Successfully validated SNS topic for Amazon SES event publishing.", NO_RECEIPT),
        ('{"notificationType": "Bounce", "content": "Subject: Hi"}', NO_RECEIPT),
        ("[" * 100_000, NO_RECEIPT),
        ("[]", NO_RECEIPT),
        ('{"notificationType": "Received"}', IN_A_BUCKET),
        ('{"notificationType": "Received", "content": ["Subject: Hi"]}', IN_A_BUCKET),
        ('{"notificationType": "Received", "content": " \\r\\n"}', NO_MAIL),
        (
            '{"notificationType": "Received", "content": "ä", "receipt": {"action": {"encoding": "BASE64"}}}',
            (422, "The content is said to be Base64, and is not.\n"),
        ),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_tells_of_no_mail_is_refused_in_a_sentence_that_says_what_to_set(
    client: FlaskClient, app: Flask, sns: Sns, message: str, answer: tuple[int, str]
) -> None:
    assert (said(post(client, sns.message(message))), count(InboundEmail)) == (answer, 0)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 422),
        (b"Type=Notification", 422),
        (b"\xff{}", 422),
        (b"[" * 100_000, 422),
        (b"[]", 422),
        (bytes(LARGE), 422),
        (b"{}", 401),
        (b'{"Type": "Notification"}', 401),
    ],
    ids=lambda value: str(value)[:20],
)
def test_class_38_what_is_no_message_or_larger_than_any_is_refused(
    client: FlaskClient, app: Flask, body: bytes, status: int
) -> None:
    assert (said(post(client, body)), count(InboundEmail)) == ((status, UNSIGNED[1]), 0)


def test_a_large_message_is_taken_and_odd_envelopes_do_no_harm(client: FlaskClient, cast: Cast, sns: Sns) -> None:
    raw = letter(body="x" * 76 + "\r\n", times=2400)
    odd = json.loads(receipt(raw)) | {"mail": {"source": ["a"]}}
    odd["receipt"]["recipients"] = ["<sup\x00port@example.org>", 5, "\ud800", "legal@example.org"]
    assert said(post(client, sns.message(json.dumps(odd)))) == KEPT
    assert kept() == [raw]
    assert [(email.envelope_from, email.envelope_to[0], email.envelope_to[-1]) for email in emails()] == [
        (None, "support@example.org", "legal@example.org")
    ]


def test_class_b_what_a_message_says_beside_the_mail_reaches_no_ticket(
    client: FlaskClient, cast: Cast, sns: Sns
) -> None:
    address = reply_address(make_ticket(cast))
    local, _, domain = address.partition("@")
    forged = f"{local[:-4]}{'aaaa' if local[-4:] != 'aaaa' else 'bbbb'}@{domain}"
    for number, to in enumerate((forged, address)):
        assert said(post(client, sns.message(receipt(letter(subject="Hi"), to=[to]), MessageId=str(number)))) == KEPT
    assert [count for _, count in tickets()] == [2, 1]


def test_l31_a_locked_database_asks_for_another_try_which_is_one_ticket(
    client: FlaskClient,
    app: Flask,
    cast: Cast,
    sns: Sns,
    impatient: None,  # noqa: F811
) -> None:
    body = sns.message(receipt(letter(subject="Later")))
    with locked(app, "inbound_email"):
        answer = post(client, body)
    assert (said(answer), count(InboundEmail), count(SeenSignature)) == (NOT_NOW, 0, 0)
    assert [said(post(client, body)) for _ in range(2)] == [KEPT, BEFORE]
    assert tickets() == [("Later", 1)]


def test_l32_killed_between_keeping_and_answering_the_message_that_comes_again_makes_one_ticket(
    client: FlaskClient, app: Flask, cast: Cast, settings: Settings, sns: Sns, tmp_path: Path
) -> None:
    body, port = sns.message(receipt(letter(subject="Once", message_id=None))), free_port()
    given = environment(settings, "") | {"HELPDESK_SES_TOPICS": TOPIC, "PYTHONPATH": str(ROOT)}
    line = [sys.executable, "-c", DIES, str(port), str(sns.port), str(sns.authority)]
    with (tmp_path / "web.log").open("wb") as out:
        dying = subprocess.Popen(line, env=given, cwd=tmp_path, stdout=out, stderr=out)
    wait_for_port(port)
    with pytest.raises((RemoteDisconnected, ConnectionResetError)):
        urllib.request.urlopen(f"http://localhost:{port}{DOOR}", body, timeout=60)
    assert dying.wait(60) == -signal.SIGKILL
    assert said(post(client, body)) == BEFORE
    assert tickets() == [("Once", 1)]


def test_the_same_message_at_the_same_moment_is_kept_once(app: Flask, sns: Sns) -> None:
    body, answers, start = sns.message(receipt(letter())), [], threading.Barrier(4)

    def send() -> None:
        start.wait()
        answers.append(said(post(FlaskClient(app, app.response_class), body)))
        with suppress(AttributeError):  # who was too late woke no worker, and has no connection to close
            app.extensions["huey"].storage.close()

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (sorted(answers), count(InboundEmail), len(sns.asked)) == ([KEPT, BEFORE, BEFORE, BEFORE], 1, 1)


def test_a_mail_in_the_bucket_of_the_settings_is_fetched_byte_by_byte(
    settings: Settings, sns: Sns, s3: S3, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = letter(subject="Large") + b"\xff\x00" + b"x" * 300_000
    put(s3, "mails/d6iitobk75ur44p8kdnnp7g2n800", raw)
    with bucket_desk(settings, sns, s3) as app:
        client = app.test_client()
        told = [said(post(client, in_bucket(sns, "mails/d6iitobk75ur44p8kdnnp7g2n800"))) for _ in range(2)]
        assert (told, kept()) == ([KEPT, BEFORE], [raw])
        assert tickets() == [("Large", 1)]
        other = in_bucket(sns, "mails/d6iitobk75ur44p8kdnnp7g2n800", bucket="another", number="2")
        assert said(post(client, other)) == (422, "The mail is in another bucket than HELPDESK_SES_BUCKET names.\n")
        monkeypatch.setattr("helpdesk.intake.receipts.MAX_BYTES", 300_000)
        assert said(post(client, in_bucket(sns, "mails/d6iitobk75ur44p8kdnnp7g2n800", number="3"))) == TOO_LARGE


def test_a_bucket_that_does_not_give_the_mail_asks_for_another_try(settings: Settings, sns: Sns, s3: S3) -> None:
    with bucket_desk(settings, sns, s3) as app:
        key = f"late/{uuid4()}"
        client, body = app.test_client(), in_bucket(sns, key)
        assert said(post(client, body)) == NOT_NOW
        put(s3, key, letter(subject="Late"))
        assert said(post(client, body)) == KEPT
        assert tickets() == [("Late", 1)]


def test_class_47_the_key_of_the_bucket_is_in_no_log(settings: Settings) -> None:
    with desk_with(settings, ses_topics=TOPIC, ses_access_key="AKIA" * 5, ses_secret_key="s3cr3t-key-" * 4) as app:
        assert {"AKIA" * 5, "s3cr3t-key-" * 4} <= logs.secrets_of(app.extensions["settings"])


@pytest.mark.parametrize(
    "topics",
    [
        "mail",
        f"{TOPIC},arn:aws:sqs:eu-west-1:123456789012:mail",
        "arn:aws:sns:evil.example/:123456789012:mail",
        "arn:aws:sns:s3-eu-west-1:123456789012:mail",
        "arn:aws:sns:eu-west-1:123456789012:mail:0f1e",
        "arn:aws:sns:eu-west-1:12345678901:mail",
    ],
)
def test_what_is_no_topic_keeps_the_desk_from_starting(topics: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        load_settings(secret_keys="s" * 40, ses_topics=topics)
    assert refused.value.message == (
        "HELPDESK_SES_TOPICS: give topics such as arn:aws:sns:eu-west-1:123456789012:mail, with commas between"
    )


def test_what_is_no_bucket_keeps_the_desk_from_starting() -> None:
    for address, sentence in (
        ("bucket", "ses_bucket is empty, or names a bucket: s3://bucket/prefix?endpoint=https://…&region=…"),
        (
            "s3://b?endpoint=http://e.example",
            "the endpoint of ses_bucket must begin with https:// unless it is on this machine",
        ),
    ):
        with pytest.raises(Misconfigured) as refused:
            load_settings(secret_keys="s" * 40, ses_bucket=address)
        assert refused.value.message == f"HELPDESK_SES_BUCKET: {sentence}"


def post(client: FlaskClient, body: bytes, *, remote: str = "127.0.0.1") -> TestResponse:
    """A request as SNS makes it."""
    who = {"REMOTE_ADDR": remote}
    return client.post(DOOR, data=body, content_type="text/plain; charset=UTF-8", environ_base=who)


def receipt(raw: bytes, *, encoding: str | None = "BASE64", to: list[str] | None = None) -> str:
    """What SES publishes of a mail: the mail in it, and much beside that is not looked at."""
    action = {"type": "SNS", "topicArn": TOPIC, "encoding": encoding}
    content = b64encode(raw).decode() if encoding == "BASE64" else raw.decode()
    return json.dumps(told(action, to) | {"content": content})


def told(action: dict[str, object], to: list[str] | None = None) -> dict[str, object]:
    """The rest of it."""
    verdicts = {f"{name}Verdict": {"status": "PASS"} for name in ("spam", "virus", "spf", "dkim", "dmarc")}
    return {
        "notificationType": "Received",
        "mail": {"source": "ruth@example.com", "messageId": "d6iitobk75ur44p8kdnnp7g2n800", "destination": ["unused"]},
        "receipt": {"recipients": to or ["support@example.org"], "action": action, **verdicts},
    }


def in_bucket(sns: Sns, key: str, *, bucket: str = BUCKET, number: str = "1") -> bytes:
    """A message about a mail that SES put into a bucket."""
    action = {"type": "S3", "topicArn": TOPIC, "bucketName": bucket, "objectKey": key}
    return sns.message(json.dumps(told(action)), MessageId=number)


def confirmation(sns: Sns, **changed: object) -> bytes:
    """What SNS sends first."""
    fields = {"Type": "SubscriptionConfirmation", "Token": TOKEN, "SubscribeURL": f"https://{HOST}/", "Subject": None}
    return sns.message("You have chosen to subscribe to the topic.", **(fields | changed))


@contextmanager
def bucket_desk(settings: Settings, sns: Sns, s3: S3) -> Iterator[Flask]:
    """The desk with a bucket for large mails."""
    keys = {"ses_access_key": "key", "ses_secret_key": "secret"}
    with desk_with(settings, ses_topics=TOPIC, ses_bucket=s3.url(""), **keys) as app:
        app.extensions["amazon"] = amazon_at(sns.port, sns.authority)
        yield app


def put(s3: S3, key: str, raw: bytes) -> None:
    """What SES does with a mail."""
    obstore.put(open_bucket(s3.url(""), SecretStr("key"), SecretStr("secret")), key, raw)
