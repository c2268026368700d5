"""The set-up pages: publications, queues, topics and tags; what is removed is said first."""

import pytest
from sqlalchemy import select

from helpdesk.agents.models import Agent
from helpdesk.contrast import contrast, paler
from helpdesk.database import db
from helpdesk.inbound.models import InboundEmail, Source
from helpdesk.sites.models import Queue, Site, Topic
from helpdesk.sites.operations import add_queue
from helpdesk.tickets.events import Event, EventKind
from helpdesk.tickets.models import Ticket
from helpdesk.tickets.tag_list import Counted, list_tags
from helpdesk.tickets.triage import add_tag
from tests.cast import Cast
from tests.desk.conftest import Desk
from tests.factories import event_kinds, make_ticket

QUEUE = {
    "name": "Letters", "intake_address": "letters@example.org", "sender_name": "The Post", "signature": "The Post\nat the harbour",
}  # fmt: skip
SITE = {
    "name": "The Inland Post", "home_url": "https://inland.example.org/", "language": "de", "timezone": "Europe/Berlin",
    "answer_within": "a day", "reopen_days": "7", "accent": "#1f5578", "contact_text": "Ring **us**.",
    "url_prefixes": "https://inland.example.org/a/\nhttps://inland.example.org/b/",
}  # fmt: skip
TOPIC = {"label": "A wrong date", "slug": "", "form_kind": "mistake", "priority": "high", "position": "9"}


def said() -> list[str]:
    """What the history of the publications says."""
    return [one.data["what"] for one in db.session.scalars(select(Event).where(Event.kind == EventKind.SETUP_CHANGED))]


def test_an_admin_finds_every_page_and_an_editor_his_own(carla: Desk, eve: Desk, ann: Desk) -> None:
    places = ["Publications", "Queues", "Topics", "Staff", "Tags", "Canned replies"]
    pages = [desk.get("/desk/setup").text.split('class="places"')[1] for desk in (carla, eve)]
    assert [[place in page for place in places] for page in pages] == [[True] * 6, [False] * 4 + [True] * 2]
    assert ann.get("/desk/setup").status_code == 403
    assert "/desk/setup" not in ann.get("/desk/account").text


def test_a_new_queue_has_its_members_and_is_noted(carla: Desk, cast: Cast) -> None:
    answer = carla.post("/desk/setup/queues/new", site=cast.site.id, members=[cast.ann.id, cast.sam.id], **QUEUE)
    assert answer.location == "/desk/setup/queues"
    queue = db.session.scalars(select(Queue).order_by(Queue.id.desc())).first()
    assert queue is not None
    assert (queue.name, queue.intake_address, queue.signature) == ("Letters", "letters@example.org", QUEUE["signature"])
    assert [agent.first_name for agent in queue.members] == ["Ann", "Sam"]
    assert said() == ["the queues: “Letters” is new"]
    assert "changed the queues: “Letters” is new" in carla.get("/desk/setup").text


def test_a_changed_queue_keeps_what_was_decided(carla: Desk, cast: Cast) -> None:
    carla.post(f"/desk/setup/queues/{cast.queue.id}", members=[cast.sam.id], restricted="y", **QUEUE)
    assert (cast.queue.name, cast.queue.restricted, cast.queue.members) == ("Letters", True, [cast.sam])


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("name", "", "Give the queue a name."),
        ("name", "legal", "There is a queue called “legal” already."),
        ("intake_address", "legal@example.org", "Another queue takes the mail for legal@example.org already."),
        ("intake_address", "nobody", "Enter an email address like name@example.org"),
        ("intake_address", f"{'x' * 27}@example.org", "at most 26 letters before the @"),
        ("sender_name", "Post\r\nBcc: x@example.org", "Line breaks and control characters cannot be here."),
    ],
)
def test_a_queue_that_cannot_be_is_told_and_keeps_what_was_typed(
    carla: Desk, cast: Cast, field: str, value: str, sentence: str
) -> None:
    answer = carla.post(f"/desk/setup/queues/{cast.queue.id}", **(QUEUE | {field: value}))
    assert answer.status_code in (409, 422)
    assert sentence in answer.text
    assert 'value="The Post"' in answer.text or field == "sender_name"
    assert (cast.queue.name, said()) == ("Readers", [])


