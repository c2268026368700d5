"""What is known to stop, bloat or crash Python's own reading of mail is read by the desk, or given up in a sentence."""
# ruff: noqa: RUF001 the words of many languages

import importlib.util
import json
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpdesk.inbound.inspecting import inspect
from tests.conftest import missing

SECONDS = 2.0
TOP = b"From: Ruth <ruth@example.org>\r\nSubject: Hello\r\n"
TALON = b"-" * 60 + b" " * 60 + b"Original Message"


def nested(depth: int) -> bytes:
    """So many multiparts, one within the other."""
    return TOP + b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (i, i) for i in range(depth)
    )


MEASURED = {
    "class 37: 100 nested multiparts": nested(100) + b"\r\nHello",
    "class 37: 1,000 nested multiparts": nested(1_000) + b"\r\nHello",
    "class 37: 5,000 nested mails": TOP + b"Content-Type: message/rfc822\r\n\r\n" * 5_000,
    "class 38: 200,000 empty parts": TOP
    + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    + b"--b\r\n\r\n" * 200_000,
    "class 38: a subject of 20,000 words": b"Subject: " + b"=?utf-8?q?a?= " * 20_000 + b"\r\n\r\nHello",
    "class 38: 20,000 addresses": b"To: "
    + b", ".join(b"a%d@example.org" % i for i in range(20_000))
    + b"\r\n\r\nHello",
    "class 22: 500 nested comments": b"From: " + b"(" * 500 + b"x" + b")" * 500 + b" <r@example.org>\r\n\r\nHello",
    "class 22: an address without its end": b"From: Ruth, <x@\r\nTo: <\r\n\r\nHello",
    "class 22: an address that is a bracket": b"From: <\r\nTo: x@\r\nReply-To: @\r\n\r\nHello",
    "class 22: a Message-ID of brackets": b"Message-ID: <[\r\nIn-Reply-To: <@\r\nReferences: <foo@[\r\n\r\nHello",
    "class 42: a year of 20 digits": b"Date: Mon, 1 Jan 20260000000000000000 10:00:00 +0000\r\n\r\nHello",
    "class 42: an unknown charset": b"Content-Type: text/plain; charset=klingon\r\n\r\nHello \xff",
    "class 42: a charset with NUL": b'Content-Type: text/plain; charset="utf\x00-8"\r\n\r\nHello \xff',
    "class 42: idna and a byte": b"Content-Type: text/plain; charset=idna\r\n\r\nHello \xff",
    "class 42: a lone surrogate by utf-7": b"Content-Type: text/plain; charset=utf-7\r\n\r\n+2AA-",
    "class 42: a body with NUL": b"Content-Type: text/plain\r\n\r\nHel\x00lo",
    "class 7: 80,000 open tags": TOP + b"Content-Type: text/html\r\n\r\n" + b"<div>" * 80_000 + b"Hello",
    "class 40: a mark of many blanks and dashes": TOP + b"\r\nHello\r\n" + TALON + b"\r\n" + TALON * 200,
}


@pytest.mark.parametrize("name", MEASURED)
def test_each_mail_that_python_is_known_to_stumble_over_is_read_or_given_up(name: str) -> None:
    started = time.process_time()
    report = inspect(MEASURED[name])
    assert time.process_time() - started < SECONDS
    assert_whole(report)
    assert report["errors"] or report["body_text"]


def assert_whole(report: dict[str, object]) -> None:
    """It can be shown, sent and stored: no NUL, no half characters."""
    said = json.dumps(report, ensure_ascii=False)
    assert "\\u0000" not in said
    assert said.encode().decode() == said


CHARSETS = st.sampled_from(
    ["utf-8", "us-ascii", "latin-1", "utf-7", "utf-16", "utf-32", "idna", "punycode", "zlib_codec", "rot13", "hex", "gb2312",
     "iso-2022-jp", "unicode_escape", "mbcs", "x-unknown", "", "undefined", "\x00", "8bit", "=?utf-8?q?x?=", "utf8\t"]
)  # fmt: skip
ENCODINGS = st.sampled_from(
    [
        "7bit",
        "8bit",
        "binary",
        "base64",
        "quoted-printable",
        "x-uuencode",
        "BASE64 ",
        "qp",
        "",
        "7-bit",
        "\xff",
        "base64; x",
    ]
)
KINDS = st.sampled_from(
    ["text/plain", "text/html", "image/png", "text", "/", "", "message/rfc822", "message/delivery-status", "message/partial",
     "multipart/mixed", "multipart/report", "application/pdf; name*0*=a''%FF; name*1=b", "text/plain; format=flowed; delsp=yes",
     "message/external-body; access-type=x", "text/calendar; method=REPLY", "application/ms-tnef"]
)  # fmt: skip
PAYLOADS = st.one_of(
    st.binary(max_size=80),
    st.sampled_from(
        [b"Hello", b"SGVsbG8=", b"=48=", b"begin 644 a\n#0V%T\n`\nend\n", b"<p>Hello", b"> Hello\n\nOn x wrote:\n>"]
    ),
)
SUBTYPES = st.sampled_from(["mixed", "alternative", "related", "report", "signed", "digest", "encrypted", "x"])
BOUNDARIES = st.sampled_from([b"b", b"b", b"bb", b"b-", b"", b" ", b"a b", b"x" * 80])
LEAVES = st.tuples(KINDS, CHARSETS, ENCODINGS, PAYLOADS)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.tuples(SUBTYPES, BOUNDARIES, BOUNDARIES, st.booleans(), st.lists(inner, max_size=4)),
    max_leaves=12,
)


