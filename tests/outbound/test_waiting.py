"""What mail waits for by itself: a destination or a relay that refuses for now, the hourly limit; and who is not held up."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask

from helpdesk import clock
from helpdesk.addresses import domain_of
from helpdesk.database import db
from helpdesk.outbound import transport
from helpdesk.outbound.claiming import claim_next, has_due
from helpdesk.outbound.models import DeliveryState, DestinationWait
from helpdesk.outbound.schedule import GIVE_UP_AFTER
from helpdesk.outbound.turns import Turns
from helpdesk.outbound.waiting import LIMIT, RELAY, forget_waits
from helpdesk.tickets.delivery import deliver_due, retry_delivery
from helpdesk.worker import SENDING_THREADS
from tests.cast import Cast
from tests.letters import put, states, use_server
from tests.outbound.conftest import Later, together
from tests.servers.fixtures import Certificates
from tests.servers.ports import free_port
from tests.servers.smtp import DRIP, STALL, SmtpServer, start_smtp

QUEUED, SENT = DeliveryState.QUEUED, DeliveryState.SENT
GREYLISTED = "451 4.7.1 greylisted, come back later"


def test_a_destination_that_refuses_for_now_lets_its_own_mail_wait_and_no_other(app: Flask, smtp: SmtpServer) -> None:
    use_server(app, smtp)
    smtp.rcpt["slow.example"] = GREYLISTED
    for address in ("ruth@slow.example", "paul@slow.example", "ruth@example.com"):
        put(to=address)
    assert deliver_due("one") == 2
    assert states() == [(GREYLISTED, QUEUED), (None, QUEUED), (None, SENT)]
    assert not has_due()


@pytest.mark.parametrize("name", [RELAY, LIMIT, "*relay"])
def test_no_address_has_the_name_of_what_holds_back_all_mail(app: Flask, smtp: SmtpServer, name: str) -> None:
    use_server(app, smtp)
    smtp.rcpt[domain_of(f"x@{name}")] = GREYLISTED
    for address in (f"x@{name}", "ruth@example.com"):
        put(to=address)
    deliver_due("one")
    assert states()[1] == (None, SENT)


def test_the_wait_for_a_destination_grows_to_half_an_hour(app: Flask, smtp: SmtpServer, later: Later) -> None:
    use_server(app, smtp)
    smtp.rcpt["slow.example"] = GREYLISTED
    for number in range(8):
        put(to=f"reader{number}@slow.example")
    waits = []
    for _ in range(8):
        assert deliver_due("one") == 1
        waits.append(wait_for("slow.example") - clock.now())
        later(seconds=waits[-1].total_seconds())
    assert waits == [timedelta(minutes=minutes) for minutes in (1, 2, 4, 8, 16, 30, 30, 30)]
    assert [error for error, _ in states()] == [GREYLISTED] * 8  # each had its turn: who has waited longest is next


def test_once_a_destination_takes_mail_again_all_of_it_leaves(app: Flask, smtp: SmtpServer, later: Later) -> None:
    use_server(app, smtp)
    smtp.rcpt["slow.example"] = GREYLISTED
    for number in range(5):
        put(to=f"reader{number}@slow.example")
    deliver_due("one")
    smtp.rcpt.clear()
    later(minutes=1)
    assert deliver_due("one") == 5
    smtp.rcpt["slow.example"] = GREYLISTED
    put(to="ruth@slow.example")
    deliver_due("one")
    assert wait_for("slow.example") - clock.now() == timedelta(minutes=1)  # the wait begins short again


def test_one_full_mailbox_holds_up_nobody_else_there(app: Flask, smtp: SmtpServer) -> None:
    use_server(app, smtp)
    smtp.rcpt["ruth@example.com"] = "452 4.2.2 mailbox full"
    put()
    put(to="paul@example.com")
    deliver_due("one")
    assert [state for _, state in states()] == [QUEUED, SENT]


def test_while_the_relay_is_away_one_mail_at_a_time_finds_out(app: Flask, later: Later) -> None:
    port = free_port()
    server = SmtpServer(port=port)
    use_server(app, server)
    for number in range(4):
        put(to=f"reader{number}@{number}.example.com")
    assert deliver_due("one") == 1
    assert wait_for(RELAY) - clock.now() == timedelta(minutes=1)
    later(minutes=1)
    assert deliver_due("one") == 1
    controller = start_smtp(server)
    try:
        later(minutes=2)
        assert deliver_due("one") == 4
    finally:
        controller.stop()
    assert [state for _, state in states()] == [SENT] * 4


def test_two_days_of_refusals_are_told_even_of_mail_that_only_waited(
    app: Flask, smtp: SmtpServer, later: Later
) -> None:
    use_server(app, smtp)
    smtp.rcpt["slow.example"] = GREYLISTED
    for number in range(20):
        put(to=f"reader{number}@slow.example")
    for _ in range(int(GIVE_UP_AFTER / timedelta(minutes=30)) + 2):
        deliver_due("one")
        later(minutes=30)
    assert states() == [(GREYLISTED, DeliveryState.FAILED)] * 20


def test_a_retry_by_hand_waits_for_nobody(app: Flask, cast: Cast, smtp: SmtpServer) -> None:
    use_server(app, smtp)
    smtp.rcpt |= {"ruth@slow.example": "550 5.7.1 no", "paul@slow.example": GREYLISTED}
    mail = put(to="ruth@slow.example")
    put(to="paul@slow.example")
    deliver_due("one")
    smtp.rcpt.clear()
    retry_delivery(mail.recipients[0], by=cast.eve)
    deliver_due("one")
    assert states() == [(None, SENT), (GREYLISTED, QUEUED)]


def test_l30_a_destination_that_never_answers_holds_up_no_other(app: Flask, smtp: SmtpServer) -> None:
    use_server(app, smtp, timeout=3600)
    smtp.rcpt["tarpit.example"] = STALL
    for number in range(6):
        put(to=f"reader{number}@tarpit.example")
    for number in range(6):
        put(to=f"reader{number}@example.com")
    all_left = threading.Event()
    smtp.on_mail = lambda: len(smtp.mails) == 6 and all_left.set()
    threads = [
        threading.Thread(target=_deliver_in, args=(app, f"sender {number}")) for number in range(SENDING_THREADS + 1)
    ]
    for thread in threads:
        thread.start()
    try:
        assert all_left.wait(60)
    finally:
        smtp.awake.set()
        for thread in threads:
            thread.join()
    assert {address.partition("@")[2] for address in took(smtp)} == {"example.com"}
    assert [error for error, _ in states()].count("451 4.4.1 nobody answered") == 2


def test_one_thread_sends_at_a_time_unless_a_mail_takes_long(
    app: Flask, smtp: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_server(app, smtp)
    turns, other = Turns(), []
    put()
    put(to="ruth@example.net")

    def deliver_meanwhile() -> None:
        smtp.on_mail = lambda: None
        other.append(_deliver_in(app, "meanwhile", turns))
        monkeypatch.setattr("helpdesk.outbound.turns.SLOW_SECONDS", 0.0)
        other.append(_deliver_in(app, "meanwhile", turns))

    smtp.on_mail = deliver_meanwhile
    assert (deliver_due("one", turns=turns), other) == (1, [0, 1])
    assert [state for _, state in states()] == [SENT] * 2


@pytest.mark.parametrize("security", ["none", "tls"])
def test_l30_a_server_that_drips_its_answer_is_cut_off_in_time(
    app: Flask,
    certificates: Certificates,
    start_smtp_server: Callable[..., SmtpServer],
    monkeypatch: pytest.MonkeyPatch,
    security: str,
) -> None:
    monkeypatch.setattr(transport, "DEADLINE", timedelta(seconds=2))
    server = start_smtp_server(security, certificates.good if security == "tls" else None)
    use_server(app, server, timeout=3600, ca_file=certificates.good.chain)
    server.rcpt["tarpit.example"] = DRIP
    put(to="ruth@tarpit.example")
    put(to="ruth@example.com")
    deliver_due("one")
    assert states() == [("The mail server took longer than 2 seconds.", QUEUED), (None, SENT)]
    assert wait_for("tarpit.example") > clock.now()


def test_over_the_hourly_limit_mail_waits_people_first_and_oldest_first(
    app: Flask, smtp: SmtpServer, later: Later
) -> None:
    use_server(app, smtp)
    app.extensions["settings"].smtp_hourly_cap = 3
    put(to="receipt@example.com", automatic=True)
    later(seconds=1)
    for number in range(4):
        put(to=f"reader{number}@example.com")
        later(seconds=1)
    assert deliver_due("one") == 3
    assert took(smtp) == ["reader0@example.com", "reader1@example.com", "reader2@example.com"]
    assert [state for _, state in states()].count(QUEUED) == 2
    assert (has_due(), claim_next("two")) == (False, None)
    later(minutes=59)
    assert deliver_due("one") == 0
    later(minutes=11)
    assert deliver_due("one") == 2
    assert took(smtp)[3:] == ["reader3@example.com", "receipt@example.com"]


@pytest.mark.parametrize(("most", "receipts"), [(6, 3), (5, 3), (1, 1)])
def test_class_27_a_flood_of_receipts_leaves_half_of_the_hourly_limit_to_replies(
    app: Flask, smtp: SmtpServer, later: Later, most: int, receipts: int
) -> None:
    use_server(app, smtp)
    app.extensions["settings"].smtp_hourly_cap = most
    for number in range(10):
        put(to=f"victim{number}@example.com", automatic=True)
    assert (deliver_due("one"), has_due()) == (receipts, False)
    for number in range(most):
        put(to=f"reader{number}@example.com")
    assert deliver_due("one") == most - receipts
    assert took(smtp)[receipts:] == [f"reader{number}@example.com" for number in range(most - receipts)]
    later(minutes=71)
    assert deliver_due("one") == receipts
    assert took(smtp)[most:] == [f"reader{number}@example.com" for number in range(most - receipts, most)]


def test_the_hourly_limit_holds_for_all_workers_together(app: Flask, smtp: SmtpServer) -> None:
    use_server(app, smtp)
    app.extensions["settings"].smtp_hourly_cap = 7
    for number in range(20):
        put(to=f"reader{number}@{number}.example.com")
    together([lambda name=name: _deliver_in(app, name) for name in "abcd"])
    assert len(smtp.mails) == 7
    assert sorted(state.value for _, state in states()) == ["queued"] * 13 + ["sent"] * 7


def test_a_limit_that_was_raised_holds_nothing_back(app: Flask, smtp: SmtpServer) -> None:
    use_server(app, smtp)
    app.extensions["settings"].smtp_hourly_cap = 1
    for number in range(3):
        put(to=f"reader{number}@example.com")
    assert deliver_due("one") == 1
    app.extensions["settings"].smtp_hourly_cap = 2
    assert deliver_due("one") == 1
    app.extensions["settings"].smtp_hourly_cap = 0
    assert deliver_due("one") == 1


def test_waits_that_are_long_over_are_forgotten(app: Flask, smtp: SmtpServer, later: Later) -> None:
    use_server(app, smtp)
    smtp.rcpt["slow.example"] = GREYLISTED
    put(to="ruth@slow.example")
    deliver_due("one")
    later(hours=25)
    forget_waits()
    assert db.session.query(DestinationWait).count() == 0


def took(smtp: SmtpServer) -> list[str]:
    """Whose mail the server took, in order."""
    return [mail.recipients[0] for mail in smtp.mails]


def wait_for(name: str) -> datetime:
    """Until when mail waits for this destination."""
    db.session.rollback()
    return db.session.get_one(DestinationWait, name, populate_existing=True).until


def _deliver_in(app: Flask, name: str, turns: Turns | None = None) -> int:
    with app.app_context():
        return deliver_due(name, turns=turns)
