"""Any bytes become a ParsedEmail, and what real clients write is read as they meant it."""

import base64
import hashlib
import time
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpdesk.file_names import NAME_LENGTH, safe_name
from helpdesk.inbound.headers import decode_words, read_date, read_parameters
from helpdesk.inbound.mailboxes import Mailbox
from helpdesk.inbound.parsing import ParsedEmail, parse
from helpdesk.inbound.quoting import split

EML = Path(__file__).parents[1] / "eml"
STORED = sorted(path.stem for path in EML.glob("*.eml"))
TOP = b"From: Ruth <ruth@example.org>\r\nSubject: Hello\r\n"


def mail(name: str) -> ParsedEmail:
    return parse((EML / f"{name}.eml").read_bytes())


def subject_of(header: str) -> str:
    return parse(f"Subject: {header}\n\nx".encode()).subject


def sender_of(header: str) -> Mailbox | None:
    return parse(f"From: {header}\n\nx".encode()).from_


def test_what_only_looks_like_a_file_in_the_text_stays_text():
    for lines in (
        b"begin 644 x\nno uuencode, as the small letters show\nend",
        b"begin 644 x\nend",
        b"begin 644 x\n#86)C\n",
    ):
        read = parse(TOP + b"\r\n" + lines)
        assert (read.text, read.attachments) == (lines.decode().strip(), ())


def test_class_40_headers_broken_again_and_again_are_read_to_a_bound():
    read = parse(b"From: Ruth <ruth@example.org>\n" + b"stray line\nReceived: by x\n" * 2_000 + b"\nHello")
    assert read.from_ == Mailbox("Ruth", "ruth@example.org")
    assert read.text.endswith("Hello")


def test_an_ordinary_reply_is_read_whole():
    read = mail("gmail_reply")
    assert read.from_ == Mailbox("Teresa Lomax", "teresa.lomax@example.com")
    assert read.to == (Mailbox("The Example", "support+k1vze72fag@example.com"),)
    assert read.subject == "Re: A wrong date in your article"
    assert read.date == datetime.fromisoformat("2026-11-23T21:40:40+00:00")
    assert read.message_id == "CANJoNu=0pc6aRZeTvNCztZtjB4djM+ddP7Sjsr@mail.gmail.com"
    assert read.in_reply_to == ("ticket-851.7@example.com",)
    assert read.references == ("ticket-851.1@example.com", "ticket-851.7@example.com")
    assert read.text.startswith("Thank you, the date is right now.\n\nBut the caption")
    assert read.html is not None
    assert read.html.startswith('<div dir="ltr">')
    assert read.attachments == ()
    assert read.unreadable is None


@pytest.mark.parametrize("name", STORED)
def test_no_stored_mail_is_unreadable(name: str):
    assert mail(name).unreadable is None


def test_raw_latin1_headers_follow_the_charset_of_the_body():
    read = mail("latin1_raw_headers")
    assert read.from_ == Mailbox("Jürgen Müßig", "juergen@example.org")
    assert read.subject == "Grüße aus Köln"
    assert read.text == "Schöne Grüße - aus Köln"


def test_gb2312_is_read_as_its_superset():
    read = mail("gb2312")
    assert (read.from_, read.subject) == (Mailbox("张三", "zhang@example.org"), "日期错误")
    assert read.text == "日期错误，请更正。镕"  # noqa: RUF001


def test_html_alone_becomes_text_row_by_row():
    assert mail("html_only").text == "Hello desk,\n\ntwo teams have changed places:\n\nSpain 4\nItaly 5"


def test_text_that_only_points_at_the_html_gives_way_to_it():
    assert mail("html_view_in_browser").text.startswith("The chart in your article about rain is wrong")


def test_soft_line_breaks_are_joined():
    assert (
        mail("flowed").text.split("\n")[0]
        == "Tulips go four inches deep and not fourteen, as the column would have it."
    )


def test_file_names_of_every_make_are_read_and_made_safe():
    assert [(part.name, part.media_type) for part in mail("rfc2231_names").attachments] == [
        ("Grüße aus Berlin.pdf", "application/pdf"),
        ("Bärlin.png", "image/png"),
        ("Größe der Häuser.csv", "text/csv"),
        ("evil", "application/octet-stream"),
    ]


