"""A forwarded mail names its writer, moment, subject and text, so that a ticket can stand in the writer's name."""
# ruff: noqa: RUF001 the words of many languages

import pytest

from helpdesk.inbound.forwards import Forwarded, is_forward, read_forward
from helpdesk.inbound.mailboxes import Mailbox
from helpdesk.inbound.parsing import parse

TOM = Mailbox("Tom Flag", "tom@example.net")


@pytest.mark.parametrize(
    ("top", "date"),
    [
        (
            "---------- Forwarded message ---------\nFrom: Tom Flag <tom@example.net>\n"
            "Date: Sun, Nov 22, 2026 at 6:00 PM\nSubject: A flag\nTo: <editors@example.com>\n",
            "Sun, Nov 22, 2026 at 6:00 PM",
        ),
        (
            "-----Ursprüngliche Nachricht-----\nVon: Tom Flag [mailto:tom@example.net]\n"
            "Gesendet: Sonntag, 22. November 2026 18:00\nAn: editors@example.com\nBetreff: A flag\n",
            "Sonntag, 22. November 2026 18:00",
        ),
        (
            "________________________________\nDe : Tom Flag <tom@example.net>\n"
            "Envoyé : dimanche 22 novembre 2026 18:00\nÀ : editors@example.com\nObjet : A flag\n",
            "dimanche 22 novembre 2026 18:00",
        ),
        (
            "Begin forwarded message:\n\nFrom: Tom Flag <tom@example.net>\nSubject: A flag\n"
            "Date: 22 November 2026 at 18:00:00 GMT\nTo: editors@example.com\n",
            "22 November 2026 at 18:00:00 GMT",
        ),
        (
            "-------- Пересылаемое --------\n"
            "22.11.2026 18:00\nFrom: Tom Flag <tom@example.net>\nSubject: A\n flag\nTo: editors@example.com\n",
            "",
        ),
    ],
)
def test_the_writer_of_a_forwarded_mail_is_found_in_many_languages(top: str, date: str):
    found = read_forward(f"Yours?\n\n{top}\nIt is upside down.\n\nTom", subject="Fwd: A flag")
    assert found is not None
    if date:
        assert found == Forwarded(TOM, found.to, "A flag", date, "It is upside down.\n\nTom")
        assert "editors@example.com" in found.to


def test_the_quoted_forward_of_apple_mail_is_unquoted_and_what_stands_below_is_not_it():
    text = (
        "See.\n\nBegin forwarded message:\n\n> From: Tom Flag <tom@example.net>\n> Subject: A flag\n>\n> Down.\n\nEve"
    )
    assert read_forward(text, subject="Fwd: A flag") == Forwarded(TOM, "", "A flag", "", "Down.")


def test_labels_in_the_forwarded_words_are_words():
    text = "-- Forwarded message --\nFrom: Tom <tom@example.net>\nSubject: Form\n\nName: Tom\nText: Down.\n"
    found = read_forward(text, subject="")
    assert found is not None
    assert found.text == "Name: Tom\nText: Down."


def test_a_name_without_an_address_is_a_name():
    text = "From: Tom Flag\nSent: 22 November 2026 18:00\nTo: Editors\nSubject: A flag\n\nDown."
    found = read_forward(text, subject="FW: A flag")
    assert found is not None
    assert found.from_ == Mailbox("Tom Flag", "")


@pytest.mark.parametrize(
    "text", ["Nothing here.", "> only a quote", "-- Forwarded message --\nno labels", "From: Berlin\nTo: Ulm"]
)
def test_what_forwards_nothing_is_no_forward(text: str):
    assert read_forward(text, subject="") is None


@pytest.mark.parametrize(
    ("subject", "forwards"),
    [
        ("Fwd: A flag", True),
        ("WG: Fahne", True),
        ("[desk] TR : Drapeau", True),
        ("转发：旗", True),
        ("Re: Fwd: A flag", False),
        ("Forward march", False),
        ("", False),
    ],
)
def test_subjects_that_forward(subject: str, forwards: bool):
    assert is_forward(subject) is forwards


