"""The contact form: which article it is about, what becomes of a message, and what happens when it is sent again."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from helpdesk import clock, paths
from helpdesk.articles.models import Article
from helpdesk.database import db
from helpdesk.sites.models import Priority, Queue, Site, Topic
from helpdesk.tickets.links import status_path
from helpdesk.tickets.models import Origin, Resolution, Status
from tests.cast import ARTICLE_URL, RUTH, Cast
from tests.contact.posting import WORDS, a_file, a_token, files, filled, send, tickets, value_of
from tests.factories import event_kinds, outbox

FOREIGN = "That address is not one of ours, so your message will be about the whole site."


def add_article(cast: Cast, title: str = "The harbour bridge") -> None:
    db.session.add(Article(site_id=cast.site.id, canonical_url=ARTICLE_URL, title=title, created_at=clock.now()))
    db.session.commit()


def test_home_leads_to_the_form(client: FlaskClient) -> None:
    answer = client.get("/")
    assert (answer.status_code, answer.location) == (303, "/contact")


def test_form_offers_the_active_topics_in_order(client: FlaskClient, cast: Cast) -> None:
    db.session.query(Topic).filter_by(slug="page").one().active = False
    db.session.commit()
    topics = re.findall(r'name="topic"[^>]*value="(\w+)"', client.get("/contact").text)
    assert topics == ["mistake", "question", "legal", "tip", "other"]


def test_form_says_who_reads_how_long_it_takes_and_how_else_to_reach_us(client: FlaskClient) -> None:
    page = client.get("/contact").text
    assert "the people who make" in page
    assert "usually answer within two working days" in page
    assert "You can also ring us on <strong>weekdays</strong>." in page
    assert "We keep it with your message so that we can write back" in page


def test_known_article_is_shown_by_title_and_address(client: FlaskClient, cast: Cast) -> None:
    add_article(cast)
    page = client.get("/contact", query_string={"url": ARTICLE_URL + "?utm_source=x#top"})
    assert '<strong dir="auto">The harbour bridge</strong>' in page.text
    assert "<bdi>blog.example.org/2026/harbour-bridge/</bdi>" in page.text
    assert value_of(page, "url") == ARTICLE_URL
    assert '<a href="/contact?url=">Write about the whole site instead</a>' in page.text


def test_unknown_article_is_shown_by_its_address_alone(client: FlaskClient) -> None:
    page = client.get("/contact", query_string={"url": ARTICLE_URL})
    assert "<strong" not in page.text.partition("<fieldset")[0]
    assert "<bdi>blog.example.org/2026/harbour-bridge/</bdi>" in page.text


def test_referring_page_counts_when_the_link_names_none(client: FlaskClient) -> None:
    page = client.get("/contact", headers={"Referer": ARTICLE_URL})
    assert value_of(page, "url") == ARTICLE_URL


def test_link_counts_more_than_the_referring_page(client: FlaskClient) -> None:
    other = "https://blog.example.org/2025/ferry"
    page = client.get("/contact", query_string={"url": other}, headers={"Referer": ARTICLE_URL})
    assert value_of(page, "url") == other


def test_whole_site_is_possible_although_the_browser_names_a_page(client: FlaskClient) -> None:
    page = client.get("/contact?url=", headers={"Referer": ARTICLE_URL})
    assert 'name="url"' not in page.text
    assert FOREIGN not in page.text


@pytest.mark.parametrize("referrer", ["https://elsewhere.example.com/a", "https://blog.example.org/", "https://[", ""])
def test_referring_page_that_says_nothing_is_left_out_without_a_word(client: FlaskClient, referrer: str) -> None:
    page = client.get("/contact", headers={"Referer": referrer})
    assert page.status_code == 200
    assert 'name="url"' not in page.text
    assert FOREIGN not in page.text


@pytest.mark.parametrize(
    "url",
    [
        "https://elsewhere.example.com/a",
        "https://blog.example.org.evil.example/a",
        "https://blog.example.org@evil.example/",
        "//evil.example/x",
        "/\\evil.example",
        "javascript:alert(1)",
        "https:blog.example.org/a",
        "https://[",
        "https://blog.example.org:99999/",
        "not an address",
        "https://blog.example.org/" + 8192 * "a",
        "https://blog.example.org/\r\nSet-Cookie: a=b",
    ],
)
def test_class_60_address_that_is_not_ours_is_left_out_with_a_sentence(client: FlaskClient, url: str) -> None:
    page = client.get("/contact", query_string={"url": url})
    assert page.status_code == 200
    assert FOREIGN in page.text
    assert 'name="url"' not in page.text
    answer = send(client, url=url)
    assert answer.status_code == 303
    assert tickets()[0].article is None


def test_topic_of_the_link_is_chosen_already(client: FlaskClient) -> None:
    page = client.get("/contact?topic=tip").text
    assert re.findall(r'value="(\w+)" data-kind="\w+"(?: data-private)? checked', page) == ["tip"]


def test_message_becomes_a_ticket(client: FlaskClient, cast: Cast) -> None:
    answer = send(client, suggestion="opened in 1932")
    ticket = tickets()[0]
    assert (answer.status_code, answer.location) == (303, status_path(ticket) + "/thanks")
    assert (ticket.status, ticket.resolution, ticket.origin) == (Status.NEW, None, Origin.FORM)
    assert (ticket.queue, ticket.priority, ticket.wants_answer) == (cast.queue, Priority.NORMAL, True)
    assert ticket.topic is not None
    assert ticket.topic.slug == "mistake"
    assert ticket.article is not None
    assert ticket.article.canonical_url == ARTICLE_URL
    assert ticket.reader is not None
    assert (ticket.reader.address, ticket.reader.name) == (RUTH, "Ruth Reed")
    assert [message.body_text for message in ticket.messages] == [f"{WORDS}\n\nHow it should read:\nopened in 1932"]
    assert event_kinds(ticket) == ["opened"]
    assert [mail.recipients[0].address for mail in outbox()] == [RUTH]


def test_topic_decides_queue_and_priority(client: FlaskClient, cast: Cast) -> None:
    send(client, topic="legal")
    assert (tickets()[0].queue, tickets()[0].priority) == (cast.legal, Priority.HIGH)


def test_reader_who_wants_no_answer_may_stay_anonymous(client: FlaskClient) -> None:
    answer = send(client, answer="no", email="", name="")
    ticket = tickets()[0]
    assert answer.status_code == 303
    assert (ticket.reader, ticket.wants_answer) == (None, False)
    assert event_kinds(ticket) == ["opened"]
    assert outbox() == []


def test_reader_who_gives_an_address_but_wants_no_answer_gets_no_receipt(client: FlaskClient) -> None:
    send(client, answer="no")
    ticket = tickets()[0]
    assert ticket.reader is not None
    assert (ticket.reader.address, ticket.wants_answer) == (RUTH, False)
    assert outbox() == []


def test_files_come_with_the_message(client: FlaskClient) -> None:
    send(client, files=[a_file(), a_file("notes.txt", b"some notes")])
    message = tickets()[0].messages[0]
    assert [(file.name, file.media_type) for file in message.attachments] == [
        ("plaque.png", "image/png"),
        ("notes.txt", "text/plain"),
    ]


def test_sending_twice_makes_one_ticket(client: FlaskClient) -> None:
    token = a_token()
    first = send(client, token=token, files=a_file())
    second = send(client, token=token, files=a_file())
    assert (second.status_code, second.location) == (303, first.location)
    assert [ticket.message_count for ticket in tickets()] == [1]
    assert len(files()) == 1
    assert len(outbox()) == 1


def test_sending_something_else_from_the_same_page_makes_a_second_ticket(client: FlaskClient) -> None:
    token = a_token()
    send(client, token=token)
    send(client, token=token, message="And another thing.")
    assert [ticket.preview for ticket in tickets()] == [WORDS, "And another thing."]


def test_sending_twice_after_a_correction_with_kept_files_makes_one_ticket(client: FlaskClient) -> None:
    again = send(client, message="", files=a_file())
    token = value_of(again, "token")
    first = send(client, token=token, kept="1")
    second = send(client, token=token, kept="1")
    assert second.location == first.location
    assert [len(ticket.messages[0].attachments) for ticket in tickets()] == [1]


def test_second_site_has_its_own_form(client: FlaskClient, cast: Cast) -> None:
    site = Site(
        name="Der Hafenbote", slug="hafenbote", home_url="https://hafen.example.org/", language="de",
        url_prefixes=["https://hafen.example.org/"], created_at=clock.now(),
    )  # fmt: skip
    queue = Queue(site=site, name="Leser", intake_address="post@example.org", sender_name="Der Hafenbote")
    db.session.add_all([site, queue, Topic(site=site, queue=queue, slug="frage", label="Eine Frage")])
    db.session.commit()
    page = client.get("/s/hafenbote/contact", query_string={"url": ARTICLE_URL})
    assert '<span lang="de" dir="auto">Eine Frage</span>' in page.text
    assert FOREIGN in page.text
    form = filled(topic="frage", token=a_token(site_id=site.id))
    assert client.post("/s/hafenbote/contact", data=form).status_code == 303
    assert (tickets()[0].site, tickets()[0].queue, tickets()[0].article) == (site, queue, None)


def test_token_of_another_site_does_not_count(client: FlaskClient) -> None:
    assert send(client, token=a_token(site_id=2)).status_code == 422
    assert tickets() == []


def test_unknown_site_is_not_there(client: FlaskClient) -> None:
    assert client.get("/s/nowhere/contact").status_code == 404


def test_reader_pages_set_no_cookie(client: FlaskClient) -> None:
    answer = send(client)
    answers = [client.get("/contact"), answer, client.get(answer.location), send(client, message="")]
    assert [answer.headers.get("Set-Cookie") for answer in answers] == [None] * 4


def test_page_and_style_weigh_less_than_15_kb(app: Flask, client: FlaskClient, cast: Cast) -> None:
    add_article(cast)
    style = (paths.static() / "reader.css").read_bytes()
    page = client.get("/contact", query_string={"url": ARTICLE_URL}).data
    assert len(style) <= 6144
    assert len(page) + len(style) <= 15_000


def test_class_56_fields_that_the_form_does_not_have_are_ignored(client: FlaskClient, cast: Cast) -> None:
    extra = {
        "queue_id": cast.legal.id, "queue": cast.legal.id, "assignee_id": cast.ann.id, "priority": "urgent",
        "status": "closed", "is_admin": "1", "created_at": "2001-01-01", "number": "99", "site_id": "7",
        "spam_reason": "x", "verified": "0", "subject": "mine",
    }  # fmt: skip
    send(client, **extra)
    ticket = tickets()[0]
    assert (ticket.queue, ticket.assignee, ticket.status) == (cast.queue, None, Status.NEW)
    assert (ticket.number, ticket.priority, ticket.subject) == (1, Priority.NORMAL, WORDS)


def test_class_44_template_code_stays_text(client: FlaskClient) -> None:
    answer = send(client, name="{{7*7}}", message="{{7*7}} ${7*7} {0.__class__} {% raise %}")
    ticket = tickets()[0]
    page = client.get(answer.location).text
    assert ticket.messages[0].body_text == "{{7*7}} ${7*7} {0.__class__} {% raise %}"
    assert "{{7*7}} ${7*7} {0.__class__} {% raise %}" in page
    assert "{{7*7}}" in send(client, name="{{7*7}}", message="").text


def test_class_2_markup_in_name_and_message_stays_text(client: FlaskClient) -> None:
    attack = '"><img src=x onerror=alert(1)><script>alert(1)</script>'
    pages = [
        client.get(send(client, name=attack, message=attack).location).text,
        send(client, name=attack, suggestion=attack, message=attack, email="no address").text,
        client.get("/contact", query_string={"url": f"https://blog.example.org/{attack}", "topic": attack}).text,
    ]
    assert [re.findall(r"<img|<script>|onerror=[^&]*>", page) for page in pages] == [[], [], []]


@pytest.mark.parametrize("is_known", [True, False])
@pytest.mark.parametrize("answer", ["yes", "no"])
def test_post_by_a_new_reader_stays_within_twelve_statements(
    app: Flask, client: FlaskClient, cast: Cast, answer: str, is_known: bool
) -> None:
    if is_known:
        add_article(cast)
    form = filled(answer=answer)
    db.session.remove()
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if not statement.startswith("BEGIN"):
            statements.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    assert client.post("/contact", data=form).status_code == 303
    event.remove(db.engine, "before_cursor_execute", note)
    assert len(statements) <= 12, statements
    assert tickets()[0].resolution is not Resolution.SPAM
