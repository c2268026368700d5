"""Ways in which desks have lost or doubled mail, each tried here with real parts."""

import os
import signal
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPException

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Connection, NullPool, create_engine, event, select, text

from helpdesk.agents.models import Agent
from helpdesk.config import Settings
from helpdesk.database import db
from helpdesk.inbound.models import InboundEmail
from helpdesk.inbound.operations import process_received
from helpdesk.outbound.models import DeliveryState, OutboundRecipient
from helpdesk.outbound.schedule import LEASE
from helpdesk.tickets.delivery import deliver_due
from helpdesk.tickets.models import Ticket
from helpdesk.tickets.replying import reply
from tests.cast import Cast
from tests.contact.posting import filled
from tests.factories import make_ticket
from tests.faults import points
from tests.faults.doors import DOORS
from tests.faults.errands import signed
from tests.faults.ledgers import complaints
from tests.faults.rig import Rig, Visitor, let_leases_run_out
from tests.faults.test_kills import all_of, everything_left, everything_read
from tests.faults.test_outages import afresh, watch
from tests.journeys.conftest import wait_until
from tests.letters import letter, use_server
from tests.servers.dovecot import Account
from tests.servers.proxy import PASS, Proxy
from tests.servers.smtp import SilentServer, SmtpServer

PATIENT = {"HELPDESK_SMTP_TIMEOUT_SECONDS": "300"}


@pytest.mark.engines("postgresql")
@pytest.mark.parametrize("door", DOORS)
def test_l22_a_database_that_ends_us_in_the_middle_of_a_commit_leaves_no_half(
    app: Flask, cast: Cast, client: FlaskClient, smtp: SmtpServer, settings: Settings, door: str
) -> None:
    use_server(app, smtp)
    attempt = DOORS[door](client, "mark-1-")
    with ended_at_commit(settings) as ended:
        assert not attempt()
    db.session.rollback()
    let_leases_run_out()
    assert attempt()
    everything_is_done()
    assert len(ended) == 1
    assert complaints(taken=["mark-1-"], replied=[], caught=smtp.mails) == []


@pytest.mark.parametrize("answer", ["552 5.3.4 too large", "554 5.7.1 not this one", "550 5.1.1 no such user"])
def test_l28_what_the_mail_server_refused_never_looks_sent(
    app: Flask, cast: Cast, smtp: SmtpServer, sign_in: Callable[[Agent], FlaskClient], answer: str
) -> None:
    use_server(app, smtp)
    number = reply(make_ticket(cast, wants_answer=False), body="You are right.", by=cast.ann).ticket.number
    smtp.data.append(answer)
    deliver_due("one")
    page = sign_in(cast.eve).get(f"/desk/tickets/{number}").text
    assert answer in page
    assert "Retry" in page
    ticket = db.session.scalars(select(Ticket)).one()
    assert (ticket.status.value, smtp.mails) == ("open", [])


def test_l28_a_login_that_is_refused_keeps_the_mail_and_shows_that_it_waits(
    app: Flask, cast: Cast, smtp: SmtpServer, proxy_to: Callable[..., Proxy], sign_in: Callable[[Agent], FlaskClient]
) -> None:
    proxy = proxy_to(
        smtp.port, judge=lambda line: "535 5.7.8 who are you" if line.upper().startswith(b"MAIL") else PASS
    )
    use_server(app, proxy, security="none")
    number = reply(make_ticket(cast, wants_answer=False), body="You are right.", by=cast.ann).ticket.number
    deliver_due("one")
    page = sign_in(cast.ann).get(f"/desk/tickets/{number}").text
    assert "535 5.7.8 who are you" in page
    assert smtp.mails == []


def test_l30_a_mail_server_that_never_answers_holds_up_no_mail_that_comes_in(
    rig: Rig, cast: Cast, mailbox: Account, silent_server: SilentServer
) -> None:
    rig.smtp_port = silent_server.port
    watch(cast.queue, mailbox)
    reply(make_ticket(cast), body="mark-0- You are right.", by=cast.ann)
    rig.start("worker", **PATIENT)
    wait_until(lambda: {row.state for row in afresh(OutboundRecipient)} == {DeliveryState.SENDING})
    for number in range(3):
        mailbox.deliver(letter(body=f"mark-{number + 1}- It opened in 1932.\r\n"))
    wait_until(lambda: everything_read(3))
    assert {row.state for row in afresh(OutboundRecipient)} == {DeliveryState.SENDING}


@pytest.mark.parametrize("moment", ["before", "after"])
def test_l31_a_pipe_killed_around_its_commit_gives_no_good_answer_and_the_mail_comes_again(
    rig: Rig, app: Flask, cast: Cast, smtp: SmtpServer, moment: str
) -> None:
    use_server(app, smtp)
    raw = letter(body="mark-1- It opened in 1932.\r\n")
    rig.arm(f"_record {moment} commit")
    assert piped(rig, raw) == -signal.SIGKILL
    assert rig.was_reached(f"_record {moment} commit")
    assert len(all_of(InboundEmail)) == (moment == "after")
    assert piped(rig, raw) == 0
    everything_is_done()
    assert complaints(taken=["mark-1-"], replied=[], caught=smtp.mails) == []


