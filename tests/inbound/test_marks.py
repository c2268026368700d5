"""Where an address can carry no token: a mark at the end of our mails, quoted in the answer, names the ticket."""

import base64
import quopri
from textwrap import wrap

import pytest
from flask import Flask

from helpdesk import tokens
from helpdesk.database import db
from helpdesk.inbound.matching import Match, match
from helpdesk.inbound.operations import process, receive
from helpdesk.inbound.parsing import parse
from helpdesk.outbound.rendering import html_of, text_of
from helpdesk.tickets.links import mark_of, new_message_id, tickets_of_marks
from helpdesk.tickets.models import Ticket
from helpdesk.tickets.replying import reply
from helpdesk.tokens import Keyring, Kind
from tests.cast import RUTH, Cast
from tests.factories import make_ticket, outbox
from tests.letters import letter

WHY = "it quotes a mail of ours with its mark"
PLAIN = "text/plain; charset=utf-8"


@pytest.fixture(autouse=True)
def _without_plus(app: Flask) -> None:
    app.extensions["settings"] = app.extensions["settings"].model_copy(update={"plus_addressing": False})


@pytest.fixture
def ticket(cast: Cast) -> Ticket:
    return make_ticket(cast)


def quoted(text: str, prefix: str = "> ") -> str:
    """An answer above a quotation, as most programs write it."""
    return "Thank you.\n\nOn 23 November 2026, Ann wrote:\n" + "".join(f"{prefix}{line}\n" for line in text.split("\n"))


def found(body: str, **fields: object) -> int | None:
    return match(parse(letter(body=body, **fields))).ticket_id  # type: ignore[arg-type]


def test_our_mails_end_with_the_mark_and_go_back_to_the_plain_address(cast: Cast, ticket: Ticket) -> None:
    reply(ticket, body="You are right.", by=cast.ann)
    for mail in outbox():
        assert (mail.reply_to, mail.envelope_from) == ("support@example.org", "support@example.org")
        assert tickets_of_marks(text_of(mail)) == tickets_of_marks(html_of(mail)) == [ticket.id]


def test_an_answer_that_quotes_the_mark_joins_its_ticket(cast: Cast, ticket: Ticket) -> None:
    reply(ticket, body="You are right.", by=cast.ann)
    before = ticket.message_count
    email = receive(letter(body=quoted(text_of(outbox()[-1]))))
    process(email.id)
    assert email.became is not None
    assert (email.became.ticket_id, email.became.body_text, email.reason) == (ticket.id, "Thank you.", WHY)
    assert (ticket.message_count, db.session.query(Ticket).count()) == (before + 1, 1)


def test_a_stranger_who_quotes_the_mark_is_shown_as_another_address(cast: Cast, ticket: Ticket) -> None:
    email = receive(letter(from_="paul@example.com", body=quoted(mark_of(ticket))))
    process(email.id)
    assert email.became is not None
    assert (email.became.ticket_id, email.became.from_address) == (ticket.id, "paul@example.com")
    assert ticket.reader is not None
    assert ticket.reader.address == RUTH


@pytest.mark.parametrize("prefix", ["> ", ">", ">> ", "> > > ", ">>>>>> ", "| ", "", "    ", " > | > "], ids=repr)
def test_a_mark_is_found_behind_any_quotation_mark(ticket: Ticket, prefix: str) -> None:
    assert found(quoted(mark_of(ticket), prefix)) == ticket.id


@pytest.mark.parametrize("width", range(12, 60, 5))
@pytest.mark.parametrize("prefix", ["> ", ">> ", ""])
def test_a_mark_is_found_in_lines_that_were_broken(ticket: Ticket, width: int, prefix: str) -> None:
    assert found(quoted("\n".join(wrap(mark_of(ticket), width)), prefix)) == ticket.id


def test_a_mark_is_found_in_capitals_and_between_signs_that_nobody_sees(ticket: Ticket) -> None:
    mark = mark_of(ticket)
    assert found(quoted(mark.upper())) == ticket.id
    for sign in ("\u200b", "\u00ad", "\u200f", "\u202a", "\u2068", "\ufeff", "\u00a0", "\r\n"):
        assert found(quoted(mark[:20] + sign + mark[20:])) == ticket.id, repr(sign)


