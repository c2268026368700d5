"""What looks like spam is filed as spam, is never refused, and the reader sees the same thanks."""

import re
from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from helpdesk import clock
from helpdesk.contact.screening import content_score, spam_reason
from helpdesk.database import db
from helpdesk.outbound.rendering import html_of, text_of
from helpdesk.rate_limit import RateCount
from helpdesk.readers.models import Reader
from helpdesk.tickets.events import EventKind
from helpdesk.tickets.models import Resolution, Status, Ticket
from tests.contact.posting import WORDS, a_token, send, tickets
from tests.factories import event_kinds, outbox


def reason(ticket: Ticket) -> str | None:
    """Why a ticket was filed as spam; None when it was not."""
    spam = [event for event in ticket.events if event.kind is EventKind.MARKED_SPAM]
    return spam[0].data["reason"] if spam else None


def test_filled_trap_is_filed_as_spam_without_a_receipt(client: FlaskClient) -> None:
    send(client, website="https://example.com")
    ticket = tickets()[0]
    assert (ticket.status, ticket.resolution) == (Status.CLOSED, Resolution.SPAM)
    assert event_kinds(ticket) == ["opened", "marked_spam"]
    assert reason(ticket) == "the hidden field was filled in"
    assert outbox() == []


def test_reader_of_spam_sees_the_same_thanks(client: FlaskClient) -> None:
    pages = [client.get(send(client, website=trap).location).text for trap in ("", "x")]
    for mark in (r"/ticket/\w+", r"#\d+", r"message-\d+", r"<time.*?</time>"):
        pages = [re.sub(mark, "", page) for page in pages]
    assert pages[0] == pages[1]


def test_form_sent_faster_than_anybody_types_is_filed_as_spam(client: FlaskClient) -> None:
    send(client, token=a_token(age=0))
    send(client, token=a_token(age=3))
    assert [re.sub("[012] s .*", "", reason(ticket) or "") for ticket in tickets()] == ["sent ", ""]


def test_advertising_is_filed_as_spam(client: FlaskClient) -> None:
    send(client, message="Best SEO service and backlinks for your casino")
    assert reason(tickets()[0]) == "its words look like spam (score 6)"


@pytest.mark.parametrize(
    ("name", "text", "score"),
    [
        ("Ruth", WORDS, 0),
        ("Ruth", "See https://a.example.org and https://b.example.org.", 0),
        ("Ruth", "https://a.example https://b.example https://c.example", 1),
        ("Ruth", "WHY DOES NOBODY ANSWER ME? THIS IS THE THIRD TIME I WRITE.", 1),
        ("Ruth", "NATO, EU and UN", 0),
        ("Ruth", "Your report on the casino was wrong.", 2),
        ("www.example.com", "I can write a guest post for you", 4),
        ("Ruth", " ".join(f"http://{letter}.example" for letter in "abcdef"), 4),
        ("", "", 0),
    ],
)
def test_content_score(name: str, text: str, score: int) -> None:
    assert content_score(name, text) == score


def test_angry_readers_are_no_machines() -> None:
    text = "THIS IS AN OUTRAGE! Look at https://a.example https://b.example https://c.example"
    assert spam_reason(trap="", seconds=20, name="Ruth", text=text) is None


def test_blocked_reader_is_filed_as_spam(client: FlaskClient) -> None:
    send(client)
    db.session.query(Reader).one().blocked_at = clock.now()
    db.session.commit()
    send(client, message="Again.")
    assert [reason(ticket) for ticket in tickets()] == [None, "the reader is blocked"]


def test_sixth_message_of_an_hour_from_one_address_is_filed_as_spam(client: FlaskClient) -> None:
    answers = [send(client, message=f"Message {number}") for number in range(6)]
    assert [answer.status_code for answer in answers] == [303] * 6
    assert [reason(ticket) for ticket in tickets()] == [None] * 5 + ["too many messages from one address"]


def test_network_and_everybody_have_their_own_limits(client: FlaskClient) -> None:
    send(client)
    db.session.query(RateCount).filter(RateCount.key.startswith("one network")).one().count = 30
    db.session.commit()
    send(client, message="Two")
    db.session.query(RateCount).filter(RateCount.key.startswith("one network")).one().count = 1
    db.session.query(RateCount).filter(RateCount.key.startswith("all readers")).one().count = 500
    db.session.commit()
    send(client, message="Three")
    expected = [None, "too many messages from one network", "too many messages from all readers"]
    assert [reason(ticket) for ticket in tickets()] == expected


def test_limits_are_those_of_the_last_hour(client: FlaskClient) -> None:
    send(client)
    for row in db.session.query(RateCount):
        row.count, row.expires_at = 1000, row.expires_at - timedelta(hours=2)
        row.window_start = row.window_start - timedelta(hours=2)
    db.session.commit()
    send(client, message="Two")
    assert [reason(ticket) for ticket in tickets()] == [None, None]


def test_class_57_forwarded_addresses_do_not_lift_the_limit(client: FlaskClient) -> None:
    for number in range(6):
        headers = {"X-Forwarded-For": f"192.0.2.{number}", "X-Real-IP": f"192.0.2.{number}"}
        send(client, message=f"Message {number}", headers=headers)
    assert reason(tickets()[5]) == "too many messages from one address"


def test_failed_attempts_and_repeated_sends_cost_nothing(client: FlaskClient) -> None:
    for _ in range(10):
        send(client, message="")
    token = a_token()
    for _ in range(10):
        send(client, token=token)
    assert {row.key.partition(":")[0]: row.count for row in db.session.query(RateCount)} == {
        "one address": 1, "one network": 1, "one mail address": 1, "all readers": 1, "receipt": 1, "all receipts": 1,
    }  # fmt: skip


def test_class_27_many_forms_that_name_a_victim_send_one_mail_without_their_words(client: FlaskClient) -> None:
    for number in range(4):
        send(client, email="Victim@example.com", name="Buy now", message=f"Cheap pills {number}")
    mails = outbox()
    assert [mail.recipients[0].address for mail in mails] == ["Victim@example.com"]
    words = mails[0].subject + text_of(mails[0]) + html_of(mails[0])
    assert re.findall("Cheap|pills|Buy|now!", words) == []
