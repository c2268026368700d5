"""A mail as bytes: addresses of any script, lines of any length, pictures in their place."""

from collections.abc import Callable
from email.message import EmailMessage

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpdesk.addresses import named
from helpdesk.outbound.letters import letter_of
from helpdesk.outbound.models import DeliveryState
from helpdesk.outbound.transport import NO_UTF8
from helpdesk.tickets.delivery import deliver_due
from helpdesk.tickets.replying import reply
from helpdesk.uploads import store
from tests.cast import Cast
from tests.factories import make_ticket, outbox
from tests.letters import put, states, use_server
from tests.servers.smtp import SmtpServer

FAILED, SENT = DeliveryState.FAILED, DeliveryState.SENT
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 32
LONG = "x" * 10_000
any_name = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=150)


def test_an_address_beyond_ascii_is_sent_with_smtputf8(app: Flask, smtp: SmtpServer) -> None:
    use_server(app, smtp)
    put(to="zoë@bücher.example")
    put(to="ruth@example.com")
    deliver_due("one")
    assert states() == [(None, SENT)] * 2
    assert [mail.recipients for mail in smtp.mails] == [("zoë@xn--bcher-kva.example",), ("ruth@example.com",)]
    assert "To: zoë@xn--bcher-kva.example\r\n".encode() in smtp.mails[0].raw
    assert smtp.mails[1].raw.isascii()


def test_without_smtputf8_such_an_address_is_refused_in_a_sentence_and_others_get_theirs(
    app: Flask, start_smtp_server: Callable[..., SmtpServer]
) -> None:
    server = start_smtp_server(has_utf8=False)
    use_server(app, server)
    for address in ("zoë@example.com", "ruth@example.com", "paul@bücher.example"):
        put(to=address)
    deliver_due("one")
    assert states() == [(NO_UTF8, FAILED), (None, SENT), (None, SENT)]
    assert [mail.recipients for mail in server.mails] == [("ruth@example.com",), ("paul@xn--bcher-kva.example",)]
    assert len(server.peers) == 1


def test_a_domain_with_a_sharp_s_is_not_the_one_with_two(app: Flask, smtp: SmtpServer) -> None:
    use_server(app, smtp)
    put(to="ruth@straße.example")
    deliver_due("one")
    assert smtp.mails[0].recipients == ("ruth@xn--strae-oqa.example",)


def test_our_own_address_may_have_such_a_domain(app: Flask, smtp: SmtpServer) -> None:
    use_server(app, smtp)
    address = "post@zeitung-köln.example"
    put(sender=named("Zeitung für Köln", address), reply_to=address, envelope_from=address)
    deliver_due("one")
    mail = smtp.mails[0]
    ours = "post@xn--zeitung-kln-zfb.example"
    assert (mail.envelope_from, mail.parsed["Reply-To"]) == (ours, ours)
    assert mail.parsed["From"].addresses[0].display_name == "Zeitung für Köln"


@pytest.mark.parametrize("address", ["", "ruth", "a b@example.com", "<ruth@example.com>", "a@b@example.com", "a@b,c@d"])
def test_class_32_what_is_no_address_is_never_sent_to(app: Flask, smtp: SmtpServer, address: str) -> None:
    use_server(app, smtp)
    put(to=address)
    put(to="ruth@example.com")
    deliver_due("one")
    assert [state for _, state in states()] == [FAILED, SENT]
    assert (states()[0][0] or "").endswith("is no address that mail can be sent to.")


@pytest.mark.parametrize("text", [LONG, "é" * 10_000, "日本" * 5_000, "x" * 999 + " " + "y" * 999])
def test_a_word_of_any_length_fits_into_every_line(app: Flask, smtp: SmtpServer, text: str) -> None:
    use_server(app, smtp)
    put(subject=text, sender_name=text, body=f"{text}\n\n**{text}**", headers={"X-Note": "kept"})
    deliver_due("one")
    [mail] = smtp.mails
    assert max(map(len, mail.raw.split(b"\r\n"))) <= 998
    assert mail.raw.isascii()
    assert mail.parsed["Subject"] == text
    assert words_of(mail.parsed, "plain").strip() == f"{text}\r\n\r\n**{text}**"
    assert f"<strong>{text}</strong>" in words_of(mail.parsed, "html")