def test_an_attached_mail_is_kept_whole_and_never_read_as_the_body():
    read = mail("attached_mail")
    assert read.text == "You asked for his own words, so here they are, untouched."
    [part] = read.attachments
    assert (part.name, part.media_type) == ("The meteor of 1913.eml", "message/rfc822")
    assert parse(part.content).text == "I counted eleven fragments, and never said twelve."


def test_an_inline_picture_keeps_its_content_id():
    [part] = mail("inline_image").attachments
    assert (part.name, part.content_id, part.inline, part.content) == (
        "tablet.png",
        "7C1E09A2-5B@prado",
        True,
        b"\x89PNG\r\n\x1a\n",
    )


def test_winmail_is_an_attachment_like_any_other():
    [part] = mail("winmail").attachments
    assert (part.name, part.media_type, part.inline) == ("winmail.dat", "application/ms-tnef", False)


def test_a_mail_without_message_id_after_blank_lines_is_read():
    read = mail("no_message_id")
    assert (read.message_id, read.subject, read.text) == (None, "No id at all", "Just text.")


def test_headers_after_junk_are_found():
    read = parse(b"some junk here\nmore junk\nFrom: ruth@example.org\nSubject: Found\n\nText")
    assert (read.from_, read.subject, read.text) == (Mailbox("", "ruth@example.org"), "Found", "Text")


def test_text_without_any_header_is_the_body():
    assert parse(b"Just a sentence.\nAnd another.").text == "Just a sentence.\nAnd another."


def test_nothing_at_all_is_an_empty_mail():
    read = parse(b"")
    assert (read.from_, read.subject, read.text, read.unreadable) == (None, "", "", None)


@pytest.mark.parametrize(
    ("header", "subject"),
    [
        ("=?utf-8?q?Gr=C3=BC=C3?= =?utf-8?q?=9Fe?=", "Grüße"),
        ("=?utf-8?B?R3LDvMOf?=\n =?utf-8?B?ZQ==?=", "Grüße"),
        ("=?utf-8?Q?two words here?=", "two words here"),
        ("=?utf-8?B?R3LDvMOfZQ?=", "Grüße"),
        ("Re: =?iso-8859-1?q?caf=E9?= au lait", "Re: café au lait"),
        ("=?ks_c_5601-1987?B?x9Gx2w==?=", "한글"),
        ("=?nonsense?q?abc?=", "abc"),
        ("=?utf-8?q?What??=", "What?"),
        ("=?utf-8*en?q?tagged?=", "tagged"),
        ("plain =? question", "plain =? question"),
        ("=?utf-8?q?a=0D=0ABcc:_eve@example.org?=", "a Bcc: eve@example.org"),
    ],
)
def test_subjects_of_every_make(header: str, subject: str):
    assert subject_of(header) == subject


@pytest.mark.parametrize(
    ("header", "sender"),
    [
        ("ruth@example.org", Mailbox("", "ruth@example.org")),
        ('"Reader, Ruth" <ruth@example.org>', Mailbox("Reader, Ruth", "ruth@example.org")),
        ("ruth@example.org (Ruth Reader)", Mailbox("Ruth Reader", "ruth@example.org")),
        ("Ruth Reader ruth@example.org", Mailbox("Ruth Reader", "ruth@example.org")),
        ("=?utf-8?q?M=C3=BCller=2C_Ruth?= <ruth@example.org>", Mailbox("Müller, Ruth", "ruth@example.org")),
        (
            "=?utf-8?q?Eve_=3Ceve=40example=2Enet=3E=2C?= <ruth@example.org>",
            Mailbox("Eve <eve@example.net>,", "ruth@example.org"),
        ),
        ("Reader, Ruth <ruth@example.org>", Mailbox("Reader, Ruth", "ruth@example.org")),
        ("R. Reader, Dr. phil., Ltd <ruth@example.org>", Mailbox("R. Reader, Dr. phil., Ltd", "ruth@example.org")),
        ("Desk, <ruth@example.org>", Mailbox("Desk,", "ruth@example.org")),
        ('"ruth reader"@example.org', Mailbox("", '"ruth reader"@example.org')),
        ("[ruth@example.org]", Mailbox("", "ruth@example.org")),
        ("Michiel Reader' <ruth@example.org>", Mailbox("Michiel Reader'", "ruth@example.org")),
        ("MAILER-DAEMON", Mailbox("", "MAILER-DAEMON")),
        ("<mailto:ruth@example.org>", Mailbox("", "ruth@example.org")),
        ("Ruth <ruth @ example.org>", Mailbox("Ruth", "ruth@example.org")),
        ("'ruth@example.org' <ruth@example.org>", Mailbox("", "ruth@example.org")),
        ("Undisclosed recipients:;", None),
        ("nobody at all", None),
        ("", None),
    ],
)
def test_senders_of_every_make(header: str, sender: Mailbox | None):
    assert sender_of(header) == sender


