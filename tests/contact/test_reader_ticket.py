"""A reader's own ticket: thanks, state in plain words, public messages only, files, and one more message."""

import html
import re
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from helpdesk import clock
from helpdesk import files as bytes_on_disk
from helpdesk.database import db
from helpdesk.outbound.models import Release
from helpdesk.outbound.rendering import text_of
from helpdesk.templating import day
from helpdesk.tickets.links import reply_address, status_path
from helpdesk.tickets.messages import MessageKind
from helpdesk.tickets.models import Resolution, Status, Then, Ticket
from helpdesk.tickets.operations import file_automatic
from helpdesk.tickets.replying import add_note, reply
from helpdesk.tokens import Kind, keyring
from helpdesk.uploads import store
from tests.cast import ARTICLE_URL, RUTH, Cast
from tests.contact.posting import (
    PNG,
    WORDS,
    a_file,
    a_token,
    files,
    filled,
    post,
    send,
    summary,
    tickets,
    value_of,
)  # fmt: skip
from tests.factories import event_kinds, follow_up_letter, make_ticket, outbox

ADDED = "Your message was added."


def open_page(client: FlaskClient, ticket: Ticket) -> str:
    """The text of the status page."""
    answer = client.get(status_path(ticket))
    assert answer.status_code == 200
    return html.unescape(answer.text)


def state_on(client: FlaskClient, ticket: Ticket) -> tuple[str, str]:
    """Badge and sentence of the status page."""
    page = open_page(client, ticket)
    found = re.search(r'<span class="state">(.*?)</span></p>\n<p><strong>(.*?)</strong>', page)
    assert found is not None, page
    return found.group(1), found.group(2)


def add(client: FlaskClient, ticket: Ticket, **changes: object) -> object:
    """Press Send on the status page."""
    form = {"token": a_token(), "message": "One more thing."} | changes
    return post(client, status_path(ticket) + "/message", form)


def test_thanks_has_number_next_steps_message_and_links(client: FlaskClient) -> None:
    answer = client.get(send(client, files=a_file()).location)
    ticket = tickets()[0]
    page = answer.text
    assert f'<span class="number">#{ticket.number}</span>' in page
    assert "We usually answer within two working days." in page
    assert f"<p>{WORDS}</p>" in page
    assert f'<a href="{status_path(ticket)}">' in page
    assert f'<a href="{ARTICLE_URL}">Back to the article</a>' in page
    assert "<bdi>plaque.png</bdi>" in page
    assert RUTH not in page


def test_thanks_can_be_opened_again_and_changes_nothing(client: FlaskClient) -> None:
    location = send(client).location
    pages = [client.get(location).text for _ in range(3)]
    assert len(set(pages)) == 1
    assert event_kinds(tickets()[0]) == ["opened"]


def test_thanks_without_an_answer_promises_none(client: FlaskClient) -> None:
    page = client.get(send(client, answer="no", email="").location).text
    assert "You asked for no answer, so none will come." in page


def test_class_60_thanks_links_back_only_to_pages_of_the_site(client: FlaskClient, cast: Cast) -> None:
    location = send(client).location
    cast.site.url_prefixes = ["https://elsewhere.example.org/"]
    db.session.commit()
    page = client.get(location).text
    assert "Back to the article" not in page
    assert ARTICLE_URL not in page


def test_state_of_a_new_ticket(client: FlaskClient, cast: Cast) -> None:
    expected = ("Received", "We have your message and nobody has read it yet.")
    assert state_on(client, make_ticket(cast)) == expected


def test_state_of_an_open_ticket(client: FlaskClient, cast: Cast) -> None:
    ticket = make_ticket(cast)
    add_note(ticket, body="I look after it.", by=cast.ann)
    assert state_on(client, ticket) == ("In progress", "Somebody is looking into your message.")
    reply(ticket, body="Soon.", by=cast.ann)
    assert state_on(client, ticket) == ("In progress", "We have answered and are still looking into it.")


