"""What leaves over the wire, to a real SMTP server: every byte that matters, and whom we talk to at all."""

from collections.abc import Callable

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpdesk import files
from helpdesk.database import db
from helpdesk.errors import Invalid
from helpdesk.outbound.letters import letter_of
from helpdesk.outbound.models import DeliveryState
from helpdesk.outbound.operations import refuse_control
from helpdesk.tickets.delivery import deliver_due
from helpdesk.tickets.links import reply_address, ticket_of_address
from helpdesk.tickets.models import Then
from helpdesk.tickets.operations import follow_up
from helpdesk.tickets.replying import reply
from helpdesk.uploads import store
from tests.cast import RUTH, Cast
from tests.factories import follow_up_letter, make_ticket, outbox
from tests.letters import put, states, use_server
from tests.servers.fixtures import Certificates
from tests.servers.smtp import LOGIN, SilentServer, SmtpServer

HEADERS = ("message_id", "sender", "subject", "reply_to", "envelope_from", "to", "In-Reply-To", "References", "file")
BREAKS = ("\r\n", "\n", "\r", "\0", "\x85", "\u2028", "\u2029")


def test_a_reply_leaves_in_the_readers_thread(app: Flask, cast: Cast, smtp: SmtpServer) -> None:
    use_server(app, smtp)
    ticket = make_ticket(cast, wants_answer=False)
    first = reply(ticket, body="Which bridge?", by=cast.ann, then=Then.WAIT)
    follow_up(ticket, letter=follow_up_letter(message_id="her-answer@example.com"))
    second = reply(ticket, body="Thank you.", by=cast.ann, then=Then.CLOSE)
    assert deliver_due("one") == 2
    mail = smtp.mails[-1].parsed
    assert mail["Message-ID"] == f"<{second.message_id}>"
    assert mail["In-Reply-To"] == "<her-answer@example.com>"
    assert mail["References"].split() == [f"<{first.message_id}>", "<her-answer@example.com>"]
    assert mail["Reply-To"] == reply_address(ticket)
    assert (smtp.mails[-1].envelope_from, smtp.mails[-1].recipients) == (reply_address(ticket), (RUTH,))
    assert ticket_of_address(smtp.mails[-1].envelope_from) == ticket.id
    assert [state for _, state in states()] == [DeliveryState.SENT] * 2


def test_a_reply_has_a_text_and_an_html_part_and_nothing_of_the_machine(
    app: Flask, cast: Cast, smtp: SmtpServer
) -> None:
    use_server(app, smtp)
    ticket = make_ticket(cast, wants_answer=False)
    reply(ticket, body="You are right.", by=cast.ann)
    deliver_due("one")
    mail = smtp.mails[-1].parsed
    assert [part.get_content_type() for part in mail.walk()] == [
        "multipart/mixed", "multipart/alternative", "text/plain", "text/html",
    ]  # fmt: skip
    assert set(mail.keys()) == {
        "Content-Type", "MIME-Version", "Subject", "From", "To", "Date", "Message-ID", "Reply-To", "X-Helpdesk-Loop",
    }  # fmt: skip


def test_words_beyond_ascii_come_back_as_they_were(app: Flask, cast: Cast, smtp: SmtpServer) -> None:
    use_server(app, smtp)
    subject, name = "Größe und Übermaß " * 8 + "日本語", "Zoë “Ünal”, Москва 日本語 и многое другое ещё раз"
    key = store("x", b"content").storage_key
    file = {"name": "Über „Brücken“ 橋.txt", "media_type": "text/plain", "key": key}
    put(subject=subject, sender_name=name, body="Grüße, 橋\n", headers={"X-Note": "schön"}, files=[file])
    deliver_due("one")
    mail = smtp.mails[0].parsed
    assert (mail["Subject"], mail["X-Note"]) == (subject, "schön")
    assert [(box.display_name, box.addr_spec) for box in mail["From"].addresses] == [(name, "support@example.org")]
    body = mail.get_body(("plain",))
    assert body is not None
    assert body.get_content() == "Grüße, 橋\r\n"
    assert [(part.get_filename(), part.get_content()) for part in mail.iter_attachments()] == [
        (file["name"], "content")
    ]
    assert smtp.mails[0].raw.isascii()