@pytest.mark.parametrize(
    "header",
    [
        "alice@example.org)bob@evil.example",
        "alice@example.org <bob@evil.example> <carol@example.org>",
        "alice@example.org@evil.example",
        "alice@example.org (<bob@evil.example>",
        '"alice@example.org <bob@evil.example>',
        "alice@example.org bob@evil.example",
        "<alice@example.org bob@evil.example>",
        "alice@.example.org",
        "alice@exa\x01mple.org",
    ],
)
def test_address_confusion_gives_no_sender_rather_than_a_guess(header: str):
    assert sender_of(header) is None


def test_null_sender_and_envelope_recipients_are_read():
    read = mail("dsn")
    assert (read.return_path, read.delivered_to) == ("", ("bounce+k1abcdefgh@example.com",))
    assert mail("gmail_reply").return_path is None


def test_odd_message_ids_are_kept():
    read = parse(b"Message-ID: <a@b@example.org>\nIn-Reply-To: <x@y>\nIn-Reply-To: <z@y>\nReferences: p@q r@s\n\n")
    assert (read.message_id, read.in_reply_to, read.references) == (
        "a@b@example.org",
        ("x@y", "z@y"),
        ("p@q", "r@s"),
    )


def test_only_the_last_hundred_references_count():
    read = parse(b"References: " + b" ".join(b"<%d@x>" % i for i in range(500)) + b"\n\n")
    assert read.references == tuple(f"{i}@x" for i in range(400, 500))


@pytest.mark.parametrize(
    "date",
    [
        "",
        "yesterday",
        "Mon, 1 Jan 99999999999999999999 10:00:00",
        "1 Jan 2026 99:00:00 +9999999",
    ],
)
def test_impossible_dates_are_no_date(date: str):
    assert read_date(date) is None


def test_content_hash_knows_copies_from_twins():
    raw = (EML / "gmail_reply.eml").read_bytes()
    other_route = b"Received: from elsewhere\n" + raw.replace(b"Message-ID: <", b"Message-ID: <other-")
    assert parse(other_route).content_hash == parse(raw).content_hash
    assert parse(raw.replace(b"1987", b"1988")).content_hash != parse(raw).content_hash


def test_base64_with_a_footer_or_without_padding_is_read():
    encoded = base64.b64encode("Grüße vom Pult".encode()).rstrip(b"=")
    top = b"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\n"
    assert parse(top + encoded).text == "Grüße vom Pult"
    padded = base64.b64encode(b"One")[:-4] + base64.b64encode(b"Two!")
    assert parse(top + padded + b"\n_____\nfooter of a list\n").text == "Two!\n_____\nfooter of a list"


# Names of files: classes 35 and 36


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("\u200b.htaccess", "htaccess"),
        (".pht", "pht"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("a\0b\r\nc.txt", "abc.txt"),
        ("...", "attachment.pdf"),
        ("", "attachment.pdf"),
        ("/", "attachment.pdf"),
        ("x" * 5000 + ".pdf", "x" * (NAME_LENGTH - 4) + ".pdf"),
        ("<img src=x onerror=alert(1)>.png", "<img src=x onerror=alert(1)>.png"),
    ],
)
def test_path_traversal_and_dangerous_names(name: str, safe: str):
    assert safe_name(name, "application/pdf") == safe


def test_encoded_word_traversal_in_a_file_name():
    name = b'name="=?utf-8?q?=2E=2E=2F=2E=2E=2Fx=2Epdf?="'
    raw = b"Content-Type: application/pdf; " + name + b"\nContent-Disposition: attachment\n\nx"
    assert [part.name for part in parse(raw).attachments] == ["x.pdf"]


@settings(deadline=None)
@given(st.text(max_size=400))
def test_every_name_is_safe_and_stays_as_it_is(name: str):
    safe = safe_name(name, "image/png")
    assert 0 < len(safe) <= NAME_LENGTH
    assert not set(safe) & set("/\\\0\r\n\u202e\u200b")
    assert not safe.startswith(".")
    assert safe_name(safe, "image/png") == safe


