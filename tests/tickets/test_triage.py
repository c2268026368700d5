"""What staff do without words: state, then event."""

import pytest

from helpdesk.database import db
from helpdesk.errors import Conflict, Invalid, Refused
from helpdesk.sites.models import Priority, Topic
from helpdesk.tickets import triage
from helpdesk.tickets.models import Resolution, Status
from tests.cast import Cast
from tests.factories import event_kinds, make_ticket, outbox


def test_taking_makes_it_mine_and_open(cast: Cast) -> None:
    ticket = make_ticket(cast)
    triage.take(ticket, by=cast.ann)
    assert (ticket.assignee, ticket.status, event_kinds(ticket)[-1]) == (cast.ann, Status.OPEN, "assigned")
    assert ticket.events[-1].sentence == "took the ticket"


def test_taking_what_somebody_has_is_refused(cast: Cast) -> None:
    ticket = make_ticket(cast)
    triage.take(ticket, by=cast.eve)
    with pytest.raises(Conflict, match="Eve Ellis has this ticket already"):
        triage.take(ticket, by=cast.ann)
    assert (ticket.assignee, event_kinds(ticket).count("assigned")) == (cast.eve, 1)


def test_assigning_says_from_whom_to_whom(cast: Cast) -> None:
    ticket = make_ticket(cast)
    triage.assign(ticket, assignee=cast.eve, by=cast.ann)
    triage.assign(ticket, assignee=None, by=cast.ann)
    assert [event.sentence for event in ticket.events[-2:]] == ["assigned it to Eve Ellis", "took it off Eve Ellis"]


def test_nothing_is_assigned_to_a_closed_account(cast: Cast) -> None:
    ticket = make_ticket(cast)
    cast.sam.active = False
    db.session.commit()
    with pytest.raises(Refused):
        triage.assign(ticket, assignee=cast.sam, by=cast.ann)
    assert (ticket.assignee, ticket.status) == (None, Status.NEW)


@pytest.mark.parametrize("resolution", [r for r in Resolution if r is not Resolution.SPAM])
def test_closing_says_how_it_ended_and_sends_nothing(cast: Cast, resolution: Resolution) -> None:
    ticket = make_ticket(cast)
    triage.close(ticket, resolution=resolution, by=cast.ann)
    assert (ticket.status, ticket.resolution, ticket.waiting_since) == (Status.CLOSED, resolution, None)
    assert ticket.events[-1].sentence == f"closed it: {resolution.value.replace('_', ' ')}"
    assert len(outbox()) == 1


def test_closing_twice_is_one_event(cast: Cast) -> None:
    ticket = make_ticket(cast)
    triage.close(ticket, resolution=Resolution.ANSWERED, by=cast.ann)
    triage.close(ticket, resolution=Resolution.ANSWERED, by=cast.eve)
    assert event_kinds(ticket).count("closed") == 1


def test_spam_has_its_own_verb(cast: Cast) -> None:
    with pytest.raises(Invalid):
        triage.close(make_ticket(cast), resolution=Resolution.SPAM, by=cast.ann)


def test_reopening_brings_it_back(cast: Cast) -> None:
    ticket = make_ticket(cast)
    triage.close(ticket, resolution=Resolution.NO_ACTION, by=cast.ann)
    triage.reopen(ticket, by=cast.eve)
    assert (ticket.status, ticket.resolution, ticket.closed_at) == (Status.OPEN, None, None)
    assert event_kinds(ticket)[-2:] == ["closed", "reopened"]


def test_what_was_no_spam_waits_again(cast: Cast) -> None:
    ticket = make_ticket(cast)
    triage.mark_spam(ticket, by=cast.ann)
    triage.unmark_spam(ticket, by=cast.eve)
    assert (ticket.status, ticket.waiting_since) == (Status.NEW, ticket.last_message_at)
    assert event_kinds(ticket)[-2:] == ["marked_spam", "unmarked_spam"]


def test_topic_priority_and_queue_are_changed_with_their_history(cast: Cast) -> None:
    ticket = make_ticket(cast)
    question = db.session.query(Topic).filter_by(slug="question").one()
    triage.set_topic(ticket, topic=question, by=cast.ann)
    triage.set_priority(ticket, priority=Priority.URGENT, by=cast.ann)
    triage.move(ticket, queue=cast.legal, by=cast.ann)
    assert (ticket.topic, ticket.priority, ticket.queue, ticket.status) == (
        question,
        Priority.URGENT,
        cast.legal,
        Status.OPEN,
    )
    sentences = ["set the topic to A question", "set the priority to urgent", "moved it from Readers to Legal"]
    assert [event.sentence for event in ticket.events[-3:]] == sentences


def test_a_tag_is_one_word_for_everybody(cast: Cast) -> None:
    ticket, other = make_ticket(cast), make_ticket(cast, body="Other")
    triage.add_tag(ticket, name="  Harbour   Bridge ", by=cast.ann)
    triage.add_tag(ticket, name="harbour bridge", by=cast.ann)
    triage.add_tag(other, name="HARBOUR BRIDGE", by=cast.eve)
    assert [tag.name for tag in ticket.tags] == ["harbour bridge"] == [tag.name for tag in other.tags]
    triage.remove_tag(ticket, name="harbour bridge", by=cast.ann)
    assert (ticket.tags, event_kinds(ticket)[-2:]) == ([], ["tagged", "untagged"])


@pytest.mark.parametrize("name", ["", "   ", "x" * 41])
def test_an_impossible_tag_is_refused(cast: Cast, name: str) -> None:
    ticket = make_ticket(cast)
    with pytest.raises(Invalid):
        triage.add_tag(ticket, name=name, by=cast.ann)
    assert ticket.tags == []