def test_state_of_a_pending_ticket(client: FlaskClient, cast: Cast) -> None:
    ticket = make_ticket(cast)
    reply(ticket, body="Which plaque?", by=cast.ann, then=Then.WAIT)
    today = day(clock.now())
    assert state_on(client, ticket) == ("Your turn", f"We wrote to you on {today}; it is your turn.")


@pytest.mark.parametrize(
    ("resolution", "sentence"),
    [
        (Resolution.ANSWERED, "We answered and closed this on {}."),
        (Resolution.CORRECTED, "We made a correction and closed this on {}."),
        (Resolution.NO_ACTION, "We read this and decided to change nothing on {}."),
        (Resolution.DUPLICATE, "We knew of this already and look after it there on {}."),
    ],
)
def test_state_of_a_closed_ticket(client: FlaskClient, cast: Cast, resolution: Resolution, sentence: str) -> None:
    ticket = make_ticket(cast)
    ticket.close(resolution, by=cast.ann, now=clock.now())
    db.session.commit()
    assert state_on(client, ticket) == ("Closed", sentence.format(day(clock.now())))


def test_spam_looks_to_the_reader_like_new(client: FlaskClient, cast: Cast) -> None:
    spam = make_ticket(cast, spam_reason="advertising")
    expected = ("Received", "We have your message and nobody has read it yet.")
    assert (spam.status, state_on(client, spam)) == (Status.CLOSED, expected)
    assert "spam" not in open_page(client, spam).lower()


def test_class_12_readers_see_their_words_and_our_replies_and_nothing_else(client: FlaskClient, cast: Cast) -> None:
    ticket = make_ticket(cast)
    add_note(ticket, body="CANARY of a note", by=cast.ann, files=(store("canary.txt", b"CANARY"),))
    file_automatic(ticket, letter=follow_up_letter("CANARY of a machine"))
    reply(ticket, body="You are right.", by=cast.ann)
    pages = [open_page(client, ticket), client.get(status_path(ticket) + "/thanks").text]
    assert "You are right." in pages[0]
    assert "Ann Archer" in pages[0]
    assert [re.findall("CANARY|canary|ann@example.org", page) for page in pages] == [[], []]


@pytest.mark.parametrize("release", [Release.HELD, Release.CANCELLED])
def test_reply_that_has_not_left_is_invisible(client: FlaskClient, cast: Cast, release: Release) -> None:
    ticket = make_ticket(cast)
    message = reply(ticket, body="CANARY", by=cast.ann, then=Then.WAIT, files=(store("a.txt", b"CANARY"),))
    assert message.outbound_email is not None
    message.outbound_email.release = release
    file_id = message.attachments[0].id
    db.session.commit()
    assert "CANARY" not in open_page(client, ticket)
    assert state_on(client, ticket) == ("In progress", "Somebody is looking into your message.")
    assert client.get(f"{status_path(ticket)}/files/{file_id}/a.txt").status_code == 404


def test_message_is_added(client: FlaskClient, cast: Cast) -> None:
    ticket = make_ticket(cast)
    reply(ticket, body="Which plaque?", by=cast.ann, then=Then.WAIT)
    answer = add(client, ticket, files=a_file())
    ticket = tickets()[0]
    message = ticket.messages[-1]
    assert (answer.status_code, answer.location) == (303, f"{status_path(ticket)}?added={message.id}")
    assert (message.kind, message.body_text) == (MessageKind.READER, "One more thing.")
    assert (message.from_address, message.from_name, message.reader) == (RUTH, "Ruth Reed", ticket.reader)
    assert [file.name for file in message.attachments] == ["plaque.png"]
    assert ticket.status is Status.OPEN
    assert event_kinds(ticket)[-1] == "followed_up"
    assert len(outbox()) == 2
    assert ADDED in client.get(answer.location).text


