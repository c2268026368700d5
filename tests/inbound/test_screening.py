"""A person's mail is told from a machine's, a bounce from both, each with a reason staff can read."""
# ruff: noqa: RUF001 the words of many languages

from pathlib import Path

import pytest

from helpdesk.inbound.bounces import Bounce
from helpdesk.inbound.inspecting import as_text, inspect
from helpdesk.inbound.parsing import parse
from helpdesk.inbound.screening import Kind, Verdict, screen

EML = Path(__file__).parents[1] / "eml"
OURS = frozenset({"support@example.com"})
AWAY = """
Automatic reply: x
Automatische Antwort: x
Abwesenheitsnotiz
Abwesend: x
Réponse automatique : x
Réponse automatique: x
Absent du bureau : x
Respuesta automática: x
Fuera de la oficina: x
Risposta automatica: x
Fuori sede: x
Assente: x
Resposta automática: x
Automatisch antwoord: x
Automatische reply: x
Autosvar: x
Automatiskt svar: x
Automatisk svar: x
Fraværsbesked
Frånvaro: x
Automaattinen vastaus: x
Odpowiedź automatyczna: x
Autoodpowiedź: x
Автоматический ответ: x
Автоматична відповідь: x
Автоматичен отговор: x
Automatická odpověď: x
Automatická odpoveď: x
Automatikus válasz: x
Răspuns automat: x
Otomatik yanıt: x
Αυτόματη απάντηση: x
Automatski odgovor: x
Samodejni odgovor: x
Automaatvastus: x
Automatinis atsakymas: x
Automātiskā atbilde: x
Trả lời tự động: x
Balasan otomatis: x
Resposta automàtica: x
自动答复: x
自动回复: x
自動回覆: x
自動応答: x
自動返信: x
【自動返信】x
不在: x
자동 회신: x
[자동 회신] x
부재중 x
תשובה אוטומטית: x
رد تلقائي: x
ตอบกลับอัตโนมัติ: x
Out of Office: x
OOO: x
Out of office Re: x
Autoreply: x
Auto-reply: x
AutoReply x
Auto Response: x
Vacation: x
Away from my mail
[Auto-Reply] x
[Autoreply] x
Afwezigheidsmelding
Nicht im Büro
Ich bin nicht im Büro: x
"""


def judged(raw: bytes, header: str = "X-Helpdesk-Loop") -> Verdict:
    return screen(parse(raw), own_addresses=OURS, own_loop_header=header)


def verdict_on(name: str) -> Verdict:
    return judged((EML / f"{name}.eml").read_bytes())


def headers(*lines: str) -> bytes:
    return "\n".join(["From: Ruth <ruth@example.org>", *lines, "", "Hello"]).encode()


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("gmail_reply", Kind.WELCOME),
        ("forwarded", Kind.WELCOME),
        ("html_only", Kind.WELCOME),
        ("vacation", Kind.AUTO_REPLY),
        ("read_receipt", Kind.AUTO_REPLY),
        ("dsn", Kind.BOUNCE),
        ("dsn_delayed", Kind.BOUNCE),
        ("exchange_ndr", Kind.BOUNCE),
        ("qmail_bounce", Kind.BOUNCE),
        ("mailbox_full", Kind.BOUNCE),
        ("arf", Kind.COMPLAINT),
        ("loop", Kind.OWN_LOOP),
        ("mailing_list", Kind.MAILING_LIST),
    ],
)
def test_kinds_of_stored_mail(name: str, kind: Kind):
    verdict = verdict_on(name)
    assert verdict.kind == kind
    assert verdict.may_be_answered == (kind is Kind.WELCOME)


def test_a_delivery_report_says_whom_and_why():
    verdict = verdict_on("dsn")
    assert verdict.reason == (
        "Bounce: our mail did not reach ruth@example.org (status 5.1.1); a delivery report says so."
    )
    assert verdict.bounce == Bounce(
        recipients=("ruth@example.org",),
        status="5.1.1",
        diagnostic="550 5.1.1 <ruth@example.org>: Recipient address rejected: User unknown",
        hard=True,
        original_message_id="ticket-42.7@example.com",
        delayed=False,
    )


def test_a_delayed_mail_is_not_lost_yet():
    verdict = verdict_on("dsn_delayed")
    assert verdict.reason == "Delayed: our mail has not reached ruth@example.org yet (status 4.4.1)."
    assert verdict.bounce == Bounce(
        ("ruth@example.org",), "4.4.1", "451 connection timed out", False, "ticket-42.7@example.com", True
    )


