"""What stands still is told to everybody at the desk, and is gone when it is healed."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, insert

from helpdesk import clock
from helpdesk.database import db
from helpdesk.inbound.models import Source
from helpdesk.inbound.operations import process_received, receive
from helpdesk.inbound.sources.leases import note_error, note_success
from helpdesk.outbound.models import DeliveryState, DestinationWait, OutboundRecipient
from helpdesk.outbound.pausing import pause_sending, resume_sending
from helpdesk.outbound.waiting import LIMIT, RELAY
from helpdesk.tickets.delivery import deliver_due
from tests.cast import Cast
from tests.desk.conftest import Desk
from tests.desk.reading import text_of
from tests.factories import make_ticket
from tests.letters import letter, put, states, use_server
from tests.servers.smtp import SmtpServer

A_WHILE = timedelta(minutes=20)


def alarms(desk: Desk, path: str = "/desk/unassigned") -> list[str]:
    return text_of(desk.get(path).text, "p.alarm")


def a_while_ago() -> AbstractContextManager[None]:
    return clock.at(clock.now() - A_WHILE)


def test_a_calm_desk_has_no_alarm(ann: Desk) -> None:
    put()
    receive(letter())
    assert alarms(ann) == []


def test_all_staff_see_that_mail_does_not_leave_until_some_has(app: Flask, ann: Desk, smtp: SmtpServer) -> None:
    use_server(app, smtp)
    smtp.rcpt["ruth@example.com"] = "451 4.7.1 not today"
    with a_while_ago():
        put()
        deliver_due("one")
    deliver_due("one")
    assert alarms(ann) == ["Mail does not leave: 451 4.7.1 not today. It is kept, and tried again and again."]
    put(to="paul@example.net")
    deliver_due("one")
    assert alarms(ann) == []
    assert [error for error, _ in states()] == ["451 4.7.1 not today", None]


@pytest.mark.engines("sqlite")
def test_what_left_long_ago_costs_no_page_anything(ann: Desk) -> None:
    put()
    alarms(ann)
    before = steps_of(lambda: alarms(ann))
    with clock.at(clock.now() - timedelta(days=400)):
        email = put(to="paul@example.com")
    gone = {"email_id": email.id, "state": DeliveryState.SENT, "queued_at": email.created_at, "abandoned": 0}
    rows = [{"address": f"{n}@example.com", "attempts": 1, "settled_at": email.created_at} | gone for n in range(2000)]
    db.session.execute(insert(OutboundRecipient), rows)
    db.session.commit()
    assert steps_of(lambda: alarms(ann)) < before + 1000


def steps_of(work: Callable[[], object]) -> int:
    """How many hundreds of steps of SQLite's machine something takes, times a hundred."""
    taken = []

    def watch(connection: Any, _record: object, _proxy: object) -> None:
        connection.set_progress_handler(lambda: taken.append(1), 100)

    db.session.rollback()
    event.listen(db.engine, "checkout", watch)
    try:
        work()
    finally:
        event.remove(db.engine, "checkout", watch)
    return 100 * len(taken)


def test_all_staff_see_that_nobody_sends(ann: Desk) -> None:
    with a_while_ago():
        put()
    assert alarms(ann) == ["Mail waits and nobody sends it. Is the worker running?"]


@pytest.mark.parametrize("name", ["example.com", RELAY, f"{LIMIT} of 100"])
def test_mail_that_waits_by_itself_is_no_alarm_until_a_while_after(ann: Desk, name: str) -> None:
    with a_while_ago():
        put()
    wait = DestinationWait(name=name, refusals=1, until=clock.now() - timedelta(minutes=5), reason="451 greylisted")
    db.session.add(wait)
    db.session.commit()
    assert alarms(ann) == []
    wait.until = clock.now() - A_WHILE
    db.session.commit()
    assert alarms(ann) == ["Mail waits and nobody sends it. Is the worker running?"]


def test_all_staff_see_that_nobody_reads(ann: Desk) -> None:
    with a_while_ago():
        receive(letter())
    assert alarms(ann) == ["Mail that came in waits and nobody reads it. Is the worker running?"]
    process_received()
    assert alarms(ann) == []


def test_all_staff_see_that_a_mailbox_cannot_be_read(ann: Desk, cast: Cast) -> None:
    db.session.add(Source(name="Inbox", queue=cast.queue, settings={}))
    db.session.commit()
    source_id = db.session.query(Source).one().id
    note_success(source_id)
    note_error(source_id, error="imap.example.org:993: Connection refused")
    assert alarms(ann) == []
    with a_while_ago():
        note_success(source_id)
    note_error(source_id, error="imap.example.org:993: Connection refused")
    sentence = "The mailbox “Inbox” cannot be read: imap.example.org:993: Connection refused."
    assert alarms(ann) == [f"{sentence} It is tried again and again."]
    note_success(source_id)
    assert alarms(ann) == []


def test_all_staff_see_who_paused_sending_and_since_when_and_no_other_alarm_for_it(ann: Desk, cast: Cast) -> None:
    cast.ann.timezone = "Europe/Berlin"
    db.session.commit()
    with a_while_ago():
        put()
    with clock.at(datetime(2026, 11, 25, 6, 17, 8, tzinfo=UTC)):
        pause_sending("Carla Cole")
    sentence = (
        "Sending is paused by Carla Cole since 25 November 2026 at 07:17. All mail waits here until it is resumed."
    )
    for path in ("/desk/unassigned", "/desk/account", f"/desk/tickets/{make_ticket(cast).number}"):
        assert (path, alarms(ann, path)) == (path, [sentence])
    resume_sending("Carla Cole")
    assert alarms(ann) == []


@pytest.mark.parametrize("path", ["/desk/unassigned", "/desk/mail", "/desk/account", "/desk/agents"])
def test_alarms_stand_on_every_page(carla: Desk, path: str) -> None:
    with a_while_ago():
        put()
    assert len(alarms(carla, path)) == 1
