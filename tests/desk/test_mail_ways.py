"""The head of the mail page: for each way mail goes, what waits, since when, and what failed and why."""

from datetime import timedelta

import pytest
from sqlalchemy import insert

from helpdesk import clock, files
from helpdesk.database import db
from helpdesk.inbound.models import InboundEmail, InboundState, Source
from helpdesk.inbound.operations import receive
from helpdesk.inbound.sources.leases import note_error, note_success
from helpdesk.outbound.claiming import has_due
from helpdesk.outbound.models import DeliveryState, DestinationWait, OutboundEmail, OutboundRecipient, SendingPause
from helpdesk.outbound.waiting import AUTOMATIC, LIMIT
from helpdesk.sites.models import Queue
from helpdesk.templating import moment
from helpdesk.tickets.replying import reply
from tests.cast import Cast
from tests.desk.conftest import Desk, counted
from tests.desk.reading import text_of
from tests.factories import make_ticket
from tests.letters import letter, put

CALM = "Mail we send all is well Nothing was sent yet · Nothing waits"
SOON = clock.now() + timedelta(minutes=10)
UNTIL = f"until {moment(SOON)}"
Row = dict[str, object]


def ways(desk: Desk) -> list[str]:
    """The lines of the page's head."""
    return text_of(desk.get("/desk/mail").text, "li.way")


def add_mailbox(queue: Queue, name: str = "Inbox") -> int:
    source = Source(name=name, queue=queue, settings={})
    db.session.add(source)
    db.session.commit()
    return source.id


def came(state: InboundState, reason: str = "", *, times: int = 1, source_id: int | None = None) -> None:
    """Mails in one state, as many as one likes."""
    key = files.put(b"From: x\r\n\r\nHello")
    row: Row = {"state": state, "reason": reason, "source_id": source_id, "received_at": clock.now(), "envelope_to": []}
    row |= {"from_address": "x@example.com", "subject": "Hello", "attempts": 3}
    rows = [row | {"storage_key": f"{key}-{clock.now().timestamp()}-{number}"} for number in range(times)]
    db.session.execute(insert(InboundEmail), rows)
    db.session.commit()


def failed(email: OutboundEmail, error: str, state: DeliveryState = DeliveryState.FAILED) -> OutboundRecipient:
    recipient = email.recipients[0]
    recipient.state, recipient.error, recipient.attempts, recipient.settled_at = state, error, 1, clock.now()
    db.session.commit()
    return recipient


def test_all_is_well_and_the_page_is_calm(eve: Desk, cast: Cast) -> None:
    source_id = add_mailbox(cast.queue)
    assert ways(eve) == [CALM, "Mailbox “Inbox” all is well Never read yet · Nothing waits · to Readers"]
    with clock.at(clock.now() - timedelta(minutes=9)):
        failed(put(), "", DeliveryState.SENT)
        note_success(source_id)
    assert ways(eve) == [
        "Mail we send all is well Last sent: 9 min · Nothing waits",
        "Mailbox “Inbox” all is well Last read: 9 min · Nothing waits · to Readers",
    ]


def test_what_waits_is_counted_and_the_oldest_is_told(eve: Desk, cast: Cast) -> None:
    source_id = add_mailbox(cast.queue)
    with clock.at(clock.now() - timedelta(hours=3)):
        put()
        came(InboundState.RECEIVED, source_id=source_id)
    put()
    receive(letter())
    sender, mailbox, others = ways(eve)
    assert sender.endswith("2 mails wait to be sent · oldest: 3 h")
    assert mailbox.endswith("1 mail waits to be read · oldest: 3 h · to Readers")
    assert others == "Mail handed to us by other doors all is well 1 mail waits to be read · oldest: now"


def test_a_way_that_stands_still_says_so(eve: Desk, cast: Cast) -> None:
    with clock.at(clock.now() - timedelta(hours=1)):
        note_success(add_mailbox(cast.queue))
        put()
        receive(letter())
    assert [" stands still " in line for line in ways(eve)] == [True, True, True]
    failed(put(), "", DeliveryState.SENT)
    assert [" stands still " in line for line in ways(eve)] == [False, True, True]


def test_a_reply_that_can_still_be_undone_does_not_wait(eve: Desk) -> None:
    put(held_until=clock.now() + timedelta(seconds=10))
    assert ways(eve) == [CALM]


def test_failures_stand_by_reason_and_a_reason_names_nobody(eve: Desk, cast: Cast) -> None:
    for name in ("ruth", "paul"):
        failed(put(to=f"{name}@example.com"), f"550 5.1.1 <{name}@example.com>: no such user")
    failed(put(), "552 mailbox full", DeliveryState.BOUNCED)
    came(InboundState.FAILED, "Too deep.", times=2)
    came(InboundState.REJECTED, "There is no queue to put it into.")
    came(InboundState.IGNORED, "The same mail came before.")
    assert text_of(eve.get("/desk/mail").text, "ul.why li") == [
        "2 550 5.1.1 … no such user", "1 552 mailbox full", "2 Too deep.", "1 There is no queue to put it into.",
    ]  # fmt: skip


def test_rare_reasons_are_only_counted(eve: Desk) -> None:
    for number in range(7):
        came(InboundState.FAILED, f"Reason {number}.")
    assert text_of(eve.get("/desk/mail").text, "ul.why li")[5:] == ["and 2 other reasons"]


