"""Whatever order the machine chooses, one wins, nothing is doubled and no word is lost."""

import itertools
from datetime import timedelta
from functools import partial
from secrets import token_hex

from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from helpdesk import clock
from helpdesk.agents.models import Agent
from helpdesk.database import db
from helpdesk.errors import Conflict
from helpdesk.inbound.models import InboundEmail, InboundState, Source
from helpdesk.inbound.operations import process_received
from helpdesk.inbound.receiving import receive
from helpdesk.outbound.claiming import claim_next
from helpdesk.outbound.models import DeliveryState, OutboundEmail, OutboundRecipient
from helpdesk.tickets.events import Event, EventKind
from helpdesk.tickets.messages import Message, MessageKind
from helpdesk.tickets.models import Resolution, Status, Ticket
from helpdesk.tickets.replying import newest_public_id, reply
from helpdesk.tickets.triage import close, take
from helpdesk.tickets.undo import undo_reply
from tests.cast import Cast
from tests.contact.posting import a_token, filled
from tests.desk.conftest import Desk
from tests.desk.reading import values_of
from tests.factories import make_ticket
from tests.letters import letter, put
from tests.races.together import together

several = settings(
    max_examples=5, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
words = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=200).filter(
    lambda text: "{" not in text
)
_numbers = itertools.count()


def how_many(model: type, *conditions: object) -> int:
    return db.session.scalar(select(func.count()).select_from(model).where(*conditions)) or 0  # type: ignore[arg-type]


@several
@given(first=words, second=words)
def test_of_two_replies_at_once_one_goes_and_the_other_is_held(app: Flask, cast: Cast, first: str, second: str) -> None:
    ticket = make_ticket(cast)
    seen, agents = newest_public_id(ticket), (cast.ann.id, cast.carla.id)

    def answer(body: str, agent_id: int, ticket_id: int = ticket.id) -> str:
        subject, by = db.session.get_one(Ticket, ticket_id), db.session.get_one(Agent, agent_id)
        return reply(subject, body=body, by=by, seen=seen).body_text

    results = together(app, [partial(answer, first, agents[0]), partial(answer, second, agents[1])])
    sent = [result for result in results if isinstance(result, str)]
    assert [type(result) for result in results if not isinstance(result, str)] == [Conflict]
    stored = select(Message.body_text).where(Message.ticket_id == ticket.id, Message.kind == MessageKind.REPLY)
    assert list(db.session.scalars(stored)) == sent
    assert how_many(OutboundEmail, OutboundEmail.template == "emails/reply",
                    OutboundEmail.thread_token == f"ticket:{ticket.id}") == 1  # fmt: skip
    assert how_many(Event, Event.ticket_id == ticket.id, Event.kind == EventKind.REPLIED) == 1


def test_a_held_reply_keeps_its_text_on_the_page(app: Flask, cast: Cast, ann: Desk, carla: Desk) -> None:
    ticket = make_ticket(cast)
    number, path = ticket.number, f"/desk/tickets/{ticket.number}/reply"
    seen, tokens = str(newest_public_id(ticket)), (ann.token, carla.token)
    works = [
        lambda desk=desk, token=token, body=body: desk.post(path, csrf_token=token, body=body, then="send", seen=seen)
        for desk, token, body in ((ann, tokens[0], "From Ann."), (carla, tokens[1], "From Carla."))
    ]
    pages = together(app, works)
    held = [page for page in pages if page.status_code not in (302, 303)]
    texts = set(db.session.scalars(select(Message.body_text).where(Message.kind == MessageKind.REPLY)))
    assert (number, len(held), len(texts)) == (ticket.number, 1, 1)
    assert {*values_of(held[0].text, "body")} & {"From Ann.", "From Carla."} == {"From Ann.", "From Carla."} - texts


@several
@given(hands=st.integers(2, 5))
def test_a_ticket_is_taken_by_one(app: Flask, cast: Cast, hands: int) -> None:
    ticket, agents = make_ticket(cast), (cast.ann.id, cast.eve.id, cast.carla.id)

    def grab(agent_id: int, ticket_id: int = ticket.id) -> int:
        take(db.session.get_one(Ticket, ticket_id), by=db.session.get_one(Agent, agent_id))
        return agent_id

    results = together(app, [partial(grab, agents[place % 3]) for place in range(hands)])
    won = {result for result in results if isinstance(result, int)}
    assert (won, how_many(Event, Event.ticket_id == ticket.id, Event.kind == EventKind.ASSIGNED)) == (
        {db.session.get_one(Ticket, ticket.id).assignee_id}, 1,
    )  # fmt: skip
    assert {type(result) for result in results if not isinstance(result, int)} <= {Conflict}