def test_a_restricted_queue_needs_a_member(carla: Desk, cast: Cast) -> None:
    answer = carla.post(f"/desk/setup/queues/{cast.queue.id}", restricted="y", **QUEUE)
    assert (answer.status_code, "or nobody sees its tickets." in answer.text) == (422, True)
    assert (cast.queue.restricted, cast.queue.members) == (False, [cast.ann])


def test_a_signature_is_previewed_and_not_kept(carla: Desk, cast: Cast) -> None:
    answer = carla.post(f"/desk/setup/queues/{cast.queue.id}", preview="1", **QUEUE)
    assert (answer.status_code, "The Post<br>\nat the harbour" in answer.text, cast.queue.signature) == (
        200, True, "The Tidewater Post",
    )  # fmt: skip


def test_before_a_queue_goes_the_page_says_what_moves(carla: Desk, cast: Cast) -> None:
    make_ticket(cast)
    page = carla.get(f"/desk/setup/queues/{cast.queue.id}/remove").text
    assert "1 ticket moves" in page
    assert "5 topics lead" in page


def test_a_queue_goes_and_everything_in_it_moves(carla: Desk, cast: Cast) -> None:
    ticket = make_ticket(cast)
    source = Source(name="Box", queue=cast.queue, settings={})
    mail = InboundEmail(source=source, queue=cast.queue, storage_key="x", received_at=ticket.opened_at)
    db.session.add_all([source, mail])
    db.session.commit()
    name = cast.queue.name
    answer = carla.post(f"/desk/setup/queues/{cast.queue.id}/remove", into=cast.legal.id)
    assert answer.location == "/desk/setup/queues"
    assert [queue.name for queue in db.session.scalars(select(Queue))] == ["Legal"]
    assert (ticket.queue, source.queue, mail.queue) == (cast.legal,) * 3
    assert {topic.queue for topic in db.session.scalars(select(Topic))} == {cast.legal}
    moved = db.session.scalars(select(Event).where(Event.kind == EventKind.MOVED)).one()
    assert (moved.ticket, moved.by_agent, moved.data) == (ticket, cast.carla, {"before": name, "after": "Legal"})


def test_the_last_queue_and_a_place_elsewhere_are_refused(carla: Desk, cast: Cast) -> None:
    path = f"/desk/setup/queues/{cast.queue.id}/remove"
    assert carla.post(path, into=999).status_code == 422
    assert carla.post(path, into=cast.queue.id).status_code == 422
    carla.post(path, into=cast.legal.id)
    answer = carla.post(f"/desk/setup/queues/{cast.legal.id}/remove", into=cast.legal.id)
    assert (answer.status_code, "It is the only queue" in answer.text) == (409, True)


def test_a_new_topic_stands_on_the_form(carla: Desk, cast: Cast) -> None:
    path = f"/desk/setup/sites/{cast.site.id}/topics/new"
    assert carla.post(path, queue=cast.queue.id, active="y", **TOPIC).location == "/desk/setup/topics"
    topic = db.session.scalars(select(Topic).where(Topic.slug == "a-wrong-date")).one()
    assert (topic.label, topic.priority.value, topic.queue) == ("A wrong date", "high", cast.queue)
    assert "A wrong date" in carla.get("/contact").text
    again = carla.post(path, queue=cast.queue.id, active="y", **TOPIC)
    assert (again.status_code, "with the short name “a-wrong-date” already" in again.text) == (409, True)