def test_ids_longer_than_a_line_are_never_encoded(app: Flask, smtp: SmtpServer) -> None:
    use_server(app, smtp)
    ids = [f"<{'x' * 90}.{number}@mail.outlook.example.com>" for number in range(40)]
    put(message_id="k" * 60 + "@a-rather-long-domain.example.org", headers={"References": " ".join(ids)})
    deliver_due("one")
    mail = smtp.mails[0]
    assert b"<" + b"k" * 60 + b"@a-rather-long-domain.example.org>" in mail.raw
    assert mail.parsed["References"].split() == ids
    assert b"=?" not in mail.raw
    assert max(map(len, mail.raw.split(b"\r\n"))) <= 998


def test_a_line_of_any_length_arrives_whole(app: Flask, smtp: SmtpServer) -> None:
    use_server(app, smtp)
    text = "x" * 5000 + "\n" + "é" * 3000 + "\n"
    put(body=text)
    deliver_due("one")
    body = smtp.mails[0].parsed.get_body(("plain",))
    assert body is not None
    assert body.get_content().replace("\r\n", "\n") == text
    assert max(map(len, smtp.mails[0].raw.split(b"\r\n"))) <= 998


@pytest.mark.parametrize("dots", ["\n.\r\n", "\r\n.\r\n", "\r.\r", "\n.\n", "\r\n.\r", ".", "..", "\n..\n"])
def test_class_33_a_dot_in_the_text_ends_no_mail(app: Flask, smtp: SmtpServer, dots: str) -> None:
    use_server(app, smtp)
    smuggled = (
        f"before{dots}MAIL FROM:<eve@example.com>\r\nRCPT TO:<ruth@example.com>\r\nDATA\r\nFrom: eve{dots}after\n"
    )
    key = store("x", smuggled.encode()).storage_key
    put(body=smuggled, files=[{"name": "a.txt", "media_type": "text/plain", "key": key}])
    put(body="the next one\n")
    deliver_due("one")
    assert len(smtp.mails) == 2
    body = smtp.mails[0].parsed.get_body(("plain",))
    assert body is not None
    assert body.get_content().splitlines() == smuggled.splitlines()


@pytest.mark.parametrize("place", HEADERS)
@pytest.mark.parametrize("line_break", BREAKS)
def test_class_31_no_header_can_be_broken_out_of(app: Flask, place: str, line_break: str) -> None:
    hostile = f"x{line_break}Bcc: eve@example.com"
    with pytest.raises(Invalid):
        put(**_with(place, hostile))
    db.session.rollback()
    assert outbox() == []


def test_class_31_a_row_that_holds_a_break_all_the_same_is_not_sent(app: Flask, smtp: SmtpServer) -> None:
    use_server(app, smtp)
    email = put()
    email.headers = {"In-Reply-To": "<a@b>\r\nBcc: eve@example.com"}
    db.session.commit()
    put(body="the next one\n")
    deliver_due("one")
    assert [state for _, state in states()] == [DeliveryState.FAILED, DeliveryState.SENT]
    assert len(smtp.mails) == 1


@given(st.text(max_size=80))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
def test_class_31_any_text_in_name_and_subject_makes_exactly_the_headers_we_mean(app: Flask, text: str) -> None:
    try:
        refuse_control(text)
        text.encode()
    except (Invalid, UnicodeEncodeError):
        return
    email = put(subject=text, sender_name=text, to="ruth@example.com")
    raw = letter_of(email.recipients[0]).raw
    names = [line.split(b":")[0] for line in raw.split(b"\r\n\r\n")[0].split(b"\r\n") if line[:1] not in b" \t"]
    wanted = [b"Subject"] if text else []
    assert sorted(names) == sorted(
        [b"Content-Type", b"MIME-Version", b"From", b"To", b"Date", b"Message-ID", b"Reply-To", *wanted]
    )


