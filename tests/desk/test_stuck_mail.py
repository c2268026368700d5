"""Mails that are stuck in a mailbox, as staff see them."""

from datetime import timedelta

import pytest

from helpdesk import clock
from helpdesk.database import db
from helpdesk.errors import Refused
from helpdesk.inbound.models import Source, StuckEmail
from helpdesk.inbound.sources.leases import note_success
from helpdesk.inbound.stuck import TRIES, forget_stuck, is_due, leave_stuck, note_stuck
from helpdesk.sites.models import Queue
from tests.cast import Cast
from tests.desk.conftest import Desk
from tests.desk.reading import text_of

WHY = "the server does not give out mail 7: [SERVERBUG] it is broken"
ALARM = f"The mailbox “Inbox” holds a mail that could not be taken: {WHY}. The page Mail says which."


def stick(queue: Queue, *, times: int = TRIES, uid: int = 7) -> StuckEmail:
    """A mail that could not be taken so many times."""
    source = db.session.query(Source).first() or Source(name="Inbox", queue=queue, settings={})
    db.session.add(source)
    db.session.commit()
    for _ in range(times):
        note_stuck(source.id, uid=(1, uid), reason=WHY)
    note_success(source.id, complaint=f"Not everything went well: {WHY}", missing=1)
    return db.session.query(StuckEmail).filter_by(uid=uid).one()


def alarms(desk: Desk) -> list[str]:
    return text_of(desk.get("/desk/unassigned").text, "p.alarm")


def section(desk: Desk) -> list[str]:
    return text_of(desk.get("/desk/mail").text, "ul.is-stuck li")


def test_the_mail_page_says_which_mail_is_stuck_and_why(eve: Desk, cast: Cast) -> None:
    stick(cast.queue)
    assert section(eve) == [
        f"Mailbox “Inbox” stuck there Mail with the UID 7 {WHY} since now · tried 3 times Retry mail 7 Leave there mail 7"
    ]
    line = text_of(eve.get("/desk/mail").text, "li.way")[1]
    assert "Nothing waits · 1 mail is there and not here · to Readers" in line


def test_l21_all_staff_see_a_mail_that_could_not_be_taken_three_times(ann: Desk, cast: Cast) -> None:
    stick(cast.queue, times=TRIES - 1)
    assert alarms(ann) == []
    mail = stick(cast.queue, times=1)
    assert alarms(ann) == [ALARM]
    stick(cast.queue, uid=8)
    assert alarms(ann) == [ALARM.replace("a mail", "2 mails")]
    source_id = mail.source_id
    forget_stuck(source_id, but=(1, {8}))
    assert alarms(ann) == [ALARM]
    forget_stuck(source_id, but=(2, {8}))
    assert alarms(ann) == []


def test_l21_a_mail_that_is_missing_for_a_quarter_of_an_hour_is_an_alarm_however_often_it_was_tried(
    ann: Desk, cast: Cast
) -> None:
    mail = stick(cast.queue, times=1)
    mail.first_failed_at = clock.now() - timedelta(minutes=20)
    db.session.commit()
    assert alarms(ann) == [ALARM]


def test_staff_let_a_stuck_mail_be_tried_again(eve: Desk, cast: Cast) -> None:
    mail = stick(cast.queue)
    assert not is_due(mail)
    answer = eve.post(f"/desk/mail/stuck/{mail.id}/retry")
    assert "tried again when its mailbox is read next" in eve.get(answer.location).text
    db.session.refresh(mail)
    assert (is_due(mail), mail.attempts, alarms(eve)) == (True, 0, [])
    assert "tried again soon" in section(eve)[0]


def test_staff_leave_a_stuck_mail_where_it_is(eve: Desk, cast: Cast) -> None:
    mail = stick(cast.queue)
    eve.post(f"/desk/mail/stuck/{mail.id}/leave")
    db.session.refresh(mail)
    assert (mail.left_by, is_due(mail), section(eve), alarms(eve)) == ("Eve Ellis", False, [], [])
    with pytest.raises(Refused):
        leave_stuck(mail, by=cast.eve)
    assert (
        "left this mail in its mailbox already" in eve.get(eve.post(f"/desk/mail/stuck/{mail.id}/leave").location).text
    )


def test_class_49_what_is_stuck_in_a_restricted_mailbox_is_for_its_members(eve: Desk, carla: Desk, cast: Cast) -> None:
    mail = stick(cast.legal)
    assert (section(eve), len(section(carla))) == ([], 1)
    for verb in ("retry", "leave"):
        assert eve.post(f"/desk/mail/stuck/{mail.id}/{verb}").status_code == 404