def test_a_topic_of_tickets_is_retired_and_can_come_back(carla: Desk, cast: Cast) -> None:
    topic = make_ticket(cast).topic
    assert topic is not None
    assert "it is retired, not deleted" in carla.get(f"/desk/setup/topics/{topic.id}/remove").text
    carla.post(f"/desk/setup/topics/{topic.id}/remove")
    assert topic.active is False
    assert "A mistake in the text" not in carla.get("/contact").text
    carla.post(f"/desk/setup/topics/{topic.id}", queue=cast.queue.id, active="y", **TOPIC)
    assert "A wrong date" in carla.get("/contact").text


def test_a_topic_without_tickets_is_deleted_and_the_last_one_stays(carla: Desk, cast: Cast) -> None:
    ids = [topic.id for topic in cast.site.topics]
    answers = [carla.post(f"/desk/setup/topics/{topic_id}/remove").status_code for topic_id in ids]
    assert answers == [303] * 5 + [409]
    assert [topic.id for topic in db.session.scalars(select(Topic))] == ids[-1:]
    hidden = carla.post(f"/desk/setup/topics/{ids[-1]}", queue=cast.queue.id, **TOPIC)
    assert (hidden.status_code, "The form needs at least one topic" in hidden.text) == (409, True)


def test_a_topic_cannot_lead_into_another_publication(carla: Desk, cast: Cast) -> None:
    carla.post("/desk/setup/sites/new", queue_name="Inland", intake_address="in@example.org", **SITE)
    other = db.session.scalars(select(Queue).where(Queue.name == "Inland")).one()
    topic = cast.site.topics[0]
    assert carla.post(f"/desk/setup/topics/{topic.id}", queue=other.id, active="y", **TOPIC).status_code == 422
    assert topic.queue is cast.queue


def test_a_new_publication_has_a_queue_topics_and_a_form(carla: Desk, cast: Cast) -> None:
    answer = carla.post("/desk/setup/sites/new", queue_name="Inland", intake_address="in@example.org", **SITE)
    site = db.session.scalars(select(Site).where(Site.name == "The Inland Post")).one()
    assert answer.location == f"/desk/setup/queues/{site.queues[0].id}"
    assert (site.language, site.reopen_days, site.accent) == ("de", 7, "#1f5578")
    assert site.url_prefixes == ["https://inland.example.org/a/", "https://inland.example.org/b/"]
    assert (len(site.topics), site.is_default) == (7, None)
    assert "Ring <strong>us</strong>." in carla.get("/s/the-inland-post/contact").text


def test_another_publication_becomes_the_default(carla: Desk, cast: Cast) -> None:
    carla.post("/desk/setup/sites/new", queue_name="Inland", intake_address="in@example.org", **SITE)
    inland = db.session.scalars(select(Site).where(Site.name == "The Inland Post")).one()
    carla.post(f"/desk/setup/sites/{inland.id}", is_default="y", **SITE)
    assert (inland.is_default, cast.site.is_default) == (True, None)
    assert "The Inland Post" in carla.get("/contact").text


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("accent", "#ffee00", "Its contrast on our pages is 1.0"),
        ("accent", "blue", "Write a colour such as #1f5578"),
        ("home_url", "example.org", "is not a whole web address"),
        ("url_prefixes", "ftp://example.org/", "is not a whole web address"),
        ("timezone", "Mars/Base", "Write a time zone"),
        ("language", "German!", "Write a code such as en"),
        ("reopen_days", "-1", "Write a number of days."),
    ],
)
def test_a_publication_that_cannot_be_is_told(carla: Desk, cast: Cast, field: str, value: str, sentence: str) -> None:
    answer = carla.post(f"/desk/setup/sites/{cast.site.id}", **(SITE | {field: value}))
    assert (answer.status_code, sentence in answer.text) == (422, True)
    assert (cast.site.name, said()) == ("The Tidewater Post", [])


def test_the_text_beside_the_form_is_previewed_without_its_html(carla: Desk, cast: Cast) -> None:
    text = "Ring **us**. <script>alert(1)</script>"
    answer = carla.post(f"/desk/setup/sites/{cast.site.id}", preview="1", **(SITE | {"contact_text": text}))
    assert "Ring <strong>us</strong>. &lt;script&gt;" in answer.text
    assert cast.site.contact_text == "You can also ring us on **weekdays**."


