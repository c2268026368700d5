"""The outbox at work, with a real SMTP server that refuses, stalls and hangs up."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from helpdesk import clock
from helpdesk.database import db, transactional
from helpdesk.errors import Refused
from helpdesk.outbound.claiming import claim_next
from helpdesk.outbound.deliveries import Delivery, Outcome
from helpdesk.outbound.models import DeliveryState, OutboundRecipient
from helpdesk.outbound.schedule import GIVE_UP_AFTER, LATE_RETRY, LEASE, MOST_ATTEMPTS
from helpdesk.outbound.transport import Line, send
from helpdesk.tickets.delivery import deliver_due, mark_handled, record_bounce, record_delivery, retry_delivery
from helpdesk.tickets.models import Status, Then, Ticket
from helpdesk.tickets.replying import reply
from tests.cast import RUTH, Cast
from tests.factories import event_kinds, make_ticket
from tests.letters import put, states, use_server
from tests.outbound.conftest import Later, together
from tests.servers.smtp import DROP, STALL, SmtpServer


def test_a_temporary_refusal_is_tried_again_with_the_same_message_id(
    app: Flask, smtp: SmtpServer, later: Later
) -> None:
    use_server(app, smtp)
    smtp.data.append("451 4.3.0 not now")
    email = put()
    assert deliver_due("one") == 1
    assert states() == [("451 4.3.0 not now", DeliveryState.QUEUED)]
    assert deliver_due("one") == 0
    later(minutes=1)
    assert deliver_due("one") == 1
    assert [mail.parsed["Message-ID"] for mail in smtp.mails] == [f"<{email.message_id}>"]
    assert states() == [(None, DeliveryState.SENT)]


def test_the_delay_grows_and_after_two_days_the_mail_has_failed(app: Flask, smtp: SmtpServer, later: Later) -> None:
    use_server(app, smtp)
    smtp.rcpt["ruth@example.com"] = "450 4.2.0 mailbox busy"
    put()
    tries, delays = 0, []
    while [state for _, state in states()] == [DeliveryState.QUEUED]:
        tries += deliver_due("one")
        due = db.session.scalars(select(OutboundRecipient.next_attempt_at)).one()
        if due is not None:
            delays.append(due - clock.now())
            later(seconds=delays[-1].total_seconds())
    assert delays[:4] == [timedelta(minutes=minutes) for minutes in (1, 2, 4, 8)]
    assert max(delays) == timedelta(hours=4)
    assert sum(delays, timedelta()) <= GIVE_UP_AFTER
    assert tries == len(delays) + 1
    assert states() == [("450 4.2.0 mailbox busy", DeliveryState.FAILED)]


def test_a_permanent_refusal_reopens_the_ticket_and_says_why(app: Flask, cast: Cast, smtp: SmtpServer) -> None:
    use_server(app, smtp)
    ticket = make_ticket(cast)
    deliver_due("one")
    smtp.rcpt[RUTH] = "550 5.1.1 no such user"
    reply(ticket, body="You are right.", by=cast.ann, then=Then.CLOSE)
    deliver_due("one")
    ticket = db.session.get_one(Ticket, ticket.id)
    assert (ticket.status, ticket.resolution) == (Status.OPEN, None)
    assert ticket.waiting_since is not None
    assert event_kinds(ticket)[-1] == "send_failed"
    data = ticket.events[-1].data
    assert (data["address"], data["reason"]) == (RUTH, "550 5.1.1 no such user")
    assert data["before"]["status"] == "closed"
    assert states()[-1] == ("550 5.1.1 no such user", DeliveryState.FAILED)


def test_a_receipt_that_fails_reopens_nothing(app: Flask, cast: Cast, smtp: SmtpServer) -> None:
    use_server(app, smtp)
    smtp.rcpt[RUTH] = "550 5.1.1 no such user"
    ticket = make_ticket(cast)
    deliver_due("one")
    ticket = db.session.get_one(Ticket, ticket.id)
    assert ticket.status is Status.NEW
    assert event_kinds(ticket)[-1] == "send_failed"


@pytest.mark.parametrize("end", [STALL, DROP])
def test_l24_no_answer_after_the_final_dot_is_unknown_and_tried_once_more_at_most(
    app: Flask, smtp: SmtpServer, later: Later, end: str
) -> None:
    use_server(app, smtp, timeout=1)
    smtp.data.extend([end, end])
    email = put()
    for _ in range(4):
        deliver_due("one")
        assert [state for _, state in states()] == [DeliveryState.UNKNOWN]
        later(hours=LATE_RETRY.total_seconds() / 3600)
    ids = {f"Message-ID: <{email.message_id}>".encode() in raw for raw in smtp.seen}
    assert (len(smtp.seen), ids) == (2, {True})


def test_l24_the_late_retry_that_succeeds_is_sent(app: Flask, smtp: SmtpServer, later: Later) -> None:
    use_server(app, smtp)
    smtp.data.append(DROP)
    put()
    deliver_due("one")
    later(hours=1)
    deliver_due("one")
    assert (states(), len(smtp.mails)) == ([(None, DeliveryState.SENT)], 1)


def test_a_connection_lost_before_the_final_dot_is_a_plain_temporary_failure(app: Flask, smtp: SmtpServer) -> None:
    use_server(app, smtp)
    smtp.data_command.append("421 4.3.2 shutting down")
    put()
    deliver_due("one")
    assert states() == [("421 4.3.2 shutting down", DeliveryState.QUEUED)]


def test_l27_each_recipient_of_one_mail_has_its_own_truth(app: Flask, smtp: SmtpServer) -> None:
    use_server(app, smtp)
    smtp.rcpt |= {"bad@example.com": "550 5.1.1 unknown", "busy@example.com": "451 4.2.0 busy"}
    put(to=["bad@example.com", "busy@example.com", "good@example.com"])
    deliver_due("one")
    assert states() == [
        ("550 5.1.1 unknown", DeliveryState.FAILED), ("451 4.2.0 busy", DeliveryState.QUEUED), (None, DeliveryState.SENT),
    ]  # fmt: skip
    assert [(mail.recipients, mail.parsed["To"]) for mail in smtp.mails] == [
        (("good@example.com",), "good@example.com")
    ]


@pytest.mark.parametrize("answer", ["552 5.3.4 message too big", "554 5.7.1 not this one"])
def test_l28_what_the_server_refused_at_the_end_is_not_called_sent(app: Flask, smtp: SmtpServer, answer: str) -> None:
    use_server(app, smtp)
    smtp.data.append(answer)
    put()
    deliver_due("one")
    assert states() == [(answer, DeliveryState.FAILED)]


def test_l26_nothing_is_tried_for_ever_however_often_somebody_lets_it(
    app: Flask, cast: Cast, smtp: SmtpServer, later: Later
) -> None:
    use_server(app, smtp)
    smtp.rcpt["ruth@example.com"] = "450 4.2.0 mailbox busy"
    recipient = put().recipients[0]
    tries = []
    for _ in range(6):
        while deliver_due("one"):
            later(hours=4)
        db.session.refresh(recipient)
        tries.append(recipient.attempts)
        retry_delivery(recipient, by=cast.eve)
    assert tries == [12, 24, 36, 48, MOST_ATTEMPTS, MOST_ATTEMPTS + 1]


def test_l27_one_bad_recipient_never_sinks_the_rest(app: Flask, smtp: SmtpServer) -> None:
    use_server(app, smtp)
    smtp.rcpt |= {"bad@example.com": "550 5.1.1 unknown", "busy@example.com": "451 4.2.0 busy"}
    for address in ("bad@example.com", "good@example.com", "busy@example.com", "fine@example.com"):
        put(to=address)
    deliver_due("one")
    assert [mail.recipients for mail in smtp.mails] == [("good@example.com",), ("fine@example.com",)]
    wanted = [DeliveryState.FAILED, DeliveryState.SENT, DeliveryState.QUEUED, DeliveryState.SENT]
    assert [state for _, state in states()] == wanted


@pytest.mark.parametrize("answer", ["451 4.3.0 not now", "554 5.7.1 not this one"])
def test_a_mail_refused_at_data_does_not_spoil_the_next_one(app: Flask, smtp: SmtpServer, answer: str) -> None:
    use_server(app, smtp)
    smtp.data_command.append(answer)
    put()
    put(to="ruth@example.net")
    deliver_due("one")
    refused = DeliveryState.QUEUED if answer.startswith("4") else DeliveryState.FAILED
    assert states() == [(answer, refused), (None, DeliveryState.SENT)]


def test_a_batch_takes_one_connection_and_two_when_one_is_lost(app: Flask, smtp: SmtpServer) -> None:
    use_server(app, smtp)
    for number in range(6):
        put(to=f"ruth@{number}.example.com")
    deliver_due("one")
    assert (len(smtp.mails), len(smtp.peers)) == (6, 1)
    smtp.data.extend(["250 OK", DROP])
    for number in range(4):
        put(to=f"paul@{number}.example.com")
    deliver_due("one")
    assert (len(smtp.mails), len(smtp.peers)) == (9, 3)


def test_a_connection_that_the_server_ended_is_opened_anew_and_nothing_leaves_twice(
    app: Flask, smtp: SmtpServer
) -> None:
    use_server(app, smtp)
    smtp.hang_up_after = 2
    ids = [f"<{put(to=f'ruth@{number}.example.com').message_id}>" for number in range(5)]
    deliver_due("one")
    assert [mail.parsed["Message-ID"] for mail in smtp.mails] == ids
    assert (len(smtp.peers), states()) == (3, [(None, DeliveryState.SENT)] * 5)


def test_each_mail_on_a_line_begins_afresh(app: Flask, smtp: SmtpServer) -> None:
    use_server(app, smtp)
    smtp.rcpt["ruth@1.example.com"] = "550 5.1.1 unknown"
    for number in range(4):
        put(to=f"ruth@{number}.example.com")
    deliver_due("one")
    assert (len(smtp.mails), len(smtp.peers)) == (3, 1)
    assert smtp.resets >= 3


def test_l25_what_a_killed_worker_had_claimed_is_sent_by_another_with_the_same_message_id(
    app: Flask, smtp: SmtpServer, later: Later
) -> None:
    use_server(app, smtp)
    email = put()
    assert claim_next("killed") is not None
    assert deliver_due("other") == 0
    later(seconds=LEASE.total_seconds() + 1)
    assert deliver_due("other") == 1
    assert [mail.parsed["Message-ID"] for mail in smtp.mails] == [f"<{email.message_id}>"]


def test_l33_a_worker_that_comes_back_late_neither_sends_nor_records(
    app: Flask, smtp: SmtpServer, later: Later
) -> None:
    use_server(app, smtp)
    put()
    claim = claim_next("sleeper")
    assert claim is not None
    later(seconds=LEASE.total_seconds() + 1)
    deliver_due("other")
    recipient = db.session.get_one(OutboundRecipient, claim.recipient_id)
    with Line() as line:
        assert send(line, claim, recipient) is None
    record_delivery(Delivery(claim, Outcome.PERMANENT, "too late"))
    assert (len(smtp.mails), states()) == (1, [(None, DeliveryState.SENT)])


def test_a_mail_that_had_to_wait_for_the_line_renews_its_claim(app: Flask, smtp: SmtpServer, later: Later) -> None:
    use_server(app, smtp)
    put()
    claim = claim_next("slow")
    assert claim is not None
    later(seconds=LEASE.total_seconds() - 10)
    with Line() as line:
        delivery = send(line, claim, db.session.get_one(OutboundRecipient, claim.recipient_id))
    later(seconds=20)
    assert deliver_due("other") == 0
    assert delivery is not None
    record_delivery(delivery)
    assert [state for _, state in states()] == [DeliveryState.SENT]


def test_l26_four_workers_send_each_mail_once(app: Flask, smtp: SmtpServer) -> None:
    use_server(app, smtp)
    emails = [put().message_id for _ in range(30)]
    together([lambda name=name: _deliver_in(app, name) for name in "abcd"])
    assert sorted(mail.parsed["Message-ID"] for mail in smtp.mails) == sorted(f"<{one}>" for one in emails)


def test_a_held_mail_stays_until_its_moment(app: Flask, smtp: SmtpServer, later: Later) -> None:
    use_server(app, smtp)
    put(held_until=clock.now() + timedelta(seconds=10))
    assert deliver_due("one") == 0
    later(seconds=10)
    assert deliver_due("one") == 1


def test_staff_retry_a_failed_mail_and_only_a_failed_one(app: Flask, cast: Cast, smtp: SmtpServer) -> None:
    use_server(app, smtp)
    ticket = make_ticket(cast, wants_answer=False)
    smtp.rcpt[RUTH] = "550 5.7.1 not welcome"
    message = reply(ticket, body="You are right.", by=cast.ann)
    deliver_due("one")
    smtp.rcpt.clear()
    recipient = db.session.scalars(select(OutboundRecipient)).one()
    retry_delivery(recipient, by=cast.ann)
    deliver_due("one")
    assert [mail.parsed["Message-ID"] for mail in smtp.mails] == [f"<{message.message_id}>"]
    assert event_kinds(db.session.get_one(Ticket, ticket.id))[-1] == "send_retried"
    with pytest.raises(Refused):
        retry_delivery(recipient, by=cast.ann)


def test_a_handled_mail_is_not_tried_again_until_somebody_retries_it(
    app: Flask, smtp: SmtpServer, cast: Cast, later: Later
) -> None:
    use_server(app, smtp)
    smtp.data.append(DROP)
    recipient = put().recipients[0]
    deliver_due("one")
    mark_handled(recipient, by=cast.eve)
    later(hours=2)
    assert (deliver_due("one"), states()[0][1]) == (0, DeliveryState.UNKNOWN)
    retry_delivery(recipient, by=cast.eve)
    assert (deliver_due("one"), recipient.handled_by, states()) == (1, None, [(None, DeliveryState.SENT)])


def test_a_bounce_brings_a_handled_mail_back_to_the_list(app: Flask, cast: Cast) -> None:
    email = put()
    email.recipients[0].state = DeliveryState.UNKNOWN
    db.session.commit()
    mark_handled(email.recipients[0], by=cast.eve)
    record_bounce(email, address=None, reason="550 no such user")
    assert email.recipients[0].can_be_handled


def test_nothing_leaves_when_the_verb_that_wrote_it_fails(app: Flask, cast: Cast, smtp: SmtpServer) -> None:
    use_server(app, smtp)
    ticket = make_ticket(cast, wants_answer=False)
    with pytest.raises(RuntimeError):
        _reply_and_fail(ticket, cast)
    assert (deliver_due("one"), smtp.mails) == (0, [])


def _deliver_in(app: Flask, name: str) -> None:
    with app.app_context():
        deliver_due(name)


@transactional
def _reply_and_fail(ticket: Ticket, cast: Cast) -> None:
    reply(ticket, body="You are right.", by=cast.ann)
    raise RuntimeError("after the mail was queued")