def test_a_full_mailbox_is_not_a_hard_bounce():
    bounce = verdict_on("mailbox_full").bounce
    assert bounce is not None
    assert (bounce.status, bounce.hard, bounce.delayed) == ("5.2.2", False, False)


def test_bounces_without_report_parts_are_read_from_their_text():
    assert verdict_on("qmail_bounce").bounce == Bounce(
        ("ruth@example.org",),
        "5.1.1",
        "Sorry, no mailbox here by that name. (#5.1.1)",
        True,
        "ticket-42.7@example.com",
        False,
    )
    exchange = verdict_on("exchange_ndr").bounce
    assert exchange is not None
    assert (exchange.recipients, exchange.status, exchange.hard) == (("ruth@example.org",), "5.1.10", True)
    assert exchange.original_message_id == "ticket-42.7@example.com"


def test_one_cue_makes_no_bounce():
    assert judged(headers("Subject: Delivery failure in your article")).kind is Kind.WELCOME
    assert judged(headers("Subject: Re: Undelivered Mail Returned to Sender")).kind is Kind.WELCOME
    assert judged(b"From: postmaster@example.org\nSubject: Your robots.txt\n\nHello").kind is Kind.WELCOME


def test_two_cues_make_a_bounce():
    verdict = judged(b"Return-Path: <>\nFrom: MAILER-DAEMON@example.org\nSubject: ?\n\nNo luck.")
    assert verdict.kind is Kind.BOUNCE
    assert verdict.reason == (
        "Bounce: our mail did not reach an unnamed address; null sender, sent by the mail system."
    )


def notice(text: str) -> Verdict:
    return judged(f"From: Notifications <no-reply@notices.example.net>\n\n{text}".encode())


def test_a_mail_service_tells_bounces_and_complaints_as_json():
    envelope = (
        r'{"Type": "Notification", "Message": "{\"eventType\":\"Bounce\",\"bounce\":{\"bounceType\":\"Transient\",'
    )
    envelope += r'\"bouncedRecipients\":[{\"emailAddress\":\"ruth@example.org\"}]}}"}'
    assert notice(envelope).reason == (
        "Bounce: our mail did not reach ruth@example.org (status 4.0.0); a delivery report says so."
    )
    assert notice('{"notificationType": "Complaint"}').kind == Kind.COMPLAINT


@pytest.mark.parametrize(
    "text",
    [
        '{"notificationType": "Bounce"}',
        '{"notificationType": "Bounce", "bounce": {"bouncedRecipients": "ruth@example.org"}}',
        '{"notificationType": "Bounce", "bounce": [],',
        "{" * 5_000,
        '{"a":' * 5_000,
        '{"price": 12}',
    ],
)
def test_class_40_other_json_is_somebody_s_message(text: str):
    assert notice(text).kind == Kind.WELCOME


def test_a_report_of_success_is_an_automatic_mail():
    raw = (EML / "dsn.eml").read_bytes().replace(b"Action: failed", b"Action: delivered")
    assert judged(raw) == Verdict(Kind.AUTO_REPLY, "Delivery report: a mail server confirms our mail.")


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (
            ["Auto-Submitted: auto-replied (vacation)"],
            "Out-of-office reply: Auto-Submitted says auto-replied.",
        ),
        (["Auto-Submitted: auto-generated"], "Automatic mail: Auto-Submitted says auto-generated."),
        (["X-Autoreply: yes"], "Automatic reply: it carries an X-Autoreply header."),
        (["X-Autorespond: away"], "Automatic reply: it carries an X-Autorespond header."),
        (["Precedence: auto_reply"], "Automatic reply: Precedence says auto_reply."),
        (["Precedence: bulk"], "Automatic mail: Precedence says bulk."),
        (
            ["X-Auto-Response-Suppress: All", "X-MS-Exchange-Inbox-Rules-Loop: ruth@example.org"],
            "Automatic reply: an Exchange rule sent it.",
        ),
        (
            ["Subject: Automatic reply: Hello"],
            "Out-of-office reply: its subject is “Automatic reply: Hello”.",
        ),
        (
            ["Subject: Abwesenheitsnotiz: Hallo"],
            "Out-of-office reply: its subject is “Abwesenheitsnotiz: Hallo”.",
        ),
        (["Subject: 自动回复: 你好"], "Out-of-office reply: its subject is “自动回复: 你好”."),
    ],
)
def test_automatic_replies_give_themselves_away(lines: list[str], reason: str):
    assert judged(headers(*lines)) == Verdict(Kind.AUTO_REPLY, reason)


