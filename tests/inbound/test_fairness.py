"""One mailbox never keeps another waiting: neither one that is full, nor one whose server has fallen asleep."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask

from helpdesk import clock
from helpdesk.inbound import operations
from helpdesk.inbound.models import InboundEmail, InboundState, Source
from helpdesk.inbound.operations import BATCH, process_received
from helpdesk.inbound.receiving import receive
from tests.cast import Cast
from tests.inbound.mailbox_sources import emails, make_source, subjects, wait_until, watching
from tests.letters import letter
from tests.servers.dovecot import Account
from tests.servers.proxy import PASS, STALL, Proxy

ProxyTo = Callable[..., Proxy]


@pytest.mark.dovecot
def test_a_mailbox_with_a_thousand_mails_keeps_no_other_waiting(
    app: Flask, cast: Cast, mailbox: Account, proxy_to: ProxyTo
) -> None:
    """The full one is held in its middle until the other's mail is a ticket."""
    other, other_has_a_ticket = mailbox.server.add_mailbox(), threading.Event()

    def judge(line: bytes) -> str:
        if b"UID FETCH 40 (UID BODY" in line:
            other_has_a_ticket.wait(120)
        return PASS

    mailbox.deliver_all(letter(subject=f"Full {number}") for number in range(1000))
    proxy = proxy_to(mailbox.port, judge=judge)
    full = make_source(app, cast, mailbox.settings(port=proxy.port), name="Full")
    empty = make_source(app, cast, other.settings(), name="Empty")
    with watching(app, full.id), watching(app, empty.id):
        wait_until(lambda: len(emails()) > 5)
        other.deliver(letter(subject="Of the other"))
        wait_until(lambda: "Of the other" in subjects())
        assert len(emails()) <= 40
        other_has_a_ticket.set()
        wait_until(lambda: len(emails()) > 45)
        proxy.hang_up()


@pytest.mark.dovecot
def test_a_mailbox_whose_server_sleeps_inside_a_mail_keeps_no_other_waiting(
    app: Flask, cast: Cast, mailbox: Account, proxy_to: ProxyTo
) -> None:
    other = mailbox.server.add_mailbox()
    mailbox.deliver(letter(body="x" * 76 + "\r\n", times=1000))
    proxy = proxy_to(mailbox.port, cut_after=40_000, then=STALL)
    asleep = make_source(app, cast, mailbox.settings(port=proxy.port, timeout_seconds=300), name="Asleep")
    awake = make_source(app, cast, other.settings(), name="Awake")
    with watching(app, asleep.id) as watcher, watching(app, awake.id):
        wait_until(lambda: any(b"UID FETCH 1 (UID BODY" in line for line in proxy.lines))
        other.deliver(letter(subject="Of the other"))
        wait_until(lambda: subjects() == ["Of the other"])
        assert watcher.is_alive()
        proxy.hang_up()


def test_a_backlog_of_one_mailbox_delays_the_mail_of_another_by_less_than_a_batch(app: Flask, cast: Cast) -> None:
    full, other = (make_source(app, cast, {}, name=name) for name in ("Full", "Other"))
    for number in range(3 * BATCH):
        receive(letter(subject=f"Full {number:02}"), source=full, uid=(1, number))
    receive(letter(subject="Of the other"), source=other, uid=(1, 1))
    receive(letter(subject="By another door"))
    assert process_received() == 3 * BATCH + 2
    assert {"Of the other", "By another door"} < set(subjects()[:BATCH])
    assert [subject for subject in subjects() if "Full" in subject] == [f"Full {n:02}" for n in range(3 * BATCH)]


def test_a_batch_takes_the_oldest_of_each_in_turn(app: Flask, cast: Cast) -> None:
    sources = [make_source(app, cast, {}, name=name) for name in "AB"]
    for number, name in enumerate("AAAABAB"):
        receive(letter(subject=f"{name}{number}"), source=sources["AB".index(name)], uid=(1, number))
    process_received()
    assert subjects() == ["A0", "B4", "A1", "B6", "A2", "A3", "A5"]


def test_the_mail_of_one_mailbox_can_be_read_alone(app: Flask, cast: Cast) -> None:
    one, other = (make_source(app, cast, {}, name=name) for name in ("One", "Other"))
    receive(letter(subject="One"), source=one, uid=(1, 1))
    receive(letter(subject="Other"), source=other, uid=(1, 1))
    assert (process_received(one.id), subjects()) == (1, ["One"])
    assert (process_received(), subjects()) == (1, ["One", "Other"])


def test_a_mail_that_failed_waits_for_the_next_turn_and_delays_no_other(
    app: Flask, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = make_source(app, cast, {})
    tried: list[int] = []
    real = operations.process

    def process(email_id: int) -> InboundEmail:
        tried.append(email_id)
        return real(email_id)

    for number in range(BATCH + 2):
        receive(letter(subject=str(number)) if number else b"", source=source, uid=(1, number))
    monkeypatch.setattr(operations, "process", process)
    process_received()
    assert sorted(tried) == sorted({email.id for email in emails()})


def test_what_another_worker_reads_just_now_ends_no_round(app: Flask, cast: Cast) -> None:
    source = make_source(app, cast, {})
    for number in range(2 * BATCH):
        receive(letter(subject=str(number)), source=source, uid=(1, number))
    first = [email.id for email in emails()[:BATCH]]
    assert sorted(operations._claim("mail", ids=first)) == first
    assert process_received() == BATCH
    with clock.at(clock.now() + operations.LEASE + timedelta(seconds=1)):
        assert process_received() == BATCH
    assert {email.state for email in emails()} == {InboundState.ACCEPTED}
    assert isinstance(source, Source)