def written(tree: tuple[object, ...]) -> bytes:
    """A part as bytes; a multipart may announce another boundary than it uses, use its parent's, and never end."""
    if len(tree) == 4:
        kind, charset, encoding, payload = tree
        join = "" if "name*" in str(kind) else f"; charset={charset}"
        head = f"Content-Type: {kind}{join}\nContent-Transfer-Encoding: {encoding}\n\n"
        return head.encode("utf-8", "surrogateescape") + payload + b"\n"  # type: ignore[operator]
    subtype, announced, used, has_end, parts = tree
    assert isinstance(announced, bytes)
    assert isinstance(used, bytes)
    assert isinstance(parts, list)
    head = f"Content-Type: multipart/{subtype}; boundary=".encode() + b'"' + announced + b'"\n\npreamble\n'
    inner = b"".join(b"--" + used + b"\n" + written(part) for part in parts)
    return head + inner + (b"--" + used + b"--\nepilogue\n" if has_end else b"")


@settings(max_examples=300, deadline=2_000)
@given(TREES, st.integers(0, 4_000), st.sampled_from([b"\n", b"\r\n", b"\r"]))
def test_any_structure_cut_at_any_byte_is_read(tree: tuple[object, ...], end: int, line_end: bytes) -> None:
    whole = TOP.replace(b"\r", b"") + written(tree)
    for raw in (whole, whole[:end]):
        assert_whole(inspect(raw.replace(b"\n", line_end)))


LINES = st.one_of(
    st.sampled_from(
        ["> a", ">> b", ">", "|> c", "On 23 Nov 2026, at 09:12,", "Ann <ann@example.com> wrote:", "-- ", "--", "From: a@b.example",
         "Sent: Monday", "To: x", "Subject: y", "-----Original Message-----", "---------- Forwarded message ---------", "Regards,",
         "Sent from my iPhone", "", "<", ">>> a 23.11.2026 09:12 >>>", "\u202eabc", "\ufeff", "在 2026-11-23 09:12，Ann 写道："]
    ),
    st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=60),
)  # fmt: skip
TAGS = st.sampled_from(
    ["<div class=gmail_quote>", "</div>", "<blockquote type=cite>", "</blockquote>", "<div id=divRplyFwdMsg>", "<hr>", "<br>", "<p>",
     "<table><tr><td>", "</table>", "<!--", "-->", "<style>", "<script>", "<a href='", "&#0;", "&#xD800;", "&nbsp;", "<b", "<![CDATA[",
     "<div id=reply-intro>", "<div class=gmail_signature>", "<pre>", "\x00", "Hello"]
)  # fmt: skip


@settings(max_examples=200, deadline=2_000)
@given(st.lists(LINES, max_size=30), st.lists(TAGS | LINES, max_size=30), st.sampled_from(["Re: x", "Fwd: x", ""]))
def test_any_quotation_in_text_and_html_is_read(lines: list[str], tags: list[str], subject: str) -> None:
    head = f"From: r@example.org\nSubject: {subject}\nContent-Type: multipart/alternative; boundary=b\n\n--b\n"
    plain = "Content-Type: text/plain; charset=utf-8\n\n" + "\n".join(lines)
    html = "\n--b\nContent-Type: text/html; charset=utf-8\n\n" + "".join(tags) + "\n--b--\n"
    assert_whole(inspect((head + plain + html).encode()))


def mails_of_python() -> list[Path]:
    """The mails that Python ships for the tests of its own package, where the distribution kept them."""
    found = importlib.util.find_spec("test")
    places = (found.submodule_search_locations or []) if found else []
    return sorted(path for place in places for path in Path(place, "test_email", "data").glob("msg_*.txt"))


def test_every_mail_of_pythons_own_tests_is_read_in_time() -> None:
    mails = mails_of_python()
    if not mails:
        missing("the tests of Python itself, with their mails")
    assert len(mails) > 40
    for path in mails:
        started = time.process_time()
        assert_whole(inspect(path.read_bytes()))
        assert time.process_time() - started < SECONDS, path