@pytest.mark.parametrize(
    "lines",
    [
        ["Auto-Submitted: no"],
        ["X-Auto-Response-Suppress: All"],
        ["Subject: Re: Out of office?"],
        ["Subject: Auto industry"],
        ["X-Autoreply: no"],
    ],
)
def test_people_are_welcome(lines: list[str]):
    assert judged(headers(*lines)) == Verdict(
        Kind.WELCOME, "A person's mail: nothing says otherwise.", may_be_answered=True
    )


def test_auto_reply_loop_ends_at_our_own_header_or_address():
    assert judged(headers("X-Helpdesk-Loop: example")).kind is Kind.OWN_LOOP
    assert judged(headers("X-Helpdesk-Loop: other"), "X-Helpdesk-Loop: example").kind is Kind.WELCOME
    assert judged(headers("x-helpdesk-loop: Example"), "X-Helpdesk-Loop: example").kind is Kind.OWN_LOOP
    assert judged(b"From: Support@Example.com\n\nx").kind is Kind.OWN_LOOP


def test_list_mail_is_filed_as_a_message_and_never_answered():
    verdict = judged(headers("List-Id: <talk.lists.example.net>", "Precedence: bulk"))
    assert verdict == Verdict(Kind.MAILING_LIST, "Mailing list: <talk.lists.example.net>.")


@pytest.mark.parametrize(
    "raw",
    [
        b"Return-Path: <>\nFrom: ruth@example.org\n\nx",
        b"From: noreply@example.org\n\nx",
        b"From: do-not-reply+x@example.org\n\nx",
        b"From: postmaster@example.org\n\nx",
        b"Subject: no sender\n\nx",
        b"From: ruth@example.org\n" + b"X-A: bbbbbbbb\n" * 50_000 + b"\nx",
    ],
)
def test_backscatter_gets_no_automatic_answer(raw: bytes):
    verdict = judged(raw)
    assert (verdict.kind, verdict.may_be_answered) == (Kind.WELCOME, False)


def test_inspect_reports_a_bounce_for_programs_and_people():
    report = inspect((EML / "dsn.eml").read_bytes(), own_addresses=OURS)
    assert report["verdict"] == "bounce"
    assert report["bounce"] == {
        "recipients": [
            {
                "address": "ruth@example.org",
                "status": "5.1.1",
                "permanent": True,
                "reason": "550 5.1.1 <ruth@example.org>: Recipient address rejected: User unknown",
            }
        ],
        "status": "5.1.1",
        "diagnostic": "550 5.1.1 <ruth@example.org>: Recipient address rejected: User unknown",
        "hard": True,
        "delayed": False,
        "original_message_id": "ticket-42.7@example.com",
    }
    assert "  recipients: ruth@example.org\n  status: 5.1.1\n" in as_text(report)


def test_inspect_shows_the_reply_for_people():
    assert as_text(inspect((EML / "helpdesk_reply.eml").read_bytes())) == (
        "From:         Ruth Reader <ruth@example.org>\n"
        "To:           The Example <support+k1abcdefgh@example.com>\n"
        "Subject:      Re: A wrong date in your article\n"
        "Date:         2026-11-23T09:15:00+00:00\n"
        "Message-ID:   ours@mail.example.org\n"
        "In reply to:  ticket-42.7@example.com\n"
        "References:   ticket-42.1@example.com, ticket-42.7@example.com\n"
        "Verdict:      welcome\n"
        "Why:          A person's mail: nothing says otherwise.\n"
        "\n--- Reply text ---\nThank you, that was quick.\n"
        "\n--- Quoted text ---\n"
        "On 23 November 2026 at 09:12, Ann wrote:\n> Dear Ruth,\n> we corrected the date.\n"
    )


@pytest.mark.parametrize("subject", AWAY.strip().split("\n"))
def test_an_automatic_answer_is_known_by_its_subject_in_many_languages(subject: str):
    assert judged(headers(f"Subject: {subject}")).kind == Kind.AUTO_REPLY


@pytest.mark.parametrize(
    "subject", ["Vacation homes", "Automatic doors", "An out of office reply", "Absence of evidence", "Automobiles: x"]
)
def test_a_subject_that_only_begins_alike_is_a_persons(subject: str):
    assert judged(headers(f"Subject: {subject}")).kind == Kind.WELCOME
