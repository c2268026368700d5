"""Whom a mail names besides the reader, on the ticket's page: shown, added by one click, removed by one."""

import re

from helpdesk import clock
from helpdesk.database import db
from helpdesk.inbound.operations import process, receive
from helpdesk.outbound.models import DeliveryState
from helpdesk.readers.operations import recognise
from helpdesk.sites.operations import add_queue
from helpdesk.tickets.models import Ticket
from helpdesk.tickets.operations import follow_up
from helpdesk.tickets.participation import add_participant
from helpdesk.tickets.replying import reply
from tests.cast import RUTH, Cast
from tests.desk.conftest import Desk, counted
from tests.desk.reading import text_of, values_of
from tests.factories import event_kinds, follow_up_letter, make_ticket, outbox
from tests.letters import letter

TOM = "tom@example.com"


def path_of(ticket: Ticket) -> str:
    """The address of its page."""
    return f"/desk/tickets/{ticket.number}"


def by_mail(**headers: str) -> Ticket:
    """A ticket of Ruth's that came by mail."""
    to = headers.pop("to", "support@example.org")
    email = process(receive(letter(to=to, headers=headers)).id)
    assert email.became is not None
    return email.became.ticket


def test_whoever_else_a_mail_names_is_shown_with_what_he_is_to_the_ticket(ann: Desk, cast: Cast) -> None:
    ticket = by_mail(to="support+x@example.org, Press <press@example.net>", Cc=f"Tom <{TOM}>, ann@example.org, {RUTH}")
    add_participant(ticket, address=TOM, by=cast.ann)
    page = ann.get(path_of(ticket)).text
    assert text_of(page, "ul.also li") == [
        "also to press@example.net Add to replies",
        "also to tom@example.com gets copies Remove",
        "also to ann@example.org ours",
    ]
    assert values_of(page, "copies") == [TOM]


def test_an_intake_address_with_a_plus_of_its_own_is_ours(ann: Desk, cast: Cast) -> None:
    add_queue(cast.site, name="Plus", intake_address="me+desk@example.org", sender_name="Me")
    ticket = by_mail(Cc="me+desk@example.org, me+desk+x@example.org, me+other@example.org")
    assert text_of(ann.get(path_of(ticket)).text, "ul.also li") == [
        "also to me+desk@example.org ours",
        "also to me+desk+x@example.org ours",
        "also to me+other@example.org Add to replies",
    ]
    own = by_mail(to="me+desk@example.org")
    assert text_of(ann.get(path_of(own)).text, "ul.also li") == []


def test_class_13_nobody_joins_without_a_click_and_everybody_with_one(ann: Desk, cast: Cast) -> None:
    ticket = by_mail(Cc=f"Tom <{TOM}>")
    page = ann.get(path_of(ticket)).text
    assert text_of(page, "p.to b") == [RUTH]
    assert f'form="add-participant" name="address" value="{TOM}"' in page
    answer = ann.post(f"{path_of(ticket)}/add-participant", address=TOM)
    assert (answer.status_code, answer.location) == (303, path_of(ticket))
    page = ann.get(path_of(ticket)).text
    assert text_of(page, "p.flash") == ["tom@example.com gets a copy of each reply from now on."]
    assert text_of(page, "p.to b") == [RUTH, TOM]
    assert text_of(page, "ul.history li")[-1] == "Ann Archer added tom@example.com, who gets our replies too · now"


def test_a_reply_from_the_page_goes_to_those_who_stand_above_it(ann: Desk, cast: Cast) -> None:
    ticket = by_mail(Cc=TOM)
    seen = values_of(ann.get(path_of(ticket)).text, "seen")[0]
    add_participant(ticket, address=TOM, by=cast.eve)
    answer = ann.post(f"{path_of(ticket)}/reply", body="For Ruth.", then="send", seen=seen, copies="")
    assert (answer.status_code, text_of(answer.text, "p.notice")) == (
        422, ["Who gets a copy changed while you were writing. Look at the addresses, then send again."],
    )  # fmt: skip
    assert values_of(answer.text, "body")[0] == "For Ruth."
    (copies,) = values_of(answer.text, "copies")
    assert (
        ann.post(f"{path_of(ticket)}/reply", body="For both.", then="send", seen=seen, copies=copies).status_code == 303
    )
    assert [one.address for one in outbox()[-1].recipients] == [RUTH, TOM]
    assert text_of(ann.get(path_of(ticket)).text, "article.is-reply header p") == [f"to {RUTH}, {TOM}"]


def test_taking_somebody_off_a_reply_keeps_what_is_written(ann: Desk, cast: Cast, ticket: Ticket) -> None:
    add_participant(ticket, address=TOM, by=cast.ann)
    form = {"address": TOM, "kind": "reply", "body": "Half a thought", "copies": TOM, "seen": "1"}
    assert ann.post(f"{path_of(ticket)}/remove-participant", **form).status_code == 303
    page = ann.get(path_of(ticket)).text
    assert (text_of(page, "p.to b"), values_of(page, "body")[0]) == ([RUTH], "Half a thought")
    assert event_kinds(ticket)[-1] == "participant_removed"


