"""What staff do to tickets without words: state, then event, then one sentence."""

import pytest
from sqlalchemy import select

from helpdesk.database import db
from helpdesk.sites.models import Queue, QueueMember, Topic
from helpdesk.tickets import triage
from helpdesk.tickets.models import Resolution, Status, Ticket
from tests.cast import Cast
from tests.desk.conftest import Desk
from tests.desk.reading import text_of
from tests.factories import event_kinds, make_ticket


def said(desk: Desk, ticket: Ticket, verb: str, **form: object) -> list[str]:
    """Do it, follow the way back, and read the sentence."""
    answer = desk.post(f"/desk/tickets/{ticket.number}/{verb}?in=open", **form)
    assert (answer.status_code, answer.location) == (303, f"/desk/tickets/{ticket.number}?in=open")
    return text_of(desk.get(answer.location).text, "p.flash")


def test_take(ann: Desk, cast: Cast, ticket: Ticket) -> None:
    assert said(ann, ticket, "take") == ["The ticket is yours."]
    assert (ticket.assignee, ticket.status, event_kinds(ticket)[-1]) == (cast.ann, Status.OPEN, "assigned")


def test_taking_what_somebody_else_took_is_refused_on_the_ticket_itself(ann: Desk, cast: Cast, ticket: Ticket) -> None:
    triage.take(ticket, by=cast.eve)
    answer = ann.post(f"/desk/tickets/{ticket.number}/take")
    assert (answer.status_code, text_of(answer.text, "p.notice")) == (409, ["Eve Ellis has this ticket already."])
    assert ticket.assignee is cast.eve


def test_assign_and_take_off(ann: Desk, cast: Cast, ticket: Ticket) -> None:
    assert said(ann, ticket, "assign", assignee=cast.eve.id) == ["The ticket is with Eve Ellis now."]
    assert ticket.assignee is cast.eve
    assert said(ann, ticket, "assign", assignee="") == ["The ticket is with nobody now."]
    assert (ticket.assignee, ticket.events[-1].sentence) == (None, "took it off Eve Ellis")


def test_close_and_reopen(ann: Desk, ticket: Ticket) -> None:
    assert said(ann, ticket, "close", resolution="corrected") == ["The ticket is closed."]
    assert (ticket.status, ticket.resolution) == (Status.CLOSED, Resolution.CORRECTED)
    assert said(ann, ticket, "reopen") == ["The ticket is open again."]
    assert (ticket.status, event_kinds(ticket)[-2:]) == (Status.OPEN, ["closed", "reopened"])


@pytest.mark.parametrize("resolution", ["spam", "", "nonsense"])
def test_a_ticket_is_not_closed_as_anything_else(ann: Desk, ticket: Ticket, resolution: str) -> None:
    assert ann.post(f"/desk/tickets/{ticket.number}/close", resolution=resolution).status_code == 422
    assert ticket.status is Status.NEW


def test_spam_and_back(ann: Desk, ticket: Ticket) -> None:
    assert said(ann, ticket, "spam") == ["Filed as spam. Nothing was deleted."]
    assert ticket.is_spam
    assert said(ann, ticket, "unspam") == ["The ticket is back where readers wait."]
    assert (ticket.status, event_kinds(ticket)[-2:]) == (Status.NEW, ["marked_spam", "unmarked_spam"])


def test_topic_and_priority(ann: Desk, ticket: Ticket) -> None:
    tip = db.session.scalars(select(Topic).where(Topic.slug == "tip")).one()
    assert said(ann, ticket, "topic", topic=tip.id) == ["The topic is set."]
    assert said(ann, ticket, "priority", priority="urgent") == ["The priority is set."]
    assert (ticket.topic, ticket.priority.value, event_kinds(ticket)[-2:]) == (
        tip,
        "urgent",
        ["topic_changed", "priority_changed"],
    )
    assert ann.post(f"/desk/tickets/{ticket.number}/priority", priority="now!").status_code == 422


def test_moving_it_out_of_sight_leads_back_to_the_list(ann: Desk, cast: Cast, ticket: Ticket) -> None:
    answer = ann.post(f"/desk/tickets/{ticket.number}/queue", queue=cast.legal.id)
    assert (answer.status_code, answer.location, ticket.queue) == (303, "/desk/", cast.legal)
    assert ann.get(f"/desk/tickets/{ticket.number}").status_code == 404