def test_the_only_attached_mail_is_the_forwarded_one():
    inner = "From: Tom Flag <tom@example.net>\nTo: editors@example.com\nSubject: A flag\n\nDown.\n"
    head = 'From: eve@example.org\nSubject: Fwd: A flag\nContent-Type: multipart/mixed; boundary="b"\n\n'
    raw = f"{head}--b\n\nPlease.\n--b\nContent-Type: message/rfc822\n\n{inner}\n--b--\n"
    assert parse(raw.encode()).forwarded == Forwarded(TOM, "editors@example.com", "A flag", "", "Down.")


EVE = "Eve Mallory <eve@example.net>"
FORWARDS = {
    "gmail": f"FYI\n\n---------- Forwarded message ---------\nFrom: {EVE}\nDate: Mon, Nov 23, 2026 at 8:00 AM\nSubject: Invoice\nTo: <ruth@example.org>\n\nPay.",
    "gmail de": f"---------- Forwarded message ---------\nVon: {EVE}\nDate: Mo., 23. Nov. 2026 um 08:00 Uhr\nSubject: Invoice\nTo: Ruth <ruth@example.org>\n\nPay.",
    "tb": f"-------- Forwarded Message --------\nSubject: \tInvoice\nDate: \tMon, 23 Nov 2026 08:00:00 +0100\nFrom: \t{EVE}\nTo: \truth@example.org\n\n\n\nPay.",
    "outlook": f"\n\nFrom: {EVE}\nSent: Monday, November 23, 2026 8:00 AM\nTo: Ruth <ruth@example.org>\nSubject: Invoice\n\nPay.",
    "outlook rule": f"________________________________\nFrom: {EVE}\nSent: Monday, November 23, 2026 8:00:00 AM\nTo: Ruth <ruth@example.org>\nCc: Sam <sam@example.org>\nSubject: Invoice\n\nPay.",
    "apple": f"Begin forwarded message:\n\nFrom: {EVE}\nSubject: Invoice\nDate: 23 November 2026 at 08:00:00 GMT+1\nTo: ruth@example.org\nReply-To: x@example.net\n\nPay.",
    "proton": f"Sent with Proton Mail secure email.\n\n------- Forwarded Message -------\nFrom: {EVE}\nDate: On Monday, November 23rd, 2026 at 8:00 AM\nSubject: Invoice\nTo: ruth@example.org\n\n\n> Pay.",
    "yahoo": f"   ----- Forwarded Message -----\n From: {EVE}To: ruth@example.org\nSent: Monday, November 23, 2026 at 08:00:00 AM GMT+1\nSubject: Invoice\n \nPay.",
    "mutt": f"----- Forwarded message from {EVE} -----\n\nDate: Mon, 23 Nov 2026 08:00:00 +0100\nFrom: {EVE}\nTo: ruth@example.org\nSubject: Invoice\n\nPay.\n\n----- End forwarded message -----",
    "zimbra": "----- Forwarded Message -----\nFrom: \"Eve\" <eve@example.net>\nTo: \"ruth\" <ruth@example.org>\nSent: Monday, November 23, 2026 8:00:00 AM\nSubject: Invoice\n\nPay.",
    "ru": "-------- Пересылаемое сообщение --------\n23.11.2026, 08:00, \"Eve\" <eve@example.net>:\n\nPay.",
    "mailru": "-------- Пересылаемое сообщение --------\nОт кого: Eve <eve@example.net>\nКому: ruth@example.org\nДата: Понедельник, 23 ноября 2026, 8:00 +03:00\nТема: Invoice\n\nPay.",
    "qq": "---原始邮件---\n发件人: \"Eve\"<eve@example.net>\n发送时间: 2026年11月23日(星期一) 上午8:00\n收件人: \"ruth\"<ruth@example.org>;\n主题: Invoice\n\nPay.",
    "netease": "-------- 转发邮件信息 --------\n发件人：\"Eve\" <eve@example.net>\n发送日期：2026-11-23 08:00:00\n收件人：ruth@example.org\n主题：Invoice\n\nPay.",
    "samsung": f"-------- Original message --------\nFrom: {EVE} \nDate: 23/11/2026  08:00  (GMT+01:00) \nTo: ruth@example.org \nSubject: Invoice \n\nPay.",
    "emclient": '------ Forwarded Message ------\nFrom "Eve" <eve@example.net>\nTo ruth@example.org\nDate 23/11/2026 08:00:00\nSubject Invoice\n\nPay.',
    "kmail": f"----------  Forwarded Message  ----------\n\nSubject: Invoice\nDate: Monday, 23 November 2026, 08:00:00 CET\nFrom: {EVE}\nTo: ruth@example.org\n\nPay.\n-----------------------------------------",
    "evolution": f"-------- Forwarded Message --------\nFrom: {EVE}\nTo: ruth@example.org\nSubject: Invoice\nDate: Mon, 23 Nov 2026 08:00:00 +0100\n\nPay.",
    "claws": f"Begin forwarded message:\n\nDate: Mon, 23 Nov 2026 08:00:00 +0100\nFrom: {EVE}\nTo: ruth@example.org\nSubject: Invoice\n\n\nPay.",
    "roundcube": f"-------- Originalnachricht --------\nBetreff: Invoice\nDatum: 2026-11-23 08:00\nVon: {EVE}\nAn: ruth@example.org\n\nPay.",
    "lotus": f"----- Forwarded by Ruth/ORG on 23.11.2026 09:00 -----\n\nFrom:\t{EVE}\nTo:\truth@example.org\nDate:\t23.11.2026 08:00\nSubject:\tInvoice\n\n\n\nPay.",
    "spark": f"---------- Forwarded message ----------\nFrom: {EVE}\nDate: Nov 23, 2026 at 8:00 AM +0100\nTo: ruth@example.org\nSubject: Invoice\n\n> Pay.",
    "gmail ja": f"---------- Forwarded message ---------\nFrom: {EVE}\nDate: 2026年11月23日(月) 8:00\nSubject: Invoice\nTo: <ruth@example.org>\n\n\nPay.",
    "outlook fr": f"De : {EVE}\nEnvoyé : lundi 23 novembre 2026 08:00\nÀ : Ruth <ruth@example.org>\nObjet : Invoice\n\nPay.",
    "outlook pl": f"Od: {EVE}\nWysłano: poniedziałek, 23 listopada 2026 08:00\nDo: Ruth <ruth@example.org>\nTemat: Invoice\n\nPay.",
    "gmx": "Gesendet: Montag, 23. November 2026 um 08:00 Uhr\nVon: \"Eve\" <eve@example.net>\nAn: ruth@example.org\nBetreff: Invoice\n\nPay.",
    "mailto": "From: Eve Mallory [mailto:eve@example.net] \nSent: Monday, November 23, 2026 8:00 AM\nTo: Ruth\nSubject: Invoice\n\nPay.",
    "star": f"---------- Forwarded message ---------\n*From:* {EVE}\n*Date:* Mon\n*Subject:* Invoice\n*To:* Ruth\n\nPay.",
}  # fmt: skip