@several
@given(hands=st.integers(2, 5))
def test_a_ticket_is_closed_once(app: Flask, cast: Cast, hands: int) -> None:
    ticket, ann = make_ticket(cast), cast.ann.id

    def end(ticket_id: int = ticket.id) -> None:
        by = db.session.get_one(Agent, ann)
        close(db.session.get_one(Ticket, ticket_id), resolution=Resolution.CORRECTED, by=by)

    together(app, [end] * hands)
    assert db.session.get_one(Ticket, ticket.id).status is Status.CLOSED
    assert how_many(Event, Event.ticket_id == ticket.id, Event.kind == EventKind.CLOSED) == 1


@several
@given(times=st.sampled_from([2, 10]))
def test_a_form_sent_several_times_is_one_ticket_one_count_and_one_receipt(app: Flask, cast: Cast, times: int) -> None:
    before = how_many(Ticket)
    form = filled(token=a_token(age=60 + next(_numbers)), email=f"ruth{next(_numbers)}@example.com")

    def press() -> tuple[int, str]:
        answer = app.test_client().post("/contact", data=form)
        return answer.status_code, answer.headers.get("Location", "").partition("#")[0]

    answers = together(app, [press] * times)
    assert len(set(answers)) == 1
    assert (answers[0][0] if isinstance(answers[0], tuple) else answers, how_many(Ticket) - before) == (303, 1)
    assert how_many(OutboundEmail) == how_many(Ticket)


@several
@given(workers=st.integers(2, 4))
def test_a_mail_seen_by_several_workers_is_kept_and_read_once(app: Flask, cast: Cast, workers: int) -> None:
    raw, before, uid = letter(), how_many(Ticket), (7, 1 + next(_numbers))
    source = db.session.scalar(select(Source)) or Source(name="Inbox", queue=cast.queue, settings={})
    db.session.add(source)
    db.session.commit()
    source_id = source.id

    def fetch() -> None:
        try:
            receive(raw, source=db.session.get_one(Source, source_id), uid=uid)
        finally:
            process_received()

    results = together(app, [fetch] * workers)
    assert [type(result) for result in results if result is not None] == [Conflict] * (workers - 1)
    states = db.session.scalars(select(InboundEmail.state).where(InboundEmail.uid == uid[1])).all()
    assert (list(states), how_many(Ticket) - before) == ([InboundState.ACCEPTED], 1)


@several
@given(mails=st.integers(1, 12), workers=st.integers(2, 4))
def test_no_mail_is_claimed_by_two(app: Flask, cast: Cast, mails: int, workers: int) -> None:
    ids = sorted(put(to=f"ruth@{token_hex(8)}.example.com").recipients[0].id for _ in range(mails))

    def claim_all(worker: str) -> list[int]:
        db.session.rollback()
        return [claim.recipient_id for claim in iter(partial(claim_next, worker), None)]

    claims = together(app, [partial(claim_all, f"worker-{place}") for place in range(workers)])
    assert sorted(taken for part in claims if isinstance(part, list) for taken in part) == ids


@several
@given(late=st.sampled_from([-0.2, 0.0, 0.05]), body=words)
def test_undo_against_claim_has_one_winner(app: Flask, cast: Cast, late: float, body: str) -> None:
    ticket = make_ticket(cast, address=f"ruth@{token_hex(8)}.example.com", wants_answer=False)
    with clock.at(clock.now() - timedelta(seconds=10 + late)):
        message = reply(ticket, body=body, by=cast.ann, undo_seconds=10)
    mail_id, draft_of = message.outbound_email_id, (ticket.id, message.id, cast.ann.id)

    def undo() -> str:
        subject, by = db.session.get_one(Ticket, draft_of[0]), db.session.get_one(Agent, draft_of[2])
        return undo_reply(subject, message_id=draft_of[1], by=by).body

    def claim() -> int:
        db.session.rollback()
        claimed = {claim.recipient_id for claim in iter(partial(claim_next, "worker"), None)}
        mine = select(OutboundRecipient.id).where(OutboundRecipient.email_id == mail_id)
        return len(claimed & set(db.session.scalars(mine)))

    undone, claimed = together(app, [undo, claim])
    has_left = how_many(OutboundRecipient, OutboundRecipient.email_id == mail_id,
                        OutboundRecipient.state == DeliveryState.SENDING)  # fmt: skip
    kept = how_many(Message, Message.id == draft_of[1])
    if isinstance(undone, str):
        assert (undone.split("\n\n")[0], claimed, has_left, kept) == (body, 0, 0, 0)
    else:
        assert (type(undone), kept) == (Conflict, 1)
        assert claimed == has_left
        assert claimed or claim() == 1  # too late to be taken back, and a moment later it is taken along
