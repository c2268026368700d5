"""When mail stands still all admins get a mail, once a day at most, and one when it goes on; word for word."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from threading import Barrier, Thread

import pytest
from flask import Flask
from sqlalchemy import select

from helpdesk import clock
from helpdesk.agents.roles import Role
from helpdesk.alarms import operations
from helpdesk.alarms.models import Alarm
from helpdesk.alarms.operations import AGAIN_AFTER, watch_troubles
from helpdesk.database import db
from helpdesk.inbound import stuck
from helpdesk.inbound.models import InboundEmail, Source
from helpdesk.inbound.operations import TRIES, note_failure, process_received, receive, retry_inbound
from helpdesk.inbound.quarantine import ignore_inbound
from helpdesk.inbound.sources.leases import note_error, note_success
from helpdesk.jobs import deliver
from helpdesk.outbound.models import DeliveryState, OutboundEmail
from helpdesk.outbound.operations import mark_handled
from helpdesk.outbound.pausing import pause_sending, resume_sending
from helpdesk.outbound.rendering import html_of, text_of
from helpdesk.tickets.delivery import retry_delivery
from helpdesk.worker import Worker
from tests.cast import Cast
from tests.factories import outbox
from tests.letters import letter, put, use_server
from tests.servers.smtp import SmtpServer

GOLDEN = Path(__file__).parents[1] / "emails"
MORNING = datetime(2026, 11, 23, 9, 12, tzinfo=UTC)
REFUSED = "imap.example.org:993: [AUTHENTICATIONFAILED] Authentication failed."
MINUTE = timedelta(minutes=1)
Break = Callable[[Cast], Callable[[], object]]


def after(minutes: float) -> datetime:
    return MORNING + minutes * MINUTE


def look(minutes: float) -> None:
    """What a worker does each minute."""
    with clock.at(after(minutes)):
        watch_troubles("mail")


def told() -> list[tuple[str, str]]:
    """Who was told what, as far as it may still leave."""
    mails = [mail for mail in outbox() if mail.message_id.startswith("alarm.")]
    return [
        (to.address.split("@")[0], mail.subject.removeprefix("Helpdesk: ")) for mail in mails for to in mail.recipients
    ]


def break_mailbox(cast: Cast) -> Callable[[], object]:
    with clock.at(MORNING):
        db.session.add(Source(name="Inbox", queue=cast.queue, settings={}, last_success_at=MORNING))
        db.session.commit()
        source_id = db.session.scalar(select(Source.id))
        assert source_id is not None
        note_error(source_id, error=REFUSED)
    return lambda: note_success(source_id)


def stop_sending(cast: Cast) -> Callable[[], object]:
    """Nobody takes what waits, until somebody sees to it."""
    with clock.at(MORNING):
        mail = put()

    def see_to_it() -> None:
        mail.recipients[0].state = DeliveryState.FAILED
        db.session.commit()
        mark_handled(mail.recipients[0], by="Carla Cole")
        db.session.commit()

    return see_to_it


def refuse_sending(cast: Cast) -> Callable[[], object]:
    with clock.at(MORNING):
        mail = put()
        mail.recipients[0].attempts, mail.recipients[0].error = 1, "535 5.7.8 authentication failed"
        mail.recipients[0].next_attempt_at = after(600)
        db.session.commit()

    def send() -> None:
        mail.recipients[0].state, mail.recipients[0].settled_at = DeliveryState.SENT, clock.now()
        db.session.commit()

    return send


def stop_reading(cast: Cast) -> Callable[[], object]:
    with clock.at(MORNING):
        receive(letter())
    return process_received


def quarantine(cast: Cast) -> Callable[[], object]:
    with clock.at(MORNING):
        email = receive(letter())
        for _ in range(TRIES):
            note_failure(email, reason="RuntimeError while reading it")
    return lambda: ignore_inbound(email, by=cast.eve)


def stick_a_mail(cast: Cast) -> Callable[[], object]:
    """A mailbox that is read, but for one mail."""
    with clock.at(MORNING):
        source = Source(name="Inbox", queue=cast.queue, settings={}, last_success_at=after(600))
        db.session.add(source)
        db.session.commit()
        source_id = source.id
        for _ in range(stuck.TRIES):
            stuck.note_stuck(source_id, uid=(1, 7), reason="the server does not give out mail 7: [SERVERBUG] broken")
    return lambda: stuck.forget_stuck(source_id, but=(1, set()))


BREAKS: dict[str, Break] = {
    "not_fetched": break_mailbox, "not_sent": refuse_sending, "not_tried": stop_sending, "not_read": stop_reading,
    "quarantined": quarantine, "not_taken": stick_a_mail,
}  # fmt: skip


@pytest.mark.parametrize("kind", BREAKS)
def test_each_trouble_is_told_to_admins_once_and_its_end_once(cast: Cast, kind: str) -> None:
    cast.carla.timezone = "Europe/Berlin"
    db.session.commit()
    mend = BREAKS[kind](cast)
    for minute in (13, 14, 15, 16):
        look(minute)
    assert [as_text(mail) for mail in alarm_mails()] == [golden(f"alarm_{kind}")]
    leave()
    look(60)
    with clock.at(after(75)):
        mend()
    for minute in (76, 77, 78):
        look(minute)
    assert as_text(alarm_mails()[-1]) == golden(f"alarm_{kind}_over")
    assert (len(told()), [alarm.ended_at for alarm in alarms()]) == (2, [after(76)])


@pytest.mark.parametrize("kind", BREAKS)
def test_an_admin_has_the_mail_in_the_outbox_within_a_quarter_of_an_hour(cast: Cast, kind: str) -> None:
    BREAKS[kind](cast)
    for minute in range(15):
        look(minute + 0.9)  # the tick comes as late in its minute as it can
    assert len(told()) == 1


def test_a_calm_desk_tells_nobody_anything(cast: Cast) -> None:
    with clock.at(MORNING):
        put()
        receive(letter())
        db.session.add(Source(name="Inbox", queue=cast.queue, settings={}))
        db.session.commit()
    for minute in range(12):
        look(minute)
    assert (told(), alarms()) == ([], [])


def test_a_mailbox_that_nobody_looks_into_is_a_trouble_though_nothing_failed(cast: Cast) -> None:
    db.session.add(Source(name="Inbox", queue=cast.queue, settings={}, last_success_at=MORNING))
    db.session.commit()
    look(13)
    look(14)
    assert told() == [("carla", "the mailbox “Inbox” is not read")]
    assert "nobody looks into it" in text_of(alarm_mails()[0])


def test_a_desk_that_was_just_started_has_its_first_minute(cast: Cast) -> None:
    mend = break_mailbox(cast)
    look(600)
    with clock.at(after(600.5)):
        mend()
    look(601)
    assert (told(), [alarm.told_at for alarm in alarms()]) == ([], [None])


def test_a_trouble_stays_the_same_whatever_reason_is_given(cast: Cast) -> None:
    stop_sending(cast)
    look(13)
    recipient = outbox()[0].recipients[0]
    recipient.error = "451 not now"
    db.session.commit()
    look(14)
    assert [(alarm.kind, alarm.name, alarm.reason) for alarm in alarms()] == [("not tried", "", "451 not now")]


def test_all_active_admins_are_told_and_nobody_else(cast: Cast) -> None:
    cast.eve.role, cast.sam.role, cast.sam.active = Role.ADMIN, Role.ADMIN, False
    db.session.commit()
    break_mailbox(cast)
    look(13)
    look(14)
    assert [who for who, _ in told()] == ["carla", "eve"]


def test_a_trouble_that_lasts_is_told_once_a_day(cast: Cast) -> None:
    break_mailbox(cast)
    for minute in range(13, 4 * 24 * 60, 7):
        look(minute)
    moments = [mail.created_at for mail in alarm_mails()]
    assert len(moments) == 4
    assert all(later - earlier >= AGAIN_AFTER for earlier, later in pairwise(moments))


def test_a_trouble_that_comes_and_goes_is_told_once_a_day_and_its_end_once(cast: Cast) -> None:
    mend = break_mailbox(cast)
    look(13)
    look(14)
    leave()
    for start in range(20, 1000, 60):
        with clock.at(after(start)):
            mend()
        look(start + 1)
        note_error(db.session.scalars(select(Source.id)).one(), error=REFUSED)
        look(start + 20)
        look(start + 30)
    assert [subject for _, subject in told()] == [
        "the mailbox “Inbox” is not read",
        "the mailbox “Inbox” is read again",
    ]


def test_each_mailbox_has_an_alarm_of_its_own(cast: Cast) -> None:
    for name in ("Inbox", "Legal"):
        db.session.add(Source(name=name, queue=cast.queue, settings={}, last_success_at=MORNING, last_error=REFUSED))
    db.session.commit()
    look(13)
    look(14)
    assert sorted(told()) == [("carla", f"the mailbox “{name}” is not read") for name in ("Inbox", "Legal")]


def test_several_workers_at_once_send_one_mail(app: Flask, cast: Cast) -> None:
    break_mailbox(cast)
    for minute in (13, 14):
        start, crowd = Barrier(4), []
        for _ in range(4):
            crowd.append(Thread(target=look_in_a_thread, args=(app, start, minute)))
            crowd[-1].start()
        for worker in crowd:
            worker.join(60)
    db.session.rollback()
    assert (told(), len(alarms())) == ([("carla", "the mailbox “Inbox” is not read")], 1)


def test_nothing_is_told_while_sending_is_paused_and_nothing_untrue_after_it(cast: Cast) -> None:
    refuse_sending(cast)
    for minute in (13, 14):
        look(minute)
    leave()
    with clock.at(after(20)):
        pause_sending("Carla Cole")
    break_mailbox(cast)
    for minute in (40, 60, 61):
        look(minute)
    assert len(told()) == 1
    with clock.at(after(70)):
        resume_sending("Carla Cole")
    look(71)
    look(72)
    assert [subject for _, subject in told()] == ["mail does not leave", "the mailbox “Inbox” is not read"]


def test_news_that_waited_until_the_trouble_was_over_is_not_sent(app: Flask, cast: Cast, smtp: SmtpServer) -> None:
    use_server(app, smtp)
    mend = break_mailbox(cast)
    look(13)
    look(14)
    with clock.at(after(200)):
        mend()
        deliver()
    assert (smtp.mails, told()) == ([], [])
    look(201)
    assert told() == []


def test_the_worker_that_looks_each_second_holds_old_news_back_too(app: Flask, cast: Cast, smtp: SmtpServer) -> None:
    use_server(app, smtp)
    mend = break_mailbox(cast)
    look(13)
    look(14)
    with clock.at(after(20)):
        mend()
        Worker(app).look()
    assert (smtp.mails, told()) == ([], [])


def test_a_look_that_fails_holds_up_no_mail(
    app: Flask, cast: Cast, smtp: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_server(app, smtp)
    break_mailbox(cast)
    look(13)
    look(14)
    monkeypatch.setattr(operations, "troubles", lambda *_: 1 / 0)
    with clock.at(after(20)):
        put(to="ruth@example.com")
        deliver()
    assert ("ruth@example.com",) in [mail.recipients for mail in smtp.mails]


def test_old_news_is_not_sent_though_somebody_tries_it_again(app: Flask, cast: Cast, smtp: SmtpServer) -> None:
    use_server(app, smtp)
    mend = break_mailbox(cast)
    look(13)
    look(14)
    alarm_mails()[0].recipients[0].state = DeliveryState.FAILED
    db.session.commit()
    with clock.at(after(20)):
        mend()
        watch_troubles("mail")
        retry_delivery(alarm_mails()[0].recipients[0], by=cast.carla)
        deliver()
    assert smtp.mails == []


def test_news_that_waited_and_is_still_true_is_sent(app: Flask, cast: Cast, smtp: SmtpServer) -> None:
    use_server(app, smtp)
    break_mailbox(cast)
    look(13)
    look(14)
    with clock.at(after(200)):
        deliver()
    assert [mail.recipients for mail in smtp.mails] == [("carla@example.org",)]


def test_that_mail_does_not_leave_is_not_told_hours_later_by_the_first_mail_that_does(
    app: Flask, cast: Cast, smtp: SmtpServer
) -> None:
    use_server(app, smtp)
    smtp.rcpt = {"ruth@example.com": "451 not now", "carla@example.org": "451 not now"}
    with clock.at(MORNING):
        put()
    for minute in range(30):
        with clock.at(after(minute)):
            deliver()
        look(minute)
    assert ([alarm.kind for alarm in alarms() if alarm.is_told], told()) == (["not sent"], [])
    smtp.rcpt = {}
    with clock.at(after(300)):
        deliver()
    look(301)
    assert ([mail.recipients for mail in smtp.mails], told()) == ([("ruth@example.com",)], [])


def test_a_mail_about_a_trouble_is_no_proof_that_readers_get_theirs(app: Flask, cast: Cast, smtp: SmtpServer) -> None:
    use_server(app, smtp)
    smtp.rcpt["ruth@example.com"] = "451 4.7.1 not today"
    with clock.at(MORNING):
        put()
        deliver()
    for minute in (13, 14, 15, 16, 17):
        look(minute)
        with clock.at(after(minute)):
            deliver()
    assert [mail.recipients for mail in smtp.mails] == [("carla@example.org",)]
    assert [alarm.ended_at for alarm in alarms()] == [None]


def test_a_mail_that_is_read_in_the_end_ends_its_alarm(cast: Cast) -> None:
    quarantine(cast)
    look(1)
    look(2)
    leave()
    with clock.at(after(10)):
        retry_inbound(db.session.scalars(select(InboundEmail)).one(), by=cast.eve)
        process_received()
    look(11)
    assert [subject for _, subject in told()] == [
        "a mail came in and could not be read", "no mail that could not be read is left",
    ]  # fmt: skip


def test_class_31_a_mailbox_with_a_line_break_in_its_name_breaks_no_header(cast: Cast) -> None:
    db.session.add(Source(name="In\r\nBcc: x", queue=cast.queue, settings={}, last_success_at=MORNING, last_error="no"))
    db.session.commit()
    look(13)
    look(14)
    assert len(told()) == 1


def test_class_2_what_a_server_says_is_text_in_our_mail(cast: Cast) -> None:
    bad = "<img src=x onerror=alert(1)>"
    db.session.add(Source(name=bad, queue=cast.queue, settings={}, last_success_at=MORNING, last_error=bad))
    db.session.commit()
    look(13)
    look(14)
    assert re.findall(r"<img", html_of(alarm_mails()[0])) == []


def alarms() -> list[Alarm]:
    db.session.rollback()
    return list(db.session.scalars(select(Alarm).order_by(Alarm.id)))


def alarm_mails() -> list[OutboundEmail]:
    return [mail for mail in outbox() if mail.message_id.startswith("alarm.")]


def leave() -> None:
    """All alarms that wait have left."""
    for mail in alarm_mails():
        for to in mail.recipients:
            to.state, to.settled_at = DeliveryState.SENT, mail.created_at
    db.session.commit()


def look_in_a_thread(app: Flask, start: Barrier, minute: int) -> None:
    with app.app_context():
        start.wait(30)
        look(minute)
        db.session.remove()


def as_text(mail: OutboundEmail) -> str:
    """A mail as a person and a mail program see it."""
    head = {"From": mail.sender, "To": mail.recipients[0].address, "Subject": mail.subject, **mail.headers}
    lines = [f"{name}: {value}" for name, value in head.items()]
    return "\n".join([*lines, "", text_of(mail).strip(), "", "---- HTML ----", html_of(mail).strip(), ""])


def golden(name: str) -> str:
    """The agreed text."""
    return (GOLDEN / f"{name}.txt").read_text()