def test_an_address_can_be_typed_and_a_wrong_one_costs_a_sentence(ann: Desk, ticket: Ticket) -> None:
    for address, sentence in (
        ("", "Write an email address first."),
        ("nobody", "Enter an email address like name@example.org"),
        ("eve@example.org", "eve@example.org belongs to this desk or its staff, so mail to it would go round in circles."),
    ):  # fmt: skip
        answer = ann.post(f"{path_of(ticket)}/add-participant", address=address)
        assert (answer.status_code, text_of(answer.text, "p.notice")) == (422, [sentence])
    assert event_kinds(ticket) == ["opened"]


def test_a_blocked_reader_cannot_be_added_and_one_blocked_later_is_shown_so(ann: Desk, cast: Cast) -> None:
    ticket = by_mail(Cc=TOM)
    add_participant(ticket, address=TOM, by=cast.ann)
    for address in (TOM, "spam@example.com"):
        recognise(address).blocked_at = clock.now()
    db.session.commit()
    page = ann.get(path_of(ticket)).text
    assert text_of(page, "ul.participants li") == ["tom@example.com blocked, gets none"]
    assert text_of(page, "p.to b") == [RUTH]
    answer = ann.post(f"{path_of(ticket)}/add-participant", address="spam@example.com")
    assert (answer.status_code, text_of(answer.text, "p.notice")) == (
        403, ["spam@example.com belongs to a reader who is blocked, so it gets no copies."],
    )  # fmt: skip


def test_class_19_a_stranger_with_the_token_can_be_added_and_a_participant_needs_no_flag(
    ann: Desk, cast: Cast, ticket: Ticket
) -> None:
    follow_up(ticket, letter=follow_up_letter("I was there.", from_address=TOM, from_name="Tom"))
    assert text_of(ann.get(path_of(ticket)).text, "article header span.chip") == ["another address"]
    ann.post(f"{path_of(ticket)}/add-participant", address=TOM)
    follow_up(ticket, letter=follow_up_letter("And saw it.", from_address=TOM, from_name="Tom"))
    page = ann.get(path_of(ticket)).text
    assert text_of(page, "article header span.chip") == ["another address", "participant"]


def test_what_became_of_each_copy_stands_on_the_reply(ann: Desk, cast: Cast, ticket: Ticket) -> None:
    add_participant(ticket, address=TOM, by=cast.ann)
    to_ruth, to_tom = reply(ticket, body="Thank you.", by=cast.ann).outbound_email.recipients  # type: ignore[union-attr]
    to_ruth.state = to_tom.state = DeliveryState.SENT
    db.session.commit()
    assert text_of(ann.get(path_of(ticket)).text, "p.delivery") == ["Sent to all 2"]
    to_tom.state, to_tom.error, to_ruth.complained_at = DeliveryState.BOUNCED, "the mailbox is full", clock.now()
    db.session.commit()
    assert text_of(ann.get(path_of(ticket)).text, "p.delivery") == [
        "Sent to ruth@example.com",
        "Came back to tom@example.com: the mailbox is full Retry",
        "ruth@example.com reported this mail as unwanted, and gets no more automatic mail",
    ]


def test_class_49_copies_of_a_foreign_ticket_are_nobodys_to_give(ann: Desk, cast: Cast) -> None:
    foreign = make_ticket(cast, queue=cast.legal)
    add_participant(foreign, address=TOM, by=cast.carla)
    for verb, address in (("add-participant", "mallory@example.com"), ("remove-participant", TOM)):
        assert ann.post(f"{path_of(foreign)}/{verb}", address=address).status_code == 404
    db.session.rollback()
    assert [one.address for one in foreign.participants] == [TOM]


def test_class_2_an_address_is_only_words(ann: Desk, cast: Cast) -> None:
    page = ann.get(path_of(by_mail(Cc='"<script>alert(1)</script>"@example.com, a"onclick=x@example.com'))).text
    assert re.findall(r"<script>alert|value=\"a\"onclick", page) == []


def test_a_page_with_many_people_takes_no_statement_more(ann: Desk, cast: Cast) -> None:
    few = by_mail()
    many = by_mail(Cc=", ".join(f"friend{number}@example.com" for number in range(40)))
    for number in range(15):
        add_participant(many, address=f"friend{number}@example.com", by=cast.ann)
    taken = []
    for path in (path_of(few), path_of(many)):
        with counted() as statements:
            assert ann.get(f"{path}?in=open").status_code == 200
        taken.append(len(statements))
    assert taken == [8, 8]
