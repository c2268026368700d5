"""One switch for all sending: nothing is claimed while it is paused, nothing is lost, and the order stays."""

from datetime import timedelta

from flask import Flask

from helpdesk import clock
from helpdesk.database import db
from helpdesk.outbound.claiming import claim_next, has_due
from helpdesk.outbound.models import DeliveryState, SendingPause
from helpdesk.outbound.pausing import pause_sending, resume_sending
from helpdesk.outbound.schedule import GIVE_UP_AFTER, LEASE
from helpdesk.tickets.delivery import deliver_due
from tests.letters import put, states, use_server
from tests.servers.smtp import SmtpServer

CARLA, EVE = "Carla Cole", "Eve Ellis"


def test_while_sending_is_paused_no_worker_claims_anything(app: Flask) -> None:
    put()
    pause_sending(CARLA)
    put()
    assert (has_due(), claim_next("one"), claim_next("two")) == (False, None, None)
    assert states() == [(None, DeliveryState.QUEUED)] * 2


def test_a_pause_holds_before_the_very_next_mail(app: Flask, smtp: SmtpServer) -> None:
    use_server(app, smtp)
    for number in range(5):
        put(to=f"reader{number}@example.com")

    def pause_after_two() -> None:
        if len(smtp.mails) == 2:
            with app.app_context():
                pause_sending(CARLA)

    smtp.on_mail = pause_after_two
    assert (deliver_due("one"), len(smtp.mails)) == (2, 2)
    assert [state for _, state in states()] == [DeliveryState.SENT] * 2 + [DeliveryState.QUEUED] * 3


def test_not_even_what_a_worker_left_behind_is_claimed(app: Flask) -> None:
    put()
    assert claim_next("killed") is not None
    pause_sending(CARLA)
    with clock.at(clock.now() + 2 * LEASE):
        assert claim_next("two") is None
        resume_sending(CARLA)
        assert claim_next("two") is not None


def test_resuming_sends_what_waited_in_its_order(app: Flask, smtp: SmtpServer) -> None:
    use_server(app, smtp)
    pause_sending(CARLA)
    for number in range(5):
        put(to=f"reader{number}@example.com")
    resume_sending(EVE)
    assert deliver_due("one") == 5
    assert [mail.recipients for mail in smtp.mails] == [(f"reader{number}@example.com",) for number in range(5)]


def test_a_long_pause_takes_no_try_away(app: Flask, smtp: SmtpServer) -> None:
    use_server(app, smtp)
    smtp.rcpt["ruth@example.com"] = "450 4.2.0 mailbox busy"
    with clock.at(clock.now() - 2 * GIVE_UP_AFTER):
        put()
        pause_sending(CARLA)
    resume_sending(CARLA)
    deliver_due("one")
    assert states() == [("450 4.2.0 mailbox busy", DeliveryState.QUEUED)]


def test_pausing_twice_is_pausing_once_and_who_did_it_is_kept(app: Flask) -> None:
    resume_sending(CARLA)
    pause_sending(CARLA)
    pause_sending(EVE)
    resume_sending(EVE)
    resume_sending(CARLA)
    with clock.at(clock.now() + timedelta(hours=1)):
        pause_sending(EVE)
    pauses = db.session.query(SendingPause).order_by(SendingPause.id)
    assert [(pause.paused_by, pause.resumed_by) for pause in pauses] == [(CARLA, EVE), (EVE, None)]


def test_a_pause_that_two_began_at_once_ends_at_once(app: Flask) -> None:
    db.session.add_all(SendingPause(paused_at=clock.now(), paused_by=name) for name in (CARLA, EVE))
    db.session.commit()
    put()
    resume_sending(CARLA)
    assert has_due()
