"""The line to a mail server is cut at every 4 kB, it refuses or falls silent at every verb: nothing lost or doubled."""

import smtplib
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import delete, select

from helpdesk import clock
from helpdesk.database import db
from helpdesk.inbound.models import Source
from helpdesk.inbound.operations import process_received
from helpdesk.inbound.sources.imap import fetch
from helpdesk.inbound.sources.mailbox import MailboxFailed
from helpdesk.outbound.models import DeliveryState, DestinationWait, OutboundRecipient
from helpdesk.tickets.delivery import deliver_due, retry_delivery
from helpdesk.tickets.replying import reply
from tests.cast import Cast
from tests.factories import make_ticket
from tests.faults.ledgers import complaints
from tests.faults.test_outages import afresh
from tests.inbound.test_sources import set_password
from tests.intake.conftest import Listener
from tests.letters import letter, use_server
from tests.servers.dovecot import PASSWORD, Account, Dovecot
from tests.servers.proxy import CUT, PASS, STALL, Proxy
from tests.servers.smtp import DROP, SmtpServer
from tests.servers.smtp import STALL as STALLS

STEP = 4096
LARGE = "It opened in 1932, as the plaque says, and not in 1923.\n" * 400  # 22 kB, twice in a mail
LATER = timedelta(hours=2)
VERBS = (b"EHLO", b"MAIL", b"RCPT", b"DATA", b"QUIT")
ANSWERS = ("421 4.3.2 closing", "451 4.3.0 not now", "550 5.7.1 never", CUT, STALL)


def test_a_line_cut_at_every_4_kb_of_what_we_send_loses_no_mail_and_doubles_none(
    app: Flask, cast: Cast, smtp: SmtpServer, proxy_to: Callable[..., Proxy]
) -> None:
    proxy, marks, lost_answers = proxy_to(smtp.port), list[str](), 0
    use_server(app, proxy, security="none")
    ticket = make_ticket(cast, wants_answer=False)
    for cut_at in range(STEP, 100_000, STEP):
        marks.append(f"mark-{cut_at}-")
        reply(ticket, body=f"{marks[-1]} {LARGE}", by=cast.ann)
        proxy.cut_after_sent = cut_at
        deliver_due("one")
        [state] = {row.state for row in afresh(OutboundRecipient)} - {DeliveryState.SENT} or {DeliveryState.SENT}
        lost_answers += state is DeliveryState.UNKNOWN
        proxy.cut_after_sent = None
        send_later()
        if state is DeliveryState.SENT:
            break
    assert len(marks) > 10
    assert complaints(taken=[], replied=marks, caught=smtp.mails, twice=lost_answers) == []


def test_l10_a_line_cut_at_every_4_kb_of_what_a_mailbox_says_loses_and_doubles_nothing(
    app: Flask, cast: Cast, dovecot: Dovecot, smtp: SmtpServer, proxy_to: Callable[..., Proxy]
) -> None:
    proxy, taken, failed = proxy_to(dovecot.port), list[str](), 0
    use_server(app, smtp)
    set_password(app, PASSWORD)
    for cut_at in range(STEP, 100_000, STEP):
        mailbox = dovecot.add_mailbox()
        source = Source(name=mailbox.username, queue=cast.queue, settings=mailbox.settings(port=proxy.port))
        db.session.add(source)
        db.session.commit()
        taken += fill(mailbox, cut_at)
        proxy.cut_after = cut_at
        was_cut = not can_fetch(source.id)
        failed += was_cut
        proxy.cut_after = None
        fetch(source.id, "one")
        process_received()
        if not was_cut:
            break
    deliver_due("one")
    assert failed > 10
    assert complaints(taken=taken, replied=[], caught=smtp.mails) == []


def test_l31_a_line_cut_at_every_4_kb_of_what_comes_by_lmtp_loses_and_doubles_nothing(
    app: Flask, cast: Cast, smtp: SmtpServer, start: Callable[..., Listener], proxy_to: Callable[..., Proxy]
) -> None:
    use_server(app, smtp)
    listener, taken = start(), list[str]()
    direct = int(listener.bind.rpartition(":")[2])
    proxy = proxy_to(direct)
    for cut_at in range(STEP, 100_000, STEP):
        taken.append(f"mark-{cut_at}-")
        raw = letter(body=f"{taken[-1]} {LARGE}", from_=f"reader{cut_at}@example.com")
        proxy.cut_after_sent = cut_at
        if is_taken(proxy.port, raw):
            break
        assert is_taken(direct, raw)
    db.session.rollback()
    process_received()
    deliver_due("one")
    assert len(taken) > 5
    assert complaints(taken=taken, replied=[], caught=smtp.mails) == []