def test_class_32_one_recipient_is_one_recipient(app: Flask, smtp: SmtpServer) -> None:
    use_server(app, smtp)
    for address in (
        "a@example.com,b@example.com",
        "group: a@example.com, b@example.com;",
        "a@example.com> b@example.com",
    ):
        put(to=address)
    deliver_due("one")
    assert [mail.recipients for mail in smtp.mails if len(mail.recipients) != 1] == []
    assert len(smtp.mails) <= 3


def test_a_mail_whose_file_is_gone_fails_and_the_next_leaves(app: Flask, smtp: SmtpServer) -> None:
    use_server(app, smtp)
    key = store("x", b"content").storage_key
    put(files=[{"name": "a.txt", "media_type": "text/plain", "key": key}])
    put()
    files.delete(key)
    deliver_due("one")
    assert [state for _, state in states()] == [DeliveryState.FAILED, DeliveryState.SENT]
    assert len(smtp.peers) == 1


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_server_with_a_trusted_certificate_gets_login_and_mail(
    app: Flask, certificates: Certificates, start_smtp_server: Callable[..., SmtpServer], security: str
) -> None:
    server = start_smtp_server(security, certificates.good)
    use_server(app, server, ca_file=certificates.good.chain)
    put()
    deliver_due("one")
    assert (len(server.mails), server.logins) == (1, [LOGIN])


@pytest.mark.parametrize("bad", ["stranger", "expired", "elsewhere"])
@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_class_65_a_bad_certificate_gets_neither_password_nor_mail(
    app: Flask, certificates: Certificates, start_smtp_server: Callable[..., SmtpServer], security: str, bad: str
) -> None:
    certificate = getattr(certificates, bad)
    server = start_smtp_server(security, certificate)
    trusted = certificates.good if bad == "stranger" else certificate
    use_server(app, server, ca_file=trusted.chain)
    put()
    deliver_due("one")
    assert (server.mails, server.logins) == ([], [])
    [(error, state)] = states()
    assert state is DeliveryState.QUEUED
    assert error is not None
    assert "certificate verify failed" in error


def test_class_65_a_server_that_offers_no_starttls_gets_neither_password_nor_mail(app: Flask, smtp: SmtpServer) -> None:
    use_server(app, smtp, security="starttls")
    put()
    deliver_due("one")
    assert (smtp.mails, smtp.logins) == ([], [])
    assert states() == [("STARTTLS extension not supported by server.", DeliveryState.QUEUED)]


def test_a_server_that_never_speaks_costs_one_timeout_and_no_mail(app: Flask, silent_server: SilentServer) -> None:
    use_server(app, silent_server, timeout=1)
    put()
    put()
    deliver_due("one")
    assert states() == [
        ("Connection unexpectedly closed: timed out", DeliveryState.QUEUED), (None, DeliveryState.QUEUED),
    ]  # fmt: skip


def test_a_wrong_password_keeps_the_mail_and_says_so_without_the_password(
    app: Flask, certificates: Certificates, start_smtp_server: Callable[..., SmtpServer]
) -> None:
    server = start_smtp_server("tls", certificates.good)
    use_server(app, server, ca_file=certificates.good.chain, password="not the password")
    put()
    deliver_due("one")
    [(error, state)] = states()
    assert (server.mails, state) == ([], DeliveryState.QUEUED)
    assert error is not None
    assert "535" in error
    assert "not the password" not in error


def _with(place: str, value: str) -> dict[str, object]:
    if place in ("In-Reply-To", "References"):
        return {"headers": {place: value}}
    if place == "file":
        return {"files": [{"name": value, "media_type": "text/plain", "key": "k"}]}
    return {place: value}
