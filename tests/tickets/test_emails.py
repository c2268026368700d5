"""Every mail about a ticket, word for word."""

import re
from datetime import UTC, datetime
from email import message_from_bytes
from pathlib import Path

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from helpdesk import clock
from helpdesk.addresses import split_token
from helpdesk.database import db
from helpdesk.outbound.letters import letter_of
from helpdesk.outbound.models import OutboundEmail
from helpdesk.outbound.rendering import html_of, text_of
from helpdesk.tickets.links import ticket_of_address, ticket_of_message_id
from helpdesk.tickets.models import Then
from helpdesk.tickets.operations import follow_up
from helpdesk.tickets.replying import add_note, reply
from helpdesk.tokens import Keyring, Kind
from tests.cast import Cast
from tests.factories import follow_up_letter, make_ticket, outbox

GOLDEN = Path(__file__).parents[1] / "emails"
MORNING = datetime(2026, 11, 23, 9, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _nine_twelve(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: MORNING)


def test_the_receipt_reads_as_agreed(cast: Cast) -> None:
    make_ticket(cast)
    assert as_text(outbox()[-1]) == golden("receipt")


def test_nobody_waits_for_a_receipt_as_for_a_reply(cast: Cast) -> None:
    reply(make_ticket(cast), body="You are right.", by=cast.ann)
    assert [(mail.template, mail.recipients[0].automatic) for mail in outbox()] == [
        ("emails/receipt", True), ("emails/reply", False),
    ]  # fmt: skip


def test_the_reply_reads_as_agreed(cast: Cast) -> None:
    ticket = make_ticket(cast)
    ticket.article.title = "The bridge that took ten years"
    db.session.commit()
    reply(
        ticket, body="Dear Ruth,\n\nyou are right: **1932**. We have corrected it.\n\nAnn", by=cast.ann, then=Then.CLOSE
    )
    assert as_text(outbox()[-1]) == golden("reply")


def test_without_plus_addressing_our_mails_end_with_a_mark(app: Flask, cast: Cast) -> None:
    app.extensions["settings"] = app.extensions["settings"].model_copy(update={"plus_addressing": False})
    reply(make_ticket(cast), body="Dear Ruth,\n\nyou are right.\n\nAnn", by=cast.ann, then=Then.CLOSE)
    assert [as_text(mail) for mail in outbox()] == [golden("receipt_without_plus"), golden("reply_without_plus")]


def test_a_reply_answers_the_whole_thread(cast: Cast) -> None:
    ticket = make_ticket(cast)
    first = reply(ticket, body="Which bridge?", by=cast.ann)
    follow_up(ticket, letter=follow_up_letter(message_id="her-answer@example.com"))
    reply(ticket, body="Thank you.", by=cast.ann)
    mail = outbox()[-1]
    assert mail.headers["In-Reply-To"] == "<her-answer@example.com>"
    assert mail.headers["References"] == f"<{first.message_id}> <her-answer@example.com>"


def test_the_way_back_leads_to_the_ticket_and_nowhere_else(cast: Cast) -> None:
    ticket, other = make_ticket(cast), make_ticket(cast, body="Another matter")
    reply(ticket, body="Hello", by=cast.ann)
    mail = outbox()[-1]
    assert (ticket_of_address(mail.reply_to), ticket_of_address(mail.reply_to.upper())) == (ticket.id, ticket.id)
    assert ticket_of_message_id(mail.message_id) == ticket.id != other.id
    assert len(mail.reply_to.partition("@")[0]) <= 64


def test_class_12_a_note_never_reaches_a_reader(cast: Cast) -> None:
    ticket = make_ticket(cast)
    add_note(ticket, body="CANARY-NOTE", by=cast.eve)
    reply(ticket, body="Hello", by=cast.ann)
    mails = [(mail.subject, text_of(mail), html_of(mail), str(mail.headers)) for mail in outbox()]
    assert "CANARY-NOTE" not in str(mails)


def test_class_1_a_readers_html_is_text_in_our_mail(cast: Cast) -> None:
    ticket = make_ticket(cast, body='<script>alert(1)</script><img src=x onerror="alert(1)">', name="<b>Ruth</b>")
    reply(ticket, body="<script>alert(2)</script>", by=cast.ann)
    html = html_of(outbox()[-1])
    assert re.findall(r"<(script|img|b)\b", html) == []


def test_class_64_our_mails_hold_no_pixel_and_no_redirect(cast: Cast) -> None:
    ticket = make_ticket(cast)
    reply(ticket, body="See https://example.com/a", by=cast.ann)
    for mail in outbox():
        links = re.findall(r'href="([^"]+)"', html_of(mail))
        assert re.findall(r"<img|url\(|<script|<link", html_of(mail)) == []
        assert all(
            link.startswith(("http://localhost/ticket/", "https://example.com/a", ticket.article.canonical_url))
            for link in links
        )


@pytest.mark.parametrize("control", ["\r\n", "\n", "\r", "\0", "\x85", "\u2028", "\u2029"])
def test_class_31_no_control_character_enters_a_header(cast: Cast, control: str) -> None:
    evil = f"x{control}Bcc: eve@example.org"
    ticket = make_ticket(cast, name=evil, subject=evil)
    reply(ticket, body="Hello", by=cast.ann)
    mail = outbox()[-1]
    names = message_from_bytes(letter_of(mail.recipients[0]).raw).keys()
    assert sorted(names) == [
        "Content-Type",
        "Date",
        "From",
        "MIME-Version",
        "Message-ID",
        "Reply-To",
        "Subject",
        "To",
        "X-Helpdesk-Loop",
    ]


def test_class_17_every_flipped_bit_of_a_token_is_refused() -> None:
    ring = Keyring.of(["k" * 32])
    token = ring.issue(Kind.READER_REPLY, (42).to_bytes(5))
    assert ring.read(Kind.READER_REPLY, token) == (42).to_bytes(5)
    for place, letter in enumerate(token):
        for other in "abcdefghijklmnopqrstuvwxyz234567":
            if other != letter:
                assert ring.read(Kind.READER_REPLY, token[:place] + other + token[place + 1 :]) is None


def test_class_17_old_keys_still_read_and_other_installations_do_not() -> None:
    old, rotated = Keyring.of(["o" * 32]), Keyring.of(["n" * 32, "o" * 32])
    token = old.issue(Kind.MESSAGE_ID, b"payload")
    assert (rotated.read(Kind.MESSAGE_ID, token), Keyring.of(["n" * 32]).read(Kind.MESSAGE_ID, token)) == (
        b"payload",
        None,
    )
    assert rotated.read(Kind.STATUS_LINK, token) is None


@given(st.text())
def test_class_22_any_address_is_read_without_fault(address: str) -> None:
    parts = split_token(address)
    assert parts is None or all(parts)


def as_text(mail: OutboundEmail) -> str:
    """A mail as a person and a mail program see it; what is random is named."""
    head = {
        "From": mail.sender,
        "To": mail.recipients[0].address,
        "Reply-To": mail.reply_to,
        "Subject": mail.subject,
        **mail.headers,
    }
    lines = [f"{name}: {value}" for name, value in head.items()]
    text = "\n".join([*lines, "", text_of(mail), "---- HTML ----", html_of(mail).strip(), ""])
    text = re.sub(r"(support\+)[a-z2-7]+", r"\1TOKEN", text)
    text = re.sub(r"\[[a-z2-7]{37}\]", "[TOKEN]", text)
    return re.sub(r"(/ticket/)[a-z2-7]+", r"\1TOKEN", text)


def golden(name: str) -> str:
    """The agreed text."""
    return (GOLDEN / f"{name}.txt").read_text()