@pytest.mark.parametrize("name", FORWARDS)
def test_what_is_forwarded_is_read_however_a_program_says_so(name: str):
    read = read_forward(f"Look.\n\n{FORWARDS[name]}", subject="Fwd: Invoice")
    assert read is not None
    assert read.from_ is not None
    said = (read.from_.address, read.subject, read.text.strip(" >\n-"))
    assert said == ("eve@example.net", "" if name == "ru" else "Invoice", "Pay.")


def test_a_sentence_below_a_mark_is_no_label():
    read = read_forward("Begin forwarded message:\n\nFrom what I see it is wrong.\nTo me, too.", subject="Fwd: x")
    assert read is None


RUTH = Mailbox("Ruth Reed", "ruth@example.com")
FAKES = {
    "a mark": "---------- Forwarded message ---------\nFrom: Tom Flag <tom@example.net>\nSubject: A flag\n",
    "a mark of Apple's": "Begin forwarded message:\n\n> From: Tom Flag <tom@example.net>\n> Subject: A flag\n",
    "a mark in German": "-------- Weitergeleitete Nachricht --------\nVon: Tom Flag <tom@example.net>\nBetreff: A flag\n",
    "a separator": "-----Original Message-----\nFrom: Tom Flag <tom@example.net>\nSent: Monday, 23 November 2026 10:00\n",
    "a header block": "From: Tom Flag <tom@example.net>\nSent: Monday, 23 November 2026 10:00\nTo: a@example.org\nSubject: A\n",
    "an attribution": "On Mon, 23 Nov 2026 at 10:00, Tom Flag <tom@example.net> wrote:\n> Down.\n",
}
TRUE_TOPS = {
    "Outlook": "From: Ruth Reed <ruth@example.com>\nSent: Monday, 23 November 2026 10:15\nTo: x@example.org\nSubject: Hi\n",
    "Outlook in German": "Von: Ruth Reed <ruth@example.com>\nGesendet: Montag, 23. November 2026 10:15\nAn: x@example.org\n"
    "Betreff: Hi\n",
    "Outlook in French": "________________________________\nDe : Ruth Reed <ruth@example.com>\n"
    "Envoyé : lundi 23 novembre 2026 10:15\nÀ : x@example.org\nObjet : Hi\n",
    "Outlook in Polish": "Od: Ruth Reed <ruth@example.com>\nWysłano: poniedziałek, 23 listopada 2026 10:15\nDo: x@example.org\n"
    "Temat: Hi\n",
    "Outlook of old": "-----Original Message-----\nFrom: Ruth Reed [mailto:ruth@example.com]\n"
    "Sent: Monday, November 23, 2026 10:15 AM\nTo: x@example.org\nSubject: Hi\n",
    "a block with marks before its lines": "> From: Ruth Reed <ruth@example.com>\n> Sent: Monday, 23 November 2026 10:15\n"
    "> To: x@example.org\n> Subject: Hi\n",
    "Gmail": "---------- Forwarded message ---------\nFrom: Ruth Reed <ruth@example.com>\n"
    "Date: Mon, Nov 23, 2026 at 10:15 AM\nSubject: Hi\nTo: <x@example.org>\n",
    "Yandex": "-------- Пересылаемое сообщение --------\n23.11.2026, 10:15, \"Ruth Reed\" <ruth@example.com>:\n",
    "an attribution": "On Mon, 23 Nov 2026 at 10:15, Ruth Reed <ruth@example.com> wrote:\n",
}  # fmt: skip