@pytest.fixture
def tagged(cast: Cast) -> tuple[Ticket, Ticket]:
    """Two tickets with the tags bridge and bridges; the second has both."""
    tickets = make_ticket(cast), make_ticket(cast)
    for ticket, name in ((tickets[0], "bridges"), (tickets[1], "bridges"), (tickets[1], "bridge")):
        add_tag(ticket, name=name, by=cast.ann)
    return tickets


def test_tags_are_counted_renamed_and_told_on_their_tickets(eve: Desk, tagged: tuple[Ticket, Ticket]) -> None:
    assert [tag[1:] for tag in list_tags()] == [("bridge", 1), ("bridges", 2)]
    plural = list_tags()[1].id
    assert eve.post(f"/desk/setup/tags/{plural}", name="bridge").status_code == 409
    eve.post(f"/desk/setup/tags/{plural}", name=" Harbour  Bridges ")
    assert [tag.name for tag in tagged[0].tags] == ["harbour bridges"]
    assert event_kinds(tagged[0])[-2:] == ["untagged", "tagged"]
    assert tagged[0].events[-1].data == {"tag": "harbour bridges"}


def test_two_tags_become_one(eve: Desk, cast: Cast, tagged: tuple[Ticket, Ticket]) -> None:
    one, plural = (tag.id for tag in list_tags())
    assert eve.post(f"/desk/setup/tags/{plural}/merge", into=plural).status_code == 422
    assert eve.post(f"/desk/setup/tags/{plural}/merge", into=999).status_code == 422
    eve.post(f"/desk/setup/tags/{plural}/merge", into=one)
    assert list_tags() == [Counted(one, "bridge", 2)]
    assert [event_kinds(ticket)[-2:] for ticket in tagged] == [["untagged", "tagged"], ["tagged", "untagged"]]
    assert all(ticket.events[-1].by_agent is cast.eve for ticket in tagged)


def test_before_a_tag_goes_the_page_says_how_many_lose_it(eve: Desk, tagged: tuple[Ticket, Ticket]) -> None:
    plural = list_tags()[1].id
    assert "taken off 2 tickets" in eve.get(f"/desk/setup/tags/{plural}/remove").text
    eve.post(f"/desk/setup/tags/{plural}/remove")
    assert [tag.name for tag in list_tags()] == ["bridge"]
    assert [tag.name for tag in tagged[0].tags] == []


def test_white_can_be_read_on_what_is_taken_and_dark_pages_get_a_paler_one() -> None:
    assert round(contrast("#ffffff", "#000000"), 1) == 21.0
    assert round(contrast("#767676", "#ffffff"), 2) == 4.54
    assert contrast(paler("#1f5578", on="#101418"), "#101418") >= 4.5
    assert paler("#7bb8e0", on="#101418") == "#7bb8e0"


def test_a_queue_with_the_name_of_another_publication_s_is_fine(cast: Cast, carla: Desk) -> None:
    carla.post("/desk/setup/sites/new", queue_name="Readers", intake_address="in@example.org", **SITE)
    assert db.session.query(Queue).filter_by(name="Readers").count() == 2
    assert db.session.query(Agent).count() == 4
    assert add_queue(cast.site, name="More", intake_address="more@example.org", sender_name="M").members == []


def test_readers_see_the_colour_of_their_publication(carla: Desk, cast: Cast) -> None:
    assert "/accent/" not in carla.get("/contact").text
    carla.post(f"/desk/setup/sites/{cast.site.id}", **SITE)
    assert 'href="/accent/1f5578.css"' in carla.get("/contact").text
    sheet = carla.get("/accent/1f5578.css")
    assert (sheet.mimetype, sheet.text.startswith(":root{--accent:#1f5578}@media")) == ("text/css", True)
    assert "immutable" in sheet.headers["Cache-Control"]
    assert carla.get("/accent/red;}x.css").status_code == 404