def test_notice_shows_only_for_a_message_of_this_ticket(client: FlaskClient, cast: Cast) -> None:
    link = status_path(make_ticket(cast))
    pages = [client.get(link + query).text for query in ("", "?added=999", "?added=x", "?added=" + "9" * 50)]
    assert [ADDED in page for page in pages] == [False] * 4


def test_anonymous_reader_can_add_a_message(client: FlaskClient, cast: Cast) -> None:
    ticket = make_ticket(cast, address="", name="")
    assert add(client, ticket).status_code == 303
    assert tickets()[0].messages[-1].author == "Anonymous"


def test_adding_twice_adds_one_message(client: FlaskClient, cast: Cast) -> None:
    ticket, token = make_ticket(cast), a_token()
    locations = {add(client, ticket, token=token).location for _ in range(2)}
    assert len(locations) == 1
    assert tickets()[0].message_count == 2


def test_same_words_and_key_for_two_tickets_reach_both(client: FlaskClient, cast: Cast) -> None:
    token = a_token()
    for ticket in (make_ticket(cast), make_ticket(cast, body="Another thing.")):
        add(client, ticket, token=token)
    assert [ticket.message_count for ticket in tickets()] == [2, 2]


def test_message_to_a_ticket_closed_long_ago_opens_a_new_one(client: FlaskClient, cast: Cast) -> None:
    ticket = make_ticket(cast)
    ticket.close(Resolution.ANSWERED, by=cast.ann, now=clock.now() - timedelta(days=31))
    db.session.commit()
    answer = add(client, ticket)
    old, new = tickets()
    assert (old.status, new.status, new.continues) == (Status.CLOSED, Status.NEW, old)
    assert answer.location == f"{status_path(new)}?added={new.messages[0].id}"


def test_spam_stays_spam_when_more_is_added(client: FlaskClient, cast: Cast) -> None:
    ticket = make_ticket(cast, spam_reason="advertising")
    assert add(client, ticket).status_code == 303
    assert (tickets()[0].status, tickets()[0].resolution) == (Status.CLOSED, Resolution.SPAM)


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        ("", "Write your message"),
        ("a" * 20_001, "Your message is 20,001 characters long. Shorten it to 20,000 characters or fewer."),
    ],
)
def test_mistake_brings_the_page_back_filled(client: FlaskClient, cast: Cast, message: str, sentence: str) -> None:
    ticket = make_ticket(cast)
    answer = add(client, ticket, message=message, files=a_file())
    assert (answer.status_code, summary(answer)) == (422, [("message", sentence)])
    assert value_of(answer, "message") == message
    assert f"<title>Error: Your message #{ticket.number} " in answer.text
    assert add(client, ticket, token=value_of(answer, "token"), kept="1").status_code == 303
    assert [file.name for file in tickets()[0].messages[-1].attachments] == ["plaque.png"]


def test_file_that_cannot_be_taken_is_named(client: FlaskClient, cast: Cast) -> None:
    answer = add(client, make_ticket(cast), files=a_file("empty.pdf", b""))
    assert summary(answer) == [("files", "“empty.pdf” is empty. Choose another file.")]


def test_expired_page_of_a_ticket_comes_back_filled(client: FlaskClient, cast: Cast) -> None:
    answer = add(client, make_ticket(cast), token=a_token(age=90_000))
    assert (answer.status_code, value_of(answer, "message")) == (422, "One more thing.")
    assert "This page had been open for a long time. Nothing is lost: press Send again." in answer.text


def test_class_53_message_from_elsewhere_is_not_added(client: FlaskClient, cast: Cast) -> None:
    ticket = make_ticket(cast)
    path, form = status_path(ticket) + "/message", {"token": a_token(), "message": "One more thing."}
    foreign = [{"Origin": "https://evil.example"}, {"Origin": "null", "Sec-Fetch-Site": "cross-site"}]
    assert [client.post(path, data=form, headers=headers).status_code for headers in foreign] == [422, 422]
    assert tickets()[0].message_count == 1
    assert client.post(path, data=form, headers={"Origin": "null"}).status_code == 303