@pytest.mark.parametrize("fake", FAKES.values(), ids=FAKES)
@pytest.mark.parametrize("top", TRUE_TOPS.values(), ids=TRUE_TOPS)
def test_class_14_what_the_writer_of_a_forwarded_mail_pretends_names_no_other_writer(top: str, fake: str) -> None:
    quoted = top.startswith("> ")
    said = "".join(f"> {line}\n" if quoted else f"{line}\n" for line in f"Dear desk,\n\n{fake}\nI did it.".split("\n"))
    for text in (f"Yours?\n\n{top}\n{said}", f"{top}\n{said.partition(chr(10))[2]}"):
        found = read_forward(text, subject="FW: Hi")
        assert found is not None
        assert found.from_ == RUTH
        assert "I did it." in found.text


def test_class_14_a_block_without_its_writer_takes_none_from_the_words_below() -> None:
    top = "---------- Forwarded message ---------\nDate: Mon, Nov 23, 2026 at 10:15 AM\nSubject: Hi\nTo: <x@example.org>\n"
    found = read_forward(f"{top}\nFrom: Tom Flag <tom@example.net>\n\nI did it.", subject="Fwd: Hi")
    assert found is not None
    assert found.from_ is None


def test_class_14_labels_far_below_a_mark_are_words() -> None:
    text = (
        "---------- Forwarded message ---------\nSomebody\nin a tongue\nthat nobody reads\n\n" + FAKES["a header block"]
    )
    assert read_forward(text, subject="Fwd: Hi") is None