def test_moving_it_to_another_queue_of_mine(ann: Desk, cast: Cast, ticket: Ticket) -> None:
    db.session.add(QueueMember(queue_id=cast.legal.id, agent_id=cast.ann.id))
    db.session.commit()
    assert said(ann, ticket, "queue", queue=cast.legal.id) == ["The ticket waits in Legal now."]
    assert db.session.get(Queue, ticket.queue_id) is cast.legal


@pytest.mark.parametrize(("verb", "field"), [("topic", "topic"), ("queue", "queue"), ("assign", "assignee")])
def test_a_choice_that_is_gone_changes_nothing(ann: Desk, ticket: Ticket, verb: str, field: str) -> None:
    for value in ("999", "-1", str(2**70)):
        answer = ann.post(f"/desk/tickets/{ticket.number}/{verb}", **{field: value})
        assert (value, answer.status_code) == (value, 422)
    assert event_kinds(ticket) == ["opened"]


def test_tag_and_untag(ann: Desk, ticket: Ticket) -> None:
    assert said(ann, ticket, "tag", name="  History of  Bridges ") == ["The tag is on."]
    assert [tag.name for tag in ticket.tags] == ["history of bridges"]
    assert said(ann, ticket, "untag", name="history of bridges") == ["The tag is off."]
    assert (ticket.tags, event_kinds(ticket)[-2:]) == ([], ["tagged", "untagged"])
    assert ann.post(f"/desk/tickets/{ticket.number}/tag", name=" ").status_code == 422


VERBS = ["add-participant", "remove-participant", "take", "assign", "close", "reopen", "spam", "unspam", "topic", "priority", "queue", "tag", "untag", "reply",
         "note", "draft", "draft/discard", "draft/canned-reply", "draft/files/1/remove"]  # fmt: skip


@pytest.mark.parametrize("verb", VERBS)
def test_class_49_a_ticket_of_a_foreign_queue_is_not_there(ann: Desk, cast: Cast, verb: str) -> None:
    foreign = make_ticket(cast, queue=cast.legal)
    form = {
        "kind": "reply",
        "body": "x",
        "then": "send",
        "seen": "99",
        "name": "x",
        "resolution": "answered",
        "address": "tom@example.com",
    }
    assert ann.post(f"/desk/tickets/{foreign.number}/{verb}", **form).status_code == 404
    assert event_kinds(foreign) == ["opened"]


def test_class_49_and_50_nothing_of_a_foreign_queue_can_be_opened_or_found(
    sam: Desk, cast: Cast, ticket: Ticket
) -> None:
    from helpdesk.tickets.operations import follow_up
    from helpdesk.uploads import store
    from tests.factories import follow_up_letter

    message = follow_up(ticket, letter=follow_up_letter("plaque", body_html="<p>x</p>", files=(store("a.txt", b"x"),)))
    paths = [f"/desk/tickets/{ticket.number}", f"/desk/tickets/{ticket.number}/news?seen=0", f"/desk/messages/{message.id}/html",
             f"/desk/files/{message.attachments[0].id}/a.txt", f"/desk/articles/{ticket.article_id}", f"/desk/readers/{ticket.reader_id}",
             f"/desk/tickets/{ticket.number}/canned-replies/1"]  # fmt: skip
    assert {path: sam.get(path).status_code for path in paths} == dict.fromkeys(paths, 404)
    assert "bridge" not in sam.get("/desk/search?q=plaque").text.replace('value="plaque"', "")
    assert sam.get(f"/desk/search?q={ticket.number}").status_code == 200
    assert sam.get("/desk/open/news?since=2020-01-01").json == {"new": 0}


def test_class_49_raw_mail_of_a_restricted_queue_is_not_there(eve: Desk, carla: Desk, cast: Cast) -> None:
    from helpdesk.inbound.operations import process, receive

    raw = b"From: ruth@example.com\r\nTo: legal@example.org\r\nSubject: Secret\r\nMessage-ID: <2@example.com>\r\n\r\nHello\r\n"
    email = process(receive(raw, envelope_to=("legal@example.org",)).id)
    assert email.became.ticket.queue is cast.legal  # type: ignore[union-attr]
    path = f"/desk/mail/{email.id}/raw"
    assert (eve.get(path).status_code, carla.get(path).status_code) == (404, 200)


def test_class_53_a_verb_without_its_token_is_refused(ann: Desk, ticket: Ticket) -> None:
    for token in ("", "wrong"):
        assert ann.post(f"/desk/tickets/{ticket.number}/take", csrf_token=token).status_code == 400
    assert ticket.assignee is None