def test_address_of_a_refused_message_leads_back_to_the_ticket(client: FlaskClient, cast: Cast) -> None:
    ticket = make_ticket(cast)
    answer = client.get(status_path(ticket) + "/message")
    assert (answer.status_code, answer.location) == (303, status_path(ticket))


def test_class_26_opening_a_link_changes_nothing(client: FlaskClient, cast: Cast) -> None:
    ticket = make_ticket(cast)
    before = (event_kinds(ticket), ticket.status, ticket.message_count)
    for path in ("", "/thanks", "/message"):
        for _ in range(5):
            client.get(status_path(ticket) + path)
            client.head(status_path(ticket) + path)
    ticket = tickets()[0]
    assert (event_kinds(ticket), ticket.status, ticket.message_count) == before


def test_class_52_wrong_tokens_get_one_and_the_same_answer(client: FlaskClient, cast: Cast) -> None:
    ticket = make_ticket(cast)
    old = status_path(ticket)
    ticket.link_version = 2
    db.session.commit()
    reply_token = reply_address(ticket).partition("+")[2].partition("@")[0]
    foreign = keyring().issue(Kind.STATUS_LINK, (999).to_bytes(5) + (1).to_bytes(2))
    empty = keyring().issue(Kind.STATUS_LINK, b"")
    tokens = [old.rpartition("/")[2], reply_token, a_token(), foreign, empty, "x", "null", "0", "%20", "a" * 500]
    for path in ("", "/thanks", "/message", "/files/1/a.txt"):
        answers = [client.get(f"/ticket/{token}{path}") for token in tokens]
        for answer in answers:
            answer.headers.pop("X-Request-Id")
        assert {answer.status_code for answer in answers} == {404}
        assert len({answer.data for answer in answers}) == 1
        assert len({str(answer.headers) for answer in answers}) == 1
    assert {client.post(f"/ticket/{token}/message").status_code for token in tokens} == {404}
    assert client.get(status_path(ticket)).status_code == 200


def test_class_52_each_changed_letter_of_a_link_is_refused(client: FlaskClient, cast: Cast) -> None:
    link = status_path(make_ticket(cast))
    for place in range(len("/ticket/"), len(link)):
        other = "a" if link[place] != "a" else "b"
        assert client.get(link[:place] + other + link[place + 1 :]).status_code == 404


def test_ticket_pages_stay_out_of_search_engines_referers_and_caches(client: FlaskClient, cast: Cast) -> None:
    ticket = make_ticket(cast, letter=follow_up_letter(files=(store("a.png", PNG),)))
    link = status_path(ticket)
    paths = [link, f"{link}/thanks", f"{link}/files/{files()[0].id}/a.png", "/ticket/x"]
    for path in paths:
        answer = client.get(path)
        wanted = {"X-Robots-Tag": "noindex", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}
        assert {name: answer.headers.get(name) for name in wanted} == wanted
    assert client.get("/contact").headers["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize(
    ("name", "content", "media_type"),
    [
        ("plaque.png", PNG, "image/png"),
        ("notes.txt", b"some notes", "application/octet-stream"),
        ("page.html", b"<!doctype html><script>alert(1)</script>", "application/octet-stream"),
        ("picture.svg", b'<svg xmlns="http://www.w3.org/2000/svg" onload="x()"/>', "application/octet-stream"),
        ("noname", b"\0\1\2", "application/octet-stream"),
    ],
)
def test_class_3_4_6_files_are_downloads_and_nothing_else(
    client: FlaskClient, cast: Cast, name: str, content: bytes, media_type: str
) -> None:
    ticket = make_ticket(cast, letter=follow_up_letter(files=(store(name, content),)))
    answer = client.get(f"{status_path(ticket)}/files/{files()[0].id}/{name}")
    assert (answer.status_code, answer.data, answer.mimetype) == (200, content, media_type)
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox; frame-ancestors 'none'"