def test_a_mailbox_that_cannot_be_read_says_why(eve: Desk, cast: Cast) -> None:
    note_error(add_mailbox(cast.queue), error="imap.example.org:993: Connection refused")
    line = ways(eve)[1]
    assert line.startswith("Mailbox “Inbox” not well imap.example.org:993: Connection refused Never read yet")


def test_a_mailbox_of_a_restricted_queue_is_for_its_members(eve: Desk, carla: Desk, cast: Cast) -> None:
    note_error(source_id := add_mailbox(cast.legal, "Legal"), error="Connection refused")
    db.session.add(
        InboundEmail(storage_key="1", state=InboundState.FAILED, reason="Too deep.", received_at=clock.now(),
                     source_id=source_id, queue=cast.legal)
    )  # fmt: skip
    db.session.commit()
    assert (ways(eve), len(ways(carla))) == ([CALM], 2)


def test_an_admin_pauses_and_resumes_sending(eve: Desk, carla: Desk) -> None:
    assert "Pause sending" not in eve.get("/desk/mail").text
    assert (eve.post("/desk/mail/pause").status_code, eve.post("/desk/mail/resume").status_code) == (403, 403)
    assert carla.post("/desk/mail/pause").location == "/desk/mail"
    carla.post("/desk/mail/pause")
    put()
    line = "Mail we send paused Nothing was sent yet · 1 mail waits to be sent · oldest: now"
    assert (ways(carla), ways(eve)) == ([f"{line} Resume sending"], [line])
    [pause] = db.session.query(SendingPause)
    assert (pause.paused_by, pause.resumed_at) == ("Carla Cole", None)
    assert "Sending goes on" in carla.get(carla.post("/desk/mail/resume").location).text
    db.session.refresh(pause)
    assert (pause.resumed_by, has_due()) == ("Carla Cole", True)


def test_what_waits_for_a_destination_is_told_with_its_reason(eve: Desk) -> None:
    put(to="ruth@slow.example")
    put(to="paul@slow.example")
    put()
    held("slow.example", "451 4.7.1 <ruth@slow.example> greylisted")
    held("idle.example", "451 4.7.1 nobody waits for it")
    assert text_of(eve.get("/desk/mail").text, "ul.why li") == [
        f"2 wait for slow.example: 451 4.7.1 … greylisted · {UNTIL}"
    ]
    assert "all is well" in ways(eve)[0]


def test_the_hourly_limit_is_shown_and_is_no_fault(eve: Desk) -> None:
    for number in range(3):
        put(to=f"reader{number}@example.com")
    held(f"{LIMIT} of 100", "the hourly limit of 100 mails is used up")
    assert ways(eve)[0].startswith(
        "Mail we send waits for the hourly limit Nothing was sent yet · 3 mails wait to be sent"
    )
    [line] = text_of(eve.get("/desk/mail").text, "ul.why li")
    assert line == f"3 wait for the hourly limit: the hourly limit of 100 mails is used up · {UNTIL}"


def test_receipts_that_wait_for_their_half_are_counted_alone(eve: Desk) -> None:
    put(to="reader@example.com")
    put(to="other@example.com", automatic=True)
    held(f"{AUTOMATIC} of 100", "half of the hourly limit of 100 mails is kept for replies")
    [line] = text_of(eve.get("/desk/mail").text, "ul.why li")
    assert line == f"1 waits for the hourly limit: half of the hourly limit of 100 mails is kept for replies · {UNTIL}"


def test_what_waits_about_a_ticket_in_a_restricted_queue_is_for_its_members(eve: Desk, carla: Desk, cast: Cast) -> None:
    ticket = make_ticket(cast, queue=cast.legal, address="client@lawyer.example", wants_answer=False)
    reply(ticket, body="We look into it.", by=cast.carla)
    held("lawyer.example", "451 4.7.1 greylisted")
    assert "lawyer.example" not in eve.get("/desk/mail").text
    assert "waits for lawyer.example" in carla.get("/desk/mail").text


@pytest.mark.parametrize(("times", "shown"), [(999, "999"), (1000, "999+"), (1001, "999+")])
def test_counts_stop(eve: Desk, times: int, shown: str) -> None:
    came(InboundState.RECEIVED, times=times)
    came(InboundState.FAILED, "Too deep.", times=times)
    page = eve.get("/desk/mail").text
    assert text_of(page, "ul.why li") == [f"{shown} Too deep."]
    assert f"{shown} mails wait" in text_of(page, "li.way")[1]


def test_the_page_takes_as_many_statements_however_much_stands(eve: Desk, cast: Cast) -> None:
    calm = statements_of(eve)
    for number in range(3):
        source_id = add_mailbox(cast.queue, f"Box {number}")
        came(InboundState.FAILED, f"Reason {number}.", times=5, source_id=source_id)
        came(InboundState.RECEIVED, times=5, source_id=source_id)
        failed(put(), f"550 {number}")
    assert (calm, statements_of(eve)) == (7, 7)


def held(name: str, reason: str) -> None:
    """Let mail wait for a destination."""
    db.session.add(DestinationWait(name=name, refusals=1, until=SOON, reason=reason))
    db.session.commit()


def statements_of(desk: Desk) -> int:
    with counted() as statements:
        desk.get("/desk/mail")
    return len(statements)
