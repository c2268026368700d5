"""What one press of a button did is undone as one, but never over what somebody else did since."""

from collections.abc import Callable

import pytest
from sqlalchemy import select

from helpdesk.database import db
from helpdesk.errors import Conflict
from helpdesk.sites.models import Priority, Topic
from helpdesk.tickets import triage
from helpdesk.tickets.acts import in_one_act
from helpdesk.tickets.models import Resolution, Status, Ticket
from helpdesk.tickets.operations import follow_up
from helpdesk.tickets.standing import look
from helpdesk.tickets.undoing import Undone, undo_act
from tests.cast import Cast
from tests.factories import event_kinds, follow_up_letter, make_ticket

Verb = Callable[[Ticket, Cast], None]


def topic(slug: str) -> Topic:
    return db.session.scalars(select(Topic).where(Topic.slug == slug)).one()


VERBS: dict[str, Verb] = {
    "assign": lambda ticket, cast: triage.assign(ticket, assignee=cast.eve, by=cast.ann),
    "take": lambda ticket, cast: triage.take(ticket, by=cast.ann),
    "close": lambda ticket, cast: triage.close(ticket, resolution=Resolution.ANSWERED, by=cast.ann),
    "spam": lambda ticket, cast: triage.mark_spam(ticket, by=cast.ann),
    "topic": lambda ticket, cast: triage.set_topic(ticket, topic=topic("tip"), by=cast.ann),
    "no topic": lambda ticket, cast: triage.set_topic(ticket, topic=None, by=cast.ann),
    "priority": lambda ticket, cast: triage.set_priority(ticket, priority=Priority.URGENT, by=cast.ann),
    "move": lambda ticket, cast: triage.move(ticket, queue=cast.legal, by=cast.ann),
    "tag": lambda ticket, cast: triage.add_tag(ticket, name="bridge", by=cast.ann),
    "rename": lambda ticket, cast: triage.rename(ticket, subject="The year of the bridge", by=cast.ann),
    "article": lambda ticket, cast: triage.set_article(ticket, url="https://blog.example.org/other/", by=cast.ann),
    "no article": lambda ticket, cast: triage.set_article(ticket, url="", by=cast.ann),
}
BACK: dict[str, tuple[Verb, Verb]] = {
    "reopen": (VERBS["close"], lambda ticket, cast: triage.reopen(ticket, by=cast.ann)),
    "unspam": (VERBS["spam"], lambda ticket, cast: triage.unmark_spam(ticket, by=cast.ann)),
    "untag": (VERBS["tag"], lambda ticket, cast: triage.remove_tag(ticket, name="bridge", by=cast.ann)),
    "unassign": (VERBS["take"], lambda ticket, cast: triage.assign(ticket, assignee=None, by=cast.ann)),
}


def stand(ticket: Ticket) -> object:
    db.session.expire_all()
    return look(ticket), ticket.sort_at, [tag.name for tag in ticket.tags]


def do(verb: Verb, cast: Cast, *tickets: Ticket) -> str:
    with in_one_act() as act:
        for ticket in tickets:
            verb(ticket, cast)
    return act


@pytest.mark.parametrize("name", VERBS)
def test_every_verb_is_undone_as_if_it_had_not_been(cast: Cast, name: str) -> None:
    ticket = make_ticket(cast)
    before = stand(ticket)
    act = do(VERBS[name], cast, ticket)
    assert stand(ticket) != before
    assert undo_act(act, by=cast.ann) == Undone([ticket.number])
    assert stand(ticket) == before
    assert event_kinds(ticket)[-1] == "act_undone"
    assert [event.kind for event in ticket.events if event.undone_at] == [ticket.events[-2].kind]