def test_class_5_file_name_is_text_in_the_page_and_encoded_in_the_header(client: FlaskClient) -> None:
    answer = send(client, files=a_file("<img src=x onerror=alert(1)> “ü”.png"))
    page = client.get(answer.location).text
    assert "<img" not in page
    assert "&lt;img src=x onerror=alert(1)&gt; “ü”.png</bdi>" in page
    link = re.search(r'href="(/ticket/\w+/files/[^"]+)"', page)
    assert link is not None
    download = client.get(html.unescape(link.group(1)))
    assert download.status_code == 200
    disposition = download.headers["Content-Disposition"]
    assert disposition.isascii()
    assert "filename*=UTF-8''%3Cimg%20src%3Dx%20onerror%3Dalert%281%29%3E%20%E2%80%9C%C3%BC%E2%80%9D.png" in disposition


def test_class_49_files_of_other_tickets_and_of_notes_are_not_there(client: FlaskClient, cast: Cast) -> None:
    other = make_ticket(cast, letter=follow_up_letter(files=(store("other.png", PNG),)))
    ticket = make_ticket(cast, body="Another thing.")
    add_note(ticket, body="A note.", by=cast.ann, files=(store("note.txt", b"CANARY"),))
    send(client, message="", files=a_file("kept.png"))
    assert other.messages[0].attachments[0].name == "other.png"
    ids = [file.id for file in files()]
    answers = [client.get(f"{status_path(ticket)}/files/{number}/x") for number in [*ids, 0, 999, 2**31, 2**70]]
    assert [answer.status_code for answer in answers] == [404] * 7


def test_file_that_is_gone_ends_as_a_page_with_a_sentence(client: FlaskClient, cast: Cast) -> None:
    ticket = make_ticket(cast, letter=follow_up_letter(files=(store("a.png", PNG),)))
    bytes_on_disk.delete(files()[0].storage_key)
    answer = client.get(f"{status_path(ticket)}/files/{files()[0].id}/a.png")
    assert answer.status_code == 404
    assert "This file is no longer kept." in answer.text


def test_class_55_foreign_host_gets_no_link(app: Flask, client: FlaskClient) -> None:
    answer = client.post("/contact", data=filled(), headers={"Host": "evil.example"})
    assert (answer.status_code, tickets(), outbox()) == (400, [], [])
    send(client, headers={"X-Forwarded-Host": "evil.example"})
    assert "http://localhost/ticket/" in text_of(outbox()[0])
    assert "evil" not in text_of(outbox()[0])


def test_a_picture_in_a_reply_is_shown_in_its_place_and_loads(client: FlaskClient, cast: Cast) -> None:
    ticket = make_ticket(cast)
    body = 'Look: ![the "plaque"](the plaque.png) ![](https://elsewhere.example/p.gif) ![](words.txt)'
    reply(ticket, body=body, by=cast.ann, files=(store("the plaque.png", PNG), store("words.txt", b"words")))
    pictures = re.findall(r"<img [^>]+>", client.get(status_path(ticket)).text)
    assert len(pictures) == 1
    found = re.fullmatch(r'<img class="picture" loading="lazy" src="([^"]+)" alt="the &#34;plaque&#34;">', pictures[0])
    assert found is not None, pictures
    answer = client.get(html.unescape(found[1]))
    assert (answer.status_code, answer.mimetype, answer.data) == (200, "image/png", PNG)


def test_class_1_what_a_reader_writes_shows_no_picture(client: FlaskClient, cast: Cast) -> None:
    ticket = make_ticket(cast, letter=follow_up_letter("![x](plaque.png)", files=(store("plaque.png", PNG),)))
    assert "<img" not in client.get(status_path(ticket)).text