def test_a_mark_is_found_whatever_carries_it(ticket: Ticket) -> None:
    body = quoted(mark_of(ticket)).replace("\n", "\r\n")
    printable = quopri.encodestring(body.encode()).decode()
    assert found(printable, headers={"Content-Transfer-Encoding": "quoted-printable"}) == ticket.id
    based = base64.encodebytes(body.encode()).decode()
    assert found(based, headers={"Content-Transfer-Encoding": "base64"}) == ticket.id
    assert found(body.replace("\r\n", " \r\n"), headers={"Content-Type": f"{PLAIN}; format=flowed"}) == ticket.id


@pytest.mark.parametrize(
    "shape",
    [
        "<p>Thank you.</p><blockquote>{mark}</blockquote>",
        "<div>Thank you.</div><div><div><div style='border-left:1px'><p>{mark}</p></div></div></div>",
        "<table><tr><td>Thank you.</td></tr><tr><td>{first}<wbr>{rest}</td></tr></table>",
        "<p>Thank you.</p><p>{first}<span>\n{rest}</span></p>",
        "<p>Thank you.</p><p>{entities}</p>",
    ],
)
def test_a_mark_is_found_in_html_alone(ticket: Ticket, shape: str) -> None:
    mark = mark_of(ticket)
    entities = mark.replace("[", "&#91;").replace("]", "&#93;").replace(" ", "&nbsp;")
    body = shape.format(mark=mark, first=mark[:25], rest=mark[25:], entities=entities)
    assert found(body, headers={"Content-Type": "text/html; charset=utf-8"}) == ticket.id


@pytest.mark.parametrize(
    ("charset", "words"),
    [
        ("gb2312", "谢谢。\n\n2026年11月23日 安写道:\n"), ("iso-2022-jp", "ありがとう。\n\n2026年11月23日 アンさん:\n"),
        ("euc-kr", "감사합니다.\n\n2026년 11월 23일, 앤 작성:\n"), ("koi8-r", "Спасибо.\n\n23 ноября 2026, Анна пишет:\n"),
        ("windows-1256", "شكرا.\n\nكتبت آن:\n"), ("utf-8", "תודה.\n\n\u200fב-23 בנובמבר 2026 מאת אן:\n"),
    ],
)  # fmt: skip
def test_a_mark_is_found_in_every_script(ticket: Ticket, charset: str, words: str) -> None:
    ascii_mark = mark_of(ticket).replace("·", "-")
    head = letter(body="", headers={"Content-Type": f"text/plain; charset={charset}"})
    assert match(parse(head + f"{words}> {ascii_mark}\n".encode(charset))).ticket_id == ticket.id


def test_a_mark_in_the_html_counts_when_the_text_is_cut_short(ticket: Ticket) -> None:
    assert match(parse(two_parts("Thank you.", f"<p>Thank you.</p><p>{mark_of(ticket)}</p>"))).ticket_id == ticket.id


def test_an_address_and_a_message_id_outrank_the_mark(app: Flask, cast: Cast, ticket: Ticket) -> None:
    other = make_ticket(cast, body="Another matter")
    assert found(quoted(mark_of(ticket)), headers={"In-Reply-To": f"<{new_message_id(other)}>"}) == other.id
    token = tokens.keyring().issue(Kind.READER_REPLY, other.id.to_bytes(5))
    assert found(quoted(mark_of(ticket)), to=f"support+{token}@example.org") == other.id


def test_marks_are_read_when_plus_addressing_is_on_again(app: Flask, ticket: Ticket) -> None:
    body = quoted(mark_of(ticket))
    app.extensions["settings"] = app.extensions["settings"].model_copy(update={"plus_addressing": True})
    assert found(body) == ticket.id