@given(name=any_name)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
def test_a_file_of_any_name_keeps_it_and_no_line_grows_too_long(app: Flask, name: str) -> None:
    from email import message_from_bytes, policy

    key = store("x", b"content").storage_key
    mail = put(to="ruth@example.com", files=[{"name": name, "media_type": "text/plain", "key": key}])
    raw = letter_of(mail.recipients[0]).raw
    parsed = message_from_bytes(raw, policy=policy.default)
    assert isinstance(parsed, EmailMessage)
    assert [part.get_content() for part in parsed.iter_attachments()] == ["content"]
    assert max(map(len, raw.split(b"\r\n"))) <= 998


@pytest.mark.parametrize("name", ["plaque.png", "über „Brücken“ 橋.txt", "😀" * 150, 'a "quoted" name; x=y.txt'])
def test_the_name_of_a_file_arrives(app: Flask, smtp: SmtpServer, name: str) -> None:
    use_server(app, smtp)
    put(files=[{"name": name, "media_type": "text/plain", "key": store("x", b"content").storage_key}])
    deliver_due("one")
    assert [part.get_filename() for part in smtp.mails[0].parsed.iter_attachments()] == [name]


def test_a_picture_that_the_text_shows_is_part_of_its_html(app: Flask, cast: Cast, smtp: SmtpServer) -> None:
    use_server(app, smtp)
    files = (store("the plaque.png", PNG), store("words.txt", b"words"), store("other.png", PNG))
    ticket = make_ticket(cast, wants_answer=False)
    reply(ticket, body="Look:\n\n![The plaque of 1932](the plaque.png)\n\nYours", by=cast.ann, files=files)
    deliver_due("one")
    mail = smtp.mails[0].parsed
    assert [part.get_content_type() for part in mail.walk()] == [
        "multipart/mixed",
        "multipart/alternative", "text/plain",
        "multipart/related", "text/html", "image/png",
        "text/plain", "image/png",
    ]  # fmt: skip
    related = next(part for part in mail.walk() if part.get_content_type() == "multipart/related")
    assert related.get_param("type") == "text/html"
    picture = related.get_payload()[1]
    content_id = picture["Content-ID"].strip("<>")
    assert (picture.get_content_disposition(), picture.get_filename(), picture.get_content()) == (
        "inline", "the plaque.png", PNG,
    )  # fmt: skip
    html = words_of(mail, "html")
    assert f'<img src="cid:{content_id}" alt="The plaque of 1932"' in html
    assert words_of(mail, "plain").split("\r\n")[:5] == ["Look:", "", "[The plaque of 1932]", "", "Yours"]
    assert [part.get_filename() for part in mail.iter_attachments()] == ["words.txt", "other.png"]


def test_of_two_pictures_with_one_name_the_first_is_shown_and_both_are_sent(app: Flask, cast: Cast) -> None:
    files = (store("a.png", PNG), store("a.png", PNG + b"2"))
    reply(make_ticket(cast), body="![](a.png) and again ![](a.png)", by=cast.ann, files=files)
    shown = [file.get("content_id") for file in outbox()[-1].files]
    assert (bool(shown[0]), shown[1]) == (True, None)


@pytest.mark.parametrize(
    ("written", "html"),
    [
        ("![x](https://tracker.example/p.gif)", ' href="https://tracker.example/p.gif">x</a>'),
        ("![](missing.png)", ' href="missing.png">missing.png</a>'),
        ('![x" onerror="alert(1)](a.png)', 'alt="x&quot; onerror=&quot;alert(1)"'),
        ("![<b>](https://tracker.example/p.gif)", ' href="https://tracker.example/p.gif">&lt;b&gt;</a>'),
    ],
)
def test_class_64_a_picture_from_elsewhere_is_a_link(cast: Cast, written: str, html: str) -> None:
    reply(make_ticket(cast), body=written, by=cast.ann, files=(store("a.png", PNG),))
    mail = letter_of(outbox()[-1].recipients[0])
    assert html in str(mail.html)
    assert '<img src="http' not in str(mail.html)


def words_of(mail: EmailMessage, kind: str) -> str:
    """The text of a mail, plain or as HTML."""
    body = mail.get_body((kind,))
    assert body is not None
    return str(body.get_content())