def test_l31_a_pipe_whose_words_nobody_reads_still_says_later(rig: Rig, cast: Cast) -> None:
    rig.arm("disk full")
    read_end, write_end = os.pipe()
    os.close(read_end)
    assert piped(rig, letter(), stderr=write_end) == 75
    os.close(write_end)


@pytest.mark.parametrize("moment", ["before", "in", "after"])
def test_l32_a_request_killed_in_its_handler_and_sent_three_times_is_kept_once(
    rig: Rig, app: Flask, cast: Cast, smtp: SmtpServer, moment: str
) -> None:
    use_server(app, smtp)
    mails = [letter(body=f"mark-{number}- It opened in 1932.\r\n") for number in range(3)]
    requests = [(raw, signed(raw)) for raw in mails]
    rig.start_web()
    rig.arm(f"_record {moment} commit", nth=2)
    answers = [post(rig, *request) for request in requests]
    assert (answers[0], answers[1], answers[2]) == (200, 0, 200)
    assert rig.was_reached(f"_record {moment} commit")
    for request in (requests[2], requests[1], requests[0]) * 3:
        assert post(rig, *request) == 200
    everything_is_done()
    assert complaints(taken=[f"mark-{number}-" for number in range(3)], replied=[], caught=smtp.mails) == []
    assert len(all_of(InboundEmail)) == 3


def test_l33_a_worker_that_slept_through_its_lease_in_the_middle_of_a_mail_is_fenced_off_when_it_wakes(
    rig: Rig, cast: Cast, smtp: SmtpServer, proxy_to: Callable[..., Proxy]
) -> None:
    began, awake = threading.Event(), threading.Event()

    def judge(line: bytes) -> str:
        if line.upper().startswith(b"RCPT") and not began.is_set():
            began.set()
            awake.wait(120)
        return PASS

    rig.smtp_port = proxy_to(smtp.port, judge=judge).port
    marks = [f"mark-{number}-" for number in range(3)]
    for mark in marks:
        reply(make_ticket(cast, wants_answer=False), body=f"{mark} You are right.", by=cast.ann)
    sleeper = rig.start("worker", **PATIENT)
    assert began.wait(60)
    os.kill(sleeper.pid, signal.SIGSTOP)
    points.let_pass(rig.folder, 2 * LEASE.total_seconds())
    rig.start_worker()
    wait_until(everything_left)
    awake.set()
    os.kill(sleeper.pid, signal.SIGCONT)
    sleeper.terminate()
    assert sleeper.wait(60) == 0
    assert complaints(taken=[], replied=marks, caught=smtp.mails) == []


def test_l34_a_form_whose_answer_was_lost_and_sent_five_times_at_once_is_one_ticket(
    rig: Rig, visitor: Visitor, smtp: SmtpServer
) -> None:
    form = filled(message="mark-1- It opened in 1932.")
    rig.start_web()
    rig.arm("receive_form after commit")
    assert visitor.post("/contact", form) == (0, "")
    assert rig.was_reached("receive_form after commit")
    with ThreadPoolExecutor(5) as hands:
        answers = list(hands.map(lambda _: visitor.post("/contact", form), range(5)))
    assert {status for status, _ in answers} == {200}
    rig.start_worker()
    wait_until(everything_left)
    assert complaints(taken=["mark-1-"], replied=[], caught=smtp.mails) == []
    assert len(all_of(Ticket)) == 1


def everything_is_done() -> None:
    """A worker's look, at what others have written meanwhile."""
    db.session.rollback()
    process_received()
    deliver_due("one")


@contextmanager
def ended_at_commit(settings: Settings) -> Iterator[list[int]]:
    """The next COMMIT finds that the server has ended the connection, as a restart would."""
    ended: list[int] = []
    other = create_engine(settings.database_uri, poolclass=NullPool, isolation_level="AUTOCOMMIT")

    def end(connection: Connection) -> None:
        if not ended:
            ended.append(connection.execute(text("SELECT pg_backend_pid()")).scalar_one())
            with other.connect() as hand:
                hand.execute(text("SELECT pg_terminate_backend(:pid, 10000)"), {"pid": ended[0]})

    event.listen(db.engine, "commit", end)
    try:
        yield ended
    finally:
        event.remove(db.engine, "commit", end)


def piped(rig: Rig, raw: bytes, *, stderr: int | None = None) -> int:
    """The exit code of `helpdesk receive`."""
    process = rig.start("receive", "--envelope-to", "support@example.org", stdin=raw, stderr=stderr)
    return process.wait(timeout=60)


def post(rig: Rig, raw: bytes, headers: dict[str, str]) -> int:
    """The status of the answer; 0 when the connection broke."""
    request = urllib.request.Request(f"{rig.url}/intake/mime", data=raw, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except (OSError, HTTPException):
        return 0