def test_class_17_two_marks_that_differ_count_for_nothing_and_staff_get_a_hint(cast: Cast, ticket: Ticket) -> None:
    other = make_ticket(cast, body="Another matter")
    body = quoted(mark_of(other)) + quoted(mark_of(ticket))
    why = "it quotes the marks of different tickets: a new ticket"
    assert match(parse(letter(body=body))) == Match(None, why, hint_id=other.id)
    assert match(parse(two_parts(mark_of(other), mark_of(ticket)))) == Match(None, why, hint_id=other.id)
    email = receive(letter(body=body))
    process(email.id)
    assert email.became is not None
    opened = email.became.ticket
    assert opened.id not in (ticket.id, other.id)
    assert opened.events[0].data["maybe"] == other.number


def test_a_mark_that_stands_twice_is_one(ticket: Ticket) -> None:
    assert found(quoted(mark_of(ticket)) + quoted(mark_of(ticket), "> > ")) == ticket.id


def test_who_forwards_a_mail_of_ours_does_not_answer_it(ticket: Ticket) -> None:
    head = "---------- Forwarded message ---------\nFrom: Ann <support@example.org>\nSubject: Re: The bridge\n\n"
    body = f"Look what they wrote.\n\n{head}You are right.\n\n{mark_of(ticket)}\n"
    assert match(parse(letter(body=body))) == Match(None, "it forwards a mail of ours: a new ticket", hint_id=ticket.id)
    assert found(quoted(f"You are right.\n{mark_of(ticket)}\nOn Monday Ruth wrote:\n> {head}> Look.")) == ticket.id


def test_class_17_every_flipped_letter_of_a_mark_is_refused(ticket: Ticket) -> None:
    text, _, rest = mark_of(ticket).partition("[")
    token = rest.rstrip("]")
    for place, right in enumerate(token):
        for wrong in "abcdefghijklmnopqrstuvwxyz234567".replace(right, ""):
            assert tickets_of_marks(f"{text}[{token[:place]}{wrong}{token[place + 1 :]}]") == []


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.MARK])
def test_class_17_a_token_of_another_kind_is_no_mark(ticket: Ticket, kind: Kind) -> None:
    token = tokens.keyring().issue(kind, ticket.id.to_bytes(5))
    assert found(quoted(f"Ticket {ticket.number} · [{token}]")) is None


def test_class_17_a_mark_is_no_reply_address_and_of_another_desk_is_none(ticket: Ticket) -> None:
    token = mark_of(ticket).partition("[")[2].rstrip("]")
    foreign = Keyring.of(["the secret of another desk, 32 characters or more"]).issue(Kind.MARK, ticket.id.to_bytes(5))
    assert found("Hello", to=f"support+{token}@example.org", headers={"In-Reply-To": f"<{token}@example.org>"}) is None
    assert found(quoted(f"Ticket {ticket.number} · [{foreign}]")) is None


@pytest.mark.parametrize(
    "shape", ["Ticket {number}", "Ticket {number} · [{id}]", "[#{number}]", "Ticket {number} · []", "{half}", "{open}"]
)
def test_class_13_and_18_nothing_that_can_be_made_up_is_a_mark(ticket: Ticket, shape: str) -> None:
    mark = mark_of(ticket)
    made_up = shape.format(number=ticket.number, id=ticket.id, half=mark[: len(mark) // 2] + "]", open=mark[:-1])
    assert found(quoted(made_up)) is None


@pytest.mark.parametrize("piece", ["[", "[a", "[a" + ">" * 70, "[" + "a" * 37 + "]", "> ", "[ \n"])
def test_class_22_looking_for_marks_takes_no_more_than_a_walk_through_the_text(ticket: Ticket, piece: str) -> None:
    text = piece * (1_000_000 // len(piece))
    assert tickets_of_marks(text) == []
    assert tickets_of_marks("x" * 900_000 + mark_of(ticket)) == [ticket.id]


def two_parts(text: str, html: str) -> bytes:
    """A mail with a text and its HTML twin."""
    head = letter(body="", headers={"Content-Type": 'multipart/alternative; boundary="sep"'})
    parts = (("plain", text), ("html", html))
    body = "".join(f"--sep\r\nContent-Type: text/{kind}; charset=utf-8\r\n\r\n{said}\r\n" for kind, said in parts)
    return head + f"{body}--sep--\r\n".encode()