@pytest.mark.parametrize("answer", ANSWERS)
def test_what_a_mail_server_answers_at_any_verb_loses_and_doubles_nothing(
    app: Flask, cast: Cast, smtp: SmtpServer, proxy_to: Callable[..., Proxy], answer: str
) -> None:
    faults: list[bytes] = []

    def judge(line: bytes) -> str:
        is_it = bool(faults) and line.upper().startswith(faults[0])
        return answer if is_it and faults.pop() else PASS

    proxy, marks = proxy_to(smtp.port, judge=judge), list[str]()
    use_server(app, proxy, security="none", timeout=1)
    for verb in VERBS:
        for each in "ab":
            marks.append(f"mark-{verb.decode()}-{each}-")
            reply(make_ticket(cast, wants_answer=False), body=f"{marks[-1]} You are right.", by=cast.ann)
        faults.append(verb)
        deliver_due("one")
        assert faults == []
        retry_failed(cast)
        send_later()
    assert complaints(taken=[], replied=marks, caught=smtp.mails) == []


@pytest.mark.parametrize("answer", ["451 4.3.0 not now", "552 5.3.4 too large", "554 5.6.0 never", DROP, STALLS])
def test_what_a_mail_server_answers_to_the_final_dot_loses_and_doubles_nothing(
    app: Flask, cast: Cast, smtp: SmtpServer, answer: str
) -> None:
    use_server(app, smtp, timeout=1)
    marks = [f"mark-{each}-" for each in "abc"]
    for mark in marks:
        reply(make_ticket(cast, wants_answer=False), body=f"{mark} You are right.", by=cast.ann)
    smtp.data.extend(["250 OK", answer])
    deliver_due("one")
    assert not smtp.data
    retry_failed(cast)
    send_later()
    assert complaints(taken=[], replied=marks, caught=smtp.mails) == []


@pytest.mark.parametrize("greeting", [b"421 4.3.2 busy\r\n", b"554 5.7.1 go away\r\n", b"\r\n", b"\xff\x00"])
def test_a_mail_server_that_turns_us_away_loses_no_mail(
    app: Flask, cast: Cast, smtp: SmtpServer, proxy_to: Callable[..., Proxy], greeting: bytes
) -> None:
    proxy = proxy_to(smtp.port, greeting=greeting)
    use_server(app, proxy, security="none")
    reply(make_ticket(cast, wants_answer=False), body="mark-1- You are right.", by=cast.ann)
    deliver_due("one")
    assert {row.state for row in afresh(OutboundRecipient)} == {DeliveryState.QUEUED}
    proxy.greeting = b""
    send_later()
    assert complaints(taken=[], replied=["mark-1-"], caught=smtp.mails) == []


def send_later() -> None:
    """After the longest pause there is; then the clock goes back, and nothing may wait for what was later."""
    with clock.at(clock.now() + LATER):
        deliver_due("another")
    db.session.execute(delete(DestinationWait))
    db.session.commit()


def retry_failed(cast: Cast) -> None:
    """What was refused for good is on the page, and Ann presses Retry."""
    failed = select(OutboundRecipient).where(OutboundRecipient.state == DeliveryState.FAILED)
    for recipient in db.session.scalars(failed).all():
        retry_delivery(recipient, by=cast.ann)


def fill(mailbox: Account, number: int) -> list[str]:
    """Three mails of 20 kB, and the marks they carry."""
    marks = [f"mark-{number}.{each}-" for each in range(3)]
    for mark in marks:
        mailbox.deliver(letter(body=f"{mark} It is 1932.\r\n" * 700, from_=f"{mark}@example.com"))
    return marks


def can_fetch(source_id: int) -> bool:
    try:
        fetch(source_id, "one")
    except MailboxFailed:
        return False
    return True


def is_taken(port: int, raw: bytes) -> bool:
    """True when the mail server that hands this over by LMTP may forget it."""
    try:
        with smtplib.LMTP("127.0.0.1", port, timeout=60) as desk:
            return desk.sendmail("ruth@example.com", ["support@example.org"], raw) == {}
    except (OSError, smtplib.SMTPException):
        return False
