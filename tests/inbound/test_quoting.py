"""What is new, what signs, what is quoted; and no line is ever lost."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpdesk.inbound.html_text import html_to_text
from helpdesk.inbound.parsing import parse
from helpdesk.inbound.quoting import Spans, split

EML = Path(__file__).parents[1] / "eml"


def spans_of(name: str) -> Spans:
    mail = parse((EML / f"{name}.eml").read_bytes())
    return split(mail.text, mail.html, subject=mail.subject)


@pytest.mark.parametrize(
    ("name", "new"),
    [
        ("gmail_reply", "Thank you, the date is right now.\n\nBut the caption still says 1987."),
        ("outlook_top_post", "Exactly: Mercer Lane was built over in 1974.\n\nKind regards\nAbigail"),
        ("outlook_html", "The scorer was Hurst, three times."),
        ("apple_mail_reply", "Ripper, that was quick."),
        ("bottom_post", "The butter: 40 grams is what my mother took."),
        ("helpdesk_reply", "Thank you, that was quick."),
        ("german_reply", "Danke für die schnelle Antwort.\n\nViele Grüße\nAnnegret"),
        ("german_attribution", "Danke!"),
        ("french_reply", "Merci beaucoup."),
        ("chinese_reply", "谢谢，已经看到了。"),  # noqa: RUF001
        ("polish_reply", "Dziękuję bardzo, teraz wszystko się zgadza z kroniką."),
        ("russian_reply", "Спасибо!"),
    ],
)
def test_the_new_text_of_real_replies(name: str, new: str):
    spans = spans_of(name)
    assert spans.new == new
    assert spans.quoted


def test_inline_answers_keep_the_quotes_between_them():
    spans = spans_of("thunderbird_inline")
    assert spans.new == (
        "On 23.11.26 09:12, Ann Answers wrote:\n> Which engine was the first?\n\nThe one from Ulm, of 1909.\n\n"
        "> And was Maier the captain?\n\nNo, it should be Meyer."
    )
    assert spans.quoted == "> Thank you!\n> Ann"


def test_a_forwarded_mail_is_the_message():
    spans = spans_of("forwarded")
    assert spans.new.endswith("Please pay at once.\n\n> or else")
    assert (spans.signature, spans.quoted) == ("", "")


def test_an_outlook_forward_is_known_by_its_subject():
    text = "FYI\n\nFrom: Eve <eve@example.net>\nSent: Monday\nTo: Ruth\nSubject: Invoice\n\nPay."
    assert split(text, None, subject="FW: Invoice").new == text
    assert split(text, None, subject="Re: Invoice").new == "FYI"


def test_signatures_are_cut_last():
    assert spans_of("bottom_post").signature == "--\nTamsin Okafor\nBunya Crescent 9"
    assert spans_of("apple_mail_reply").signature == "Sent from my iPhone"
    assert split("Yes.\n\nGesendet von meinem iPhone", None) == Spans("Yes.", "Gesendet von meinem iPhone", "")


def test_a_signature_never_empties_the_message():
    assert split("-- \nRuth\nExample Street 1", None).new == "-- \nRuth\nExample Street 1"
    assert split("Sent from my garden, where it rains.", None).new == "Sent from my garden, where it rains."


def test_a_long_text_below_dashes_is_no_signature():
    text = "Look at this:\n--\n" + "\n".join(f"line {i}" for i in range(30))
    assert split(text, None) == Spans(text, "", "")


def test_a_signature_between_answer_and_quote_is_found():
    text = "Yes.\n\n-- \nRuth\n\nOn 23 November 2026 at 09:12, Ann wrote:\n> Is it?"
    assert split(text, None) == Spans("Yes.", "-- \nRuth", "On 23 November 2026 at 09:12, Ann wrote:\n> Is it?")


def test_dashes_above_a_quote_do_not_hang_below_the_answer():
    text = "Yes.\n\n-- \nOn 23 November 2026 at 09:12, Ann wrote:\n> Is it?"
    assert split(text, None).new == "Yes."


def test_our_own_attribution_is_found_with_and_without_marks():
    for mark in ("> ", ""):
        text = f"Thanks.\n\nOn 23 November 2026 at 09:12, Ruth wrote:\n{mark}Dear desk,\n{mark}hello"
        assert split(text, None).new == "Thanks."


def test_our_own_wrapper_is_found_when_only_html_came():
    html = '<p>Thanks.</p><div class="helpdesk-quote"><p>Dear Ruth,</p><p>we fixed it.</p></div>'
    assert split(html_to_text(html), html) == Spans("Thanks.", "", "Dear Ruth,\n\nwe fixed it.")


def test_the_wrapper_finds_the_quote_in_a_text_of_other_shape():
    text = "Thanks.\n\nLiebe Ruth, die Zahl ist richtig.\nAnn"
    html = '<p>Thanks.</p><div class="helpdesk-quote"><p>Liebe Ruth, die Zahl <b>ist</b> richtig.</p>Ann</div>'
    assert split(text, html) == Spans("Thanks.", "", "Liebe Ruth, die Zahl ist richtig.\nAnn")


@pytest.mark.parametrize(
    "html",
    [
        '<div>Yes.</div><div class="gmail_quote"><div>Old</div><blockquote>Quote</blockquote></div>',
        '<div>Yes.</div><div class="moz-cite-prefix">Ann</div><blockquote type="cite">Quote</blockquote>',
        '<div>Yes.</div><div id="appendonsend"></div><hr><div id="divRplyFwdMsg">Old</div><div>Quote</div>',
        '<div>Yes.</div><span id="OLK_SRC_BODY_SECTION"><div>Quote</div></span>',
        '<div>Yes.</div><div class="yahoo_quoted"><div>Quote</div></div>',
        '<div>Yes.</div><div class="protonmail_quote">Old<blockquote>Quote</blockquote></div>',
        '<div>Yes.</div><div class="zmail_extra">Old<blockquote>Quote</blockquote></div>',
        '<div>Yes.</div><div style="border:none;border-top:solid #B5C4DF 1.0pt">Old</div><p>Quote</p>',
    ],
)
def test_client_structure_tells_the_quote(html: str):
    spans = split(html_to_text(html), html)
    assert spans.new == "Yes."
    assert spans.quoted.endswith("Quote")


@pytest.mark.parametrize(
    "html",
    [
        '<div>Yes.</div><div class="gmail_signature">Ruth<br>Norhafen</div>',
        '<div>Yes.</div><div class="moz-signature">Ruth<br>Norhafen</div>',
        '<div>Yes.</div><div id="ms-outlook-mobile-signature">Ruth<br>Norhafen</div>',
        '<div name="messageBodySection">Yes.</div><div name="messageSignatureSection">Ruth<br>Norhafen</div>',
        '<div>Yes.</div><div class="x_gmail_signature">Ruth<br>Norhafen</div>',
    ],
)
def test_client_structure_tells_the_signature(html: str):
    assert split(html_to_text(html), html) == Spans("Yes.", "Ruth\nNorhafen", "")


def test_an_attribution_on_the_line_of_the_answer_is_cut_from_it():
    quote = "On Mon, Nov 23, 2026 at 9:12 AM Ann <ann@example.com> wrote:"
    assert split(f"Yes. {quote}\n> Is it?", None) == Spans("Yes.", "", f"{quote}\n> Is it?")
    assert split(f"Yes. {quote} Is it?", None) == Spans("Yes.", "", f"{quote}\nIs it?")


@pytest.mark.parametrize(
    "attribution",
    [
        "Ann Answers <ann@example.com> schrieb am So., 22.\nNov. 2026, 21:08:",
        "On Sun, Nov 22, Ann Answers\n<ann@example.com>\nwrote:",
        "On Sun, Nov 22, 2026 at 9:08 PM Ann Answers\n\n<\nmailto:Ann <ann@example.com>\n> wrote:",
        "- On 2026-11-22 21:08, Ann Answers wrote:",
    ],
)
def test_an_attribution_in_pieces_is_found_whole(attribution: str):
    text = f"Yes, on Sunday.\n\n{attribution}\n\n> Is it?"
    assert split(text, None) == Spans("Yes, on Sunday.", "", f"{attribution}\n\n> Is it?")


def test_a_line_of_the_answer_is_no_half_of_the_attribution():
    for answer in ("On the whole I agree.", "On page 7 I agree", "Write to ruth@example.org"):
        text = f"{answer}\nAnn wrote:\n> Is it?"
        assert split(text, None).new == answer


def test_an_attribution_above_nothing_is_no_answer():
    text = "Yes.\n\nOn 2026-11-22 21:08, Ann Answers wrote:"
    assert split(text, None) == Spans("Yes.", "", "On 2026-11-22 21:08, Ann Answers wrote:")


def test_a_header_block_that_lost_its_line_ends_is_one():
    block = "Date: Sun, 22 Nov 2026 21:08:10 +0000 From: ann@example.com To: Reader, Ruth Subject: The chart"
    assert split(f"Yes.\n\n{block}\n\nIs it?", None) == Spans("Yes.", "", f"{block}\n\nIs it?")
    sentence = "From: our archive, not From: yours, is the note of 10:30 that ann@example.com has."
    assert split(f"Yes.\n\n{sentence}", None).new == f"Yes.\n\n{sentence}"


def test_a_header_block_without_address_and_subject_needs_a_moment():
    block = (
        "From: Ann Answers\nSent: \u200eSunday\u200e, \u200e22 November 2026 \u200e21\u200e:\u200e08\nTo: Ruth Reader"
    )
    assert split(f"Yes.\n\n{block}\n\nIs it?", None) == Spans("Yes.", "", f"{block}\n\nIs it?")
    journey = "From: Norhafen\nDate: 22 November 2026\nTo: Süderoog\n\nIs there a ferry?"
    assert split(journey, None).new == journey


def test_a_signature_below_a_drawn_line_says_how_to_reach_its_writer():
    signature = "\u2014\u2014\u2014\u2014\u2014\nRuth Reader\nHarbour Master\nTel.: +49 1234 5678"
    assert split(f"Thank you.\n\n{signature}", None) == Spans("Thank you.", signature, "")
    table = "Times\n-----\nSunday 14:20\nMonday 15:04"
    assert split(table, None).new == table


def test_a_long_signature_is_known_by_its_address():
    signature = "--\nRuth Reader\nruth@example.org\n\n" + "\n".join(f"Notice {i} of the harbour." for i in range(20))
    assert split(f"Thank you.\n{signature}", None) == Spans("Thank you.", signature, "")


def test_the_line_of_a_telephone_may_lack_its_verb():
    assert split("Thank you.\n\nFrom My iPhone 6", None) == Spans("Thank you.", "From My iPhone 6", "")


def test_a_contact_form_is_no_quotation():
    text = "New message\n\nFrom: Ruth <ruth@example.org>\nSubject: Hello\n\nThe number is wrong."
    assert split(text, None).new == text


def test_a_farewell_below_the_quote_is_no_answer():
    text = "Yes.\n\nOn 23/11/2026 09:12, Ann wrote:\n> Is it?\n\nRegards,\nRuth"
    assert split(text, None).quoted == "On 23/11/2026 09:12, Ann wrote:\n> Is it?"


def test_answers_inside_the_client_wrapper_are_not_folded():
    html = (
        '<div class="gmail_quote"><div class="gmail_attr">Ann wrote:</div><blockquote>First?</blockquote>'
        "<div>Answer one.</div><blockquote>Second?</blockquote><div>Answer two.</div></div>"
    )
    new = split(html_to_text(html), html).new
    assert [line for line in new.split("\n") if line.startswith("Answer")] == ["Answer one.", "Answer two."]


@pytest.mark.parametrize(
    "text",
    [
        "From: Berlin\nTo: Munich\nthat is the train I mean",
        "In 2024 the ministry wrote:\nThere will be no tax.\nThat is not what your article says.",
        "My questions:\n1. Who?\n2. When, at 10:30?",
        "Ruth said: yes\n\nand Ann said: no",
        "Time: 10:30\nPlace: Berlin\nThe chart is wrong.",
        "The ferry is gone.\n\nFrom my iPhone I see no timetable.",
        "The ferry is gone.\n________________________\nSo is the timetable.",
        "The minister of 23 November 2026, 09:12 <minister@example.org> wrote\nno answer to this.",
        "> Everything here is quoted.",
        "On 23 November 2026 at 09:12, Ruth wrote:\n> only a quote",
        "-- ",
    ],
)
def test_when_in_doubt_everything_is_new(text: str):
    assert split(text, None).new.strip() == text.strip()


def test_empty_text_has_empty_spans():
    assert split("", None) == Spans("", "", "")


LINES = st.sampled_from(
    [
        "Hello",
        "",
        "> quoted",
        ">> twice",
        "On Mon, Nov 23, 2026 at 9:12 AM Ruth <ruth@example.org> wrote:",
        "Ann wrote:",
        "From: Ann <ann@example.com>",
        "Sent: Monday, 23 November 2026 09:12",
        "To: Ruth",
        "Subject: Hello",
        "-----Original Message-----",
        "---------- Forwarded message ---------",
        "________________________________",
        "-- ",
        "Sent from my iPhone",
        "Am 23.11.2026 um 09:12 schrieb Ruth:",
        "Regards",
    ]
)


def filled(text: str) -> Counter[str]:
    return Counter(line for line in text.split("\n") if line.strip())


def assert_nothing_lost(text: str, html: str | None) -> None:
    spans = split(text, html)
    assert filled(spans.new) + filled(spans.signature) + filled(spans.quoted) == filled(text)
    assert bool(spans.new.strip()) == bool(text.strip())


@settings(max_examples=400, deadline=None)
@given(st.lists(LINES | st.text(alphabet=st.characters(codec="utf-8"), max_size=30), max_size=25))
def test_split_loses_no_line(lines: list[str]):
    assert_nothing_lost("\n".join(lines), None)


@settings(deadline=None)
@given(
    st.lists(LINES, max_size=12),
    st.lists(st.sampled_from(["<div>", "</div>", '<div class="gmail_quote">', "<blockquote type=cite>", "Hello<br>"])),
)
def test_split_loses_no_line_whatever_the_html_says(lines: list[str], tags: list[str]):
    assert_nothing_lost("\n".join(lines), "".join(tags))
    assert_nothing_lost(html_to_text("".join(tags)), "".join(tags))