# Hostile mail: classes 37, 38 and 42, built here and never stored


def nested(depth: int) -> bytes:
    levels = (b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (i, i) for i in range(depth))
    return TOP + b"".join(levels) + b"\r\nx"


@pytest.mark.parametrize("depth", [100, 1_000, 3_000, 100_000])
def test_deep_nesting_is_refused_in_a_sentence(depth: int):
    read = parse(nested(depth))
    assert read.unreadable == "The mail is nested more than 30 parts deep."
    assert (read.from_, read.subject) == (Mailbox("Ruth", "ruth@example.org"), "Hello")


def test_deeply_attached_mails_are_refused_in_a_sentence():
    read = parse(TOP + b"Content-Type: message/rfc822\r\n\r\n" * 5_000 + b"x")
    assert read.unreadable == "The mail is nested more than 30 parts deep."


def test_twenty_nested_parts_are_still_read():
    inner = b"Content-Type: text/plain\r\n\r\nIn the middle\r\n"
    for level in range(20):
        top = b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (level, level)
        inner = top + inner + b"\r\n--b%d--\r\n" % level
    assert parse(TOP + inner).text == "In the middle"


def test_part_bomb_is_refused_in_a_sentence():
    read = parse(TOP + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\n" * 200_000)
    assert read.unreadable == "The mail has more than 500 parts."


def test_header_bomb_is_refused_in_a_sentence():
    read = parse(TOP + b"X-A: bbbbbbbb\r\n" * 50_000 + b"\r\nHello")
    assert read.unreadable == "The headers are larger than 256 KB."
    assert read.subject == "Hello"


def test_an_oversized_mail_is_refused_in_a_sentence():
    raw = TOP + b"\r\n" + b"x" * (50 * 1024 * 1024)
    read = parse(raw)
    assert read.unreadable == "The mail is larger than 50 MB."
    assert (read.subject, read.content_hash) == ("Hello", hashlib.sha256(raw).hexdigest())


def test_a_subject_of_a_hundred_thousand_words_is_cut():
    read = parse(b"Subject: " + b" ".join([b"=?utf-8?q?a?="] * 100_000) + b"\r\n\r\nHello")
    assert (read.unreadable, read.text) == (None, "Hello")
    assert set(read.subject[:1000]) == {"a"}
    assert len(read.subject) < 16 * 1024


def test_address_bomb_is_capped():
    read = parse(b"To: " + b", ".join([b"a@example.org"] * 50_000) + b"\r\n\r\nHello")
    assert (len(read.to), read.text) == (200, "Hello")


HOSTILE = {
    "comments": b"From: " + b"(" * 50_000 + b"\r\n\r\nHello",
    "quotes": b"From: " + b'"\\' * 50_000 + b"\r\n\r\nHello",
    "stub addresses": b"From: x, <x@\r\nTo: <\r\nMessage-ID: <foo@[\r\nIn-Reply-To: <[\r\n\r\nHello",
    "five hundred comments": b"From: " + b"(" * 500 + b"x" + b")" * 500 + b" <ruth@example.org>\r\n\r\nHello",
    "bracket ids": b"Message-ID: <[\r\nIn-Reply-To: <@\r\nReferences: <foo@[\r\n\r\nHello",
    "idna with a byte": b"Content-Type: text/plain; charset=idna\r\n\r\nHello",
    "year": b"Date: Mon, 1 Jan 99999999999999999999 10:00:00 +0000\r\n\r\nHello",
    "sections": b"Content-Type: text/plain" + b"".join(b"; a*%d=a" % i for i in range(10_001)) + b"\r\n\r\nHello",
    "semicolons": b"Content-Type: text/plain" + b";" * 200_000 + b"\r\n\r\nHello",
    "unknown charset": b"Content-Type: text/plain; charset=klingon\r\n\r\nHello",
    "NUL charset": b'Content-Type: text/plain; charset="a\0b"\r\n\r\nHello',
    "idna": b"Content-Type: text/plain; charset=idna\r\n\r\nHello",
    "zlib": b"Content-Type: text/plain; charset=zlib_codec\r\n\r\nHello",
    "NUL": b"Content-Type: text/plain\r\n\r\nHel\0lo",
    "boundary never comes": b"Content-Type: multipart/mixed; boundary=b\r\n\r\nHello",
    "no boundary": b"Content-Type: multipart/mixed\r\n\r\nHello",
    "odd encoding": b"Content-Transfer-Encoding: \xff\r\n\r\nHello",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_headers_leave_the_body_readable(name: str):
    read = parse(HOSTILE[name])
    assert (read.unreadable, read.text) == (None, "Hello")


def test_lone_surrogates_and_undecodable_bytes_become_replacement_characters():
    utf7 = parse(b"Content-Type: text/plain; charset=utf-7\r\n\r\n+2AA-x")
    assert utf7.text == "\ufffdx"
    utf32 = parse(b"Content-Type: text/plain; charset=utf-32\r\n\r\n\xff\xfe\x00\x00junk")
    assert "\0" not in utf32.text
    utf32.text.encode()


def test_deep_html_keeps_its_text():
    read = parse(TOP + b"Content-Type: text/html\r\n\r\n" + b"<div>" * 80_000 + b"Hello")
    assert (read.unreadable, read.text) == (None, "Hello")


def texts_of(read: ParsedEmail) -> str:
    boxes = [read.from_, read.reply_to, *read.to, *read.cc]
    names = [box.name + box.address for box in boxes if box]
    headers = [name + value for name, value in read.headers]
    return "".join([read.subject, read.text, read.html or "", *names, *headers, *(p.name for p in read.attachments)])


def assert_storable(read: ParsedEmail) -> None:
    said = texts_of(read)
    assert "\0" not in said
    assert said.encode().decode() == said
    assert len(read.content_hash) == 64


@settings(deadline=None)
@given(st.binary(max_size=2_000))
def test_parse_never_raises_on_any_bytes(raw: bytes):
    assert_storable(parse(raw))


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(STORED),
    st.lists(st.tuples(st.integers(0, 4_000), st.integers(0, 40), st.binary(max_size=12)), max_size=6),
)
def test_parse_never_raises_on_mutated_mail(name: str, cuts: list[tuple[int, int, bytes]]):
    raw = (EML / f"{name}.eml").read_bytes()
    for start, length, put_in in cuts:
        raw = raw[:start] + put_in + raw[start + length :]
    assert_storable(parse(raw))


TOKENS = st.sampled_from(
    [
        "=?utf-8?q?", "?=", "=?x?b?", "@", "<", ">", '"', "(", ")", ",", ";", ":", "\\", "=", "*0*", "a", " ", "\t",
        "ruth@example.org", "utf-8''%E9", "filename", "name", "boundary=", "charset=", "\u00fc", "\x00", "\ud800",
    ]
)  # fmt: skip
HEADERS = st.sampled_from(
    ["From", "To", "Reply-To", "Subject", "Date", "Message-ID", "References", "Content-Type", "Content-Disposition"]
)


@settings(max_examples=200, deadline=2_000)
@given(st.lists(st.tuples(HEADERS, st.lists(TOKENS, max_size=25)), max_size=8))
def test_parse_never_raises_on_any_headers(headers: list[tuple[str, list[str]]]):
    lines = [f"{name}: {''.join(tokens)}" for name, tokens in headers]
    assert_storable(parse("\n".join([*lines, "", "Text"]).encode("utf-8", "surrogatepass")))


LEAF_TYPES = [
    "text/plain",
    "text/html",
    "image/png",
    "message/rfc822",
    "message/delivery-status",
    "application/ms-tnef",
]
LEAVES = st.tuples(st.sampled_from(LEAF_TYPES), st.sampled_from(["7bit", "base64", "quoted-printable", "x-uuencode"]))
TREES = st.recursive(
    LEAVES,
    lambda inner: st.tuples(
        st.sampled_from(["mixed", "alternative", "related", "report"]), st.lists(inner, max_size=4)
    ),
    max_leaves=12,
)


def written(tree: object, depth: int = 0) -> str:
    kind, content = tree  # type: ignore[misc]
    if isinstance(content, str):
        return f"Content-Type: {kind}; name=a\nContent-Transfer-Encoding: {content}\n\n<b>Hello</b> aGVsbG8=\n"
    parts = "".join(f"--b{depth}\n{written(part, depth + 1)}\n" for part in content)
    return f"Content-Type: multipart/{kind}; boundary=b{depth}\n\n{parts}--b{depth}--\n"


@settings(max_examples=200, deadline=2_000)
@given(TREES)
def test_parse_never_raises_on_any_structure(tree: object):
    read = parse(TOP.replace(b"\r", b"") + written(tree).encode())
    assert read.unreadable is None
    assert_storable(read)


def test_a_marker_of_many_blanks_and_dashes_stops_nobody():
    started = time.process_time()
    for text in ("-" * 60 + " " * 60 + "Original", "On " + "a " * 60 + "wrote", ">" * 138, " \t" * 69, "_ " * 69):
        read = parse(TOP + b"\r\n" + text.encode() * 50)
        split(read.text, read.html)
    assert time.process_time() - started < 2


@settings(deadline=None)
@given(st.text(max_size=300))
def test_words_and_parameters_never_raise(text: str):
    assert isinstance(decode_words("=?utf-8?q?" + text + "?= " + text), str)
    assert isinstance(read_parameters("; a=" + text + "; filename*0*=" + text), dict)


def test_a_question_mark_may_stand_inside_an_encoded_word():
    assert subject_of("=?utf-8?Q?Who_wrote_this?_And_when?=") == "Who wrote this? And when"
    assert subject_of("=?utf-8?Q?never closed =?utf-8?Q?closed?=") == "=?utf-8?Q?never closed closed"


def test_a_file_name_loses_a_quote_without_its_partner_and_keeps_its_backslashes():
    assert read_parameters('; filename="plan.pdf')["filename"] == "plan.pdf"
    assert read_parameters(r'; filename="C:\temp\plan.pdf"')["filename"] == r"C:\temp\plan.pdf"
    assert read_parameters(r'; filename="the \"plan\".pdf"')["filename"] == 'the "plan".pdf'


def test_a_file_name_in_the_new_form_counts_whatever_the_old_one_beside_it_says():
    for value in (
        "; filename=\"E.pdf\"; filename*=utf-8''%E2%82%AC.pdf",
        "; filename*=utf-8''%E2%82%AC.pdf; filename=E.pdf",
    ):
        assert read_parameters(value)["filename"] == "€.pdf"
    assert read_parameters('; filename="E.pdf"; filename*0="long"; filename*1=".pdf"')["filename"] == "long.pdf"


def test_the_comment_behind_a_name_belongs_to_it():
    assert sender_of("Ruth Reader (Friends of the Bridge) <ruth@example.org>") == Mailbox(
        "Ruth Reader (Friends of the Bridge)", "ruth@example.org"
    )


@pytest.mark.parametrize(
    "written", ["text/html charset=utf-8", '"text/html"', "text/html, charset=utf-8", "html", "html/text", "text /html"]
)
def test_a_body_whose_type_is_written_oddly_is_still_the_body(written: str):
    read = parse(TOP + f"Content-Type: {written}\r\n\r\n<p>Hello <b>Ruth</b></p>".encode())
    assert (read.text, read.attachments) == ("Hello Ruth", ())


@pytest.mark.parametrize("written", ["base 64", "x-base64", '"base64"', "BASE-64;"])
def test_base64_is_read_however_it_is_spelled(written: str):
    encoded = base64.b64encode("Grüße von der Brücke".encode()).decode()
    assert parse(TOP + f"Content-Transfer-Encoding: {written}\r\n\r\n{encoded}".encode()).text == "Grüße von der Brücke"


def test_short_answers_are_not_taken_for_stubs_of_the_html_that_quotes():
    quoted = (
        "<p>Thanks, all clear!</p><blockquote>"
        + "<p>The date was wrong, we are sorry for that.</p>" * 9
        + "</blockquote>"
    )
    parts = f"--x\nContent-Type: text/plain\n\nThanks, all clear!\n--x\nContent-Type: text/html\n\n{quoted}\n--x--\n"
    assert (
        parse(TOP + b"Content-Type: multipart/alternative; boundary=x\n\n" + parts.encode()).text
        == "Thanks, all clear!"
    )


def test_a_text_and_html_next_to_each_other_that_say_different_things_are_both_read():
    parts = "--x\nContent-Type: text/plain\n\nSee below.\n--x\nContent-Type: text/html\n\n<p>All of it is wrong.</p>\n--x--\n"
    read = parse(TOP + b"Content-Type: multipart/mixed; boundary=x\n\n" + parts.encode())
    assert read.text == "See below.\n\nAll of it is wrong."


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_an_attached_mail_is_kept_byte_for_byte(end: str):
    folded = "Subject: A very long line that no program would write again as it came" + " and on" * 9
    inner = end.join(["From:ruth@example.org", "X-Odd:  two spaces", folded, "", "Hello", "", "--y is no boundary"])
    lines = [
        "Content-Type: multipart/mixed; boundary=x",
        "",
        "--x",
        "Content-Type: message/rfc822",
        "",
        inner,
        "--x--",
        "",
    ]
    assert [part.content for part in parse(end.join(lines).encode()).attachments] == [inner.encode()]


@pytest.mark.parametrize("second", ["Content-Type: text/plain\n\n", "\n"])
def test_alternatives_of_one_kind_that_differ_are_all_read(second: str):
    parts = f"--x\nContent-Type: text/plain\n\nThe date is wrong.\n--x\n{second}So is the name.\n--x--\n"
    read = parse(TOP + b"Content-Type: multipart/alternative; boundary=x\n\n" + parts.encode())
    assert read.text == "The date is wrong.\n\nSo is the name."


def test_an_alternative_that_says_the_same_again_is_read_once():
    part = "--x\nContent-Type: {}\n\n{}\n"
    parts = part.format("text/plain", "All of it.") * 2 + part.format("text/html", "<p>All of it.</p>") * 2 + "--x--\n"
    read = parse(TOP + b"Content-Type: multipart/alternative; boundary=x\n\n" + parts.encode())
    assert (read.text, (read.html or "").count("All of it.")) == ("All of it.", 1)


def test_an_attached_mail_that_only_says_it_is_quoted_printable_is_kept_as_it_came():
    inner = "From: ruth@example.org\nContent-Transfer-Encoding: quoted-printable\n\nGr=C3=BC=C3=9Fe a=3Db"
    head = "Content-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: message/rfc822\n"
    said = f"{head}Content-Transfer-Encoding: quoted-printable\n\n{inner}\n--x--\n"
    assert [part.content for part in parse(said.encode()).attachments] == [inner.encode()]


def test_a_mail_attached_to_an_attached_mail_stays_inside_it():
    inner = "Content-Type: message/rfc822\n\nSubject: Innermost\n\nHello"
    read = parse(
        f"Content-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: message/rfc822\n\n{inner}\n--x--\n".encode()
    )
    assert [part.content for part in read.attachments] == [inner.encode()]


@pytest.mark.parametrize(
    ("headers", "name"),
    [
        ("Content-Type: message/rfc822\n\nSubject: The bridge / the road", "The bridge - the road.eml"),
        ("Content-Type: message/rfc822\n\nFrom: ruth@example.org", "message.eml"),
        ("Content-Type: image/png\nContent-ID: <image001.png@01D9.4F2A>", "image001.png"),
        ("Content-Type: image/png\nContent-ID: <part1.4F2A@example.org>", "attachment.png"),
        ("Content-Type: application/pdf\nContent-Description: The plan", "The plan.pdf"),
        ("Content-Type: application/pdf\nContent-Description: The plan.pdf", "The plan.pdf"),
        ("Content-Type: application/pdf\nContent-Description: ../../plan", "-..-plan.pdf"),
    ],
)
def test_a_file_without_a_name_is_called_after_what_its_sender_says_of_it(headers: str, name: str):
    parts = f"--x\nContent-Type: text/plain\n\nSee this\n--x\n{headers}\n\nHello\n--x--\n"
    read = parse(TOP + b"Content-Type: multipart/mixed; boundary=x\n\n" + parts.encode())
    assert [part.name for part in read.attachments] == [name]


@pytest.mark.parametrize(
    ("encoded", "content"), [("MSwyCg==\n\n_____\nThe list", b"1,2\n"), ("Plain words.", b"Plain words.")]
)
def test_what_stands_below_a_text_file_in_base64_is_none_of_it(encoded: str, content: bytes):
    part = f"Content-Type: text/csv; name=a.csv\nContent-Transfer-Encoding: base64\n\n{encoded}"
    read = parse(TOP + f"Content-Type: multipart/mixed; boundary=x\n\n--x\n\nHello\n--x\n{part}\n--x--\n".encode())
    assert [part.content for part in read.attachments] == [content]


@pytest.mark.parametrize("name", ["center", "section", "header", "dt", "address", "option", "fieldset", "article"])
def test_the_words_of_two_blocks_of_html_never_run_together(name: str):
    html = f"<div>The title<{name}>of the letter</{name}>and its text</div>"
    assert parse(TOP + f"Content-Type: text/html\n\n{html}".encode()).text.split() == [
        "The",
        "title",
        "of",
        "the",
        "letter",
        "and",
        "its",
        "text",
    ]
