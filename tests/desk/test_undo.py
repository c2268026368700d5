"""Undo as staff meet it: a button on every page for as long as the reply waits."""

from helpdesk.database import db
from helpdesk.tickets.drafts import Draft
from helpdesk.tickets.messages import Message, MessageKind
from helpdesk.tickets.replying import newest_public_id
from tests.cast import Cast
from tests.desk.conftest import Desk
from tests.factories import make_ticket


def test_a_reply_can_be_taken_back_from_any_page(ann: Desk, cast: Cast) -> None:
    ticket = make_ticket(cast)
    cast.ann.undo_seconds = 10
    db.session.commit()
    number, seen = ticket.number, newest_public_id(ticket)
    ann.post(f"/desk/tickets/{number}/reply", body="Too early", then="close", seen=str(seen))
    message = db.session.query(Message).filter_by(kind=MessageKind.REPLY).one()
    path = f"/desk/tickets/{number}/replies/{message.id}/undo"
    for page in ("/desk/unassigned", f"/desk/tickets/{number}", "/desk/account"):
        assert path in ann.get(page).text
    answer = ann.post(path)
    assert answer.status_code == 303
    assert "Too early" in ann.get(f"/desk/tickets/{number}").text
    assert db.session.query(Draft).one().body == "Too early"
    assert path not in ann.get("/desk/unassigned").text


def test_too_late_is_said_on_the_ticket(ann: Desk, cast: Cast) -> None:
    ticket = make_ticket(cast)
    number, seen = ticket.number, newest_public_id(ticket)
    ann.post(f"/desk/tickets/{number}/reply", body="It is right", then="send", seen=str(seen))
    message = db.session.query(Message).filter_by(kind=MessageKind.REPLY).one()
    answer = ann.post(f"/desk/tickets/{number}/replies/{message.id}/undo")
    assert answer.status_code == 409
    assert "has left already" in answer.text


def test_how_long_is_everybodys_own_choice(ann: Desk, cast: Cast) -> None:
    ann.post("/desk/account", name="Ann Archer", timezone="UTC", after_send="stay", undo_seconds="30")
    db.session.expire_all()
    assert cast.ann.undo_seconds == 30