@pytest.mark.parametrize("name", BACK)
def test_every_verb_that_takes_something_back_is_undone_too(cast: Cast, name: str) -> None:
    ticket, (there, back) = make_ticket(cast), BACK[name]
    do(there, cast, ticket)
    before = stand(ticket)
    act = do(back, cast, ticket)
    assert stand(ticket) != before
    undo_act(act, by=cast.ann)
    assert stand(ticket) == before


def test_one_act_over_many_tickets_is_undone_as_one(cast: Cast) -> None:
    tickets = [make_ticket(cast, body=f"Message {number}") for number in range(3)]
    act = do(VERBS["close"], cast, *tickets)
    result = undo_act(act, by=cast.ann)
    assert (result.sentence, [ticket.status for ticket in tickets]) == ("Undone on 3 tickets.", [Status.NEW] * 3)


def test_what_somebody_changed_since_stays_and_the_result_says_so(cast: Cast) -> None:
    first, second = make_ticket(cast, body="One"), make_ticket(cast, body="Two")
    act = do(VERBS["assign"], cast, first, second)
    triage.assign(first, assignee=cast.carla, by=cast.carla)
    result = undo_act(act, by=cast.ann)
    assert result.sentence == f"Undone. #{first.number} stays as it is: Carla Cole took the ticket since."
    assert (first.assignee, second.assignee) == (cast.carla, None)


def test_there_and_back_by_somebody_else_is_a_change_too(cast: Cast) -> None:
    ticket = make_ticket(cast)
    act = do(VERBS["assign"], cast, ticket)
    triage.assign(ticket, assignee=cast.carla, by=cast.carla)
    triage.assign(ticket, assignee=cast.eve, by=cast.carla)
    assert undo_act(act, by=cast.ann).numbers == []
    assert ticket.assignee is cast.eve


def test_what_the_reader_reopened_is_not_opened_once_more(cast: Cast) -> None:
    ticket = make_ticket(cast)
    act = do(VERBS["close"], cast, ticket)
    follow_up(ticket, letter=follow_up_letter())
    assert (
        undo_act(act, by=cast.ann).sentence == f"#{ticket.number} stays as it is: Ruth Reed reopened the ticket since."
    )
    assert ticket.status is Status.OPEN


def test_what_others_did_beside_it_stays(cast: Cast) -> None:
    ticket = make_ticket(cast)
    act = do(VERBS["take"], cast, ticket)
    triage.set_priority(ticket, priority=Priority.URGENT, by=cast.eve)
    undo_act(act, by=cast.ann)
    assert (ticket.assignee, ticket.priority, ticket.status) == (None, Priority.URGENT, Status.OPEN)


def test_undone_twice_does_nothing(cast: Cast) -> None:
    ticket = make_ticket(cast)
    act = do(VERBS["take"], cast, ticket)
    undo_act(act, by=cast.ann)
    with pytest.raises(Conflict, match="nothing left"):
        undo_act(act, by=cast.ann)
    assert event_kinds(ticket).count("act_undone") == 1


def test_nobody_undoes_for_somebody_else(cast: Cast) -> None:
    ticket = make_ticket(cast)
    act = do(VERBS["take"], cast, ticket)
    with pytest.raises(Conflict):
        undo_act(act, by=cast.carla)
    assert ticket.assignee is cast.ann


def test_what_is_out_of_sight_by_now_is_not_changed(cast: Cast) -> None:
    ticket = make_ticket(cast)
    act = do(VERBS["tag"], cast, ticket)
    triage.move(ticket, queue=cast.legal, by=cast.carla)
    assert undo_act(act, by=cast.ann).numbers == []
    assert [tag.name for tag in ticket.tags] == ["bridge"]


def test_what_stood_there_before_may_be_gone(cast: Cast) -> None:
    ticket = make_ticket(cast)
    triage.assign(ticket, assignee=cast.eve, by=cast.ann)
    act = do(BACK["unassign"][1], cast, ticket)
    cast.eve.active = False
    db.session.commit()
    assert undo_act(act, by=cast.ann).numbers == []
    assert ticket.assignee is None
