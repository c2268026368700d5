"""Everything a reader can get wrong: a sentence at the field, all that was typed still there, and nothing stored."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from helpdesk import files as bytes_on_disk
from helpdesk.contact.forms import MOST_MESSAGE
from helpdesk.tickets import uploads
from tests.cast import RUTH
from tests.contact.posting import (
    PNG,
    WORDS,
    a_file,
    a_token,
    files,
    filled,
    send,
    summary,
    tickets,
    value_of,
)  # fmt: skip
from tests.factories import outbox

NO_ADDRESS = "Enter an email address like name@example.org"
EXPIRED = "This page had been open for a long time. Nothing is lost: press Send again."
LONG_OPEN = 24 * 60 * 60 + 60


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"topic": ""}, [("topic-1", "Choose what your message is about")]),
        ({"topic": None}, [("topic-1", "Choose what your message is about")]),
        ({"topic": "gossip"}, [("topic-1", "Choose what your message is about")]),
        ({"topic": "mistake\0"}, [("topic-1", "Choose what your message is about")]),
        ({"message": ""}, [("message", "Write your message")]),
        ({"message": " \r\n\t "}, [("message", "Write your message")]),
        ({"message": None}, [("message", "Write your message")]),
        ({"message": "\0\x1b\x07"}, [("message", "Write your message")]),
        (
            {"message": "a" * 20_001},
            [("message", "Your message is 20,001 characters long. Shorten it to 20,000 characters or fewer.")],
        ),
        (
            {"suggestion": "a" * 5_001},
            [("suggestion", "How it should read is 5,001 characters long. Shorten it to 5,000 characters or fewer.")],
        ),
        (
            {"name": "a" * 101},
            [("name", "Your name is 101 characters long. Shorten it to 100 characters or fewer.")],
        ),
        (
            {"name": "Ruth\x00Reed"},
            [("name", "Your name has characters that cannot be shown. Type it again, on one line.")],
        ),
        (
            {"name": "Ruth \u202edeeR"},
            [("name", "Your name has characters that cannot be shown. Type it again, on one line.")],
        ),
        ({"email": ""}, [("email", "Enter your email address, or choose that you want no answer")]),
        ({"email": None}, [("email", "Enter your email address, or choose that you want no answer")]),
        ({"email": "ruth"}, [("email", NO_ADDRESS)]),
        ({"email": "ruth@localhost"}, [("email", NO_ADDRESS)]),
        ({"email": f"{'a' * 64}@{'b' * 60}.{'c' * 60}.{'d' * 60}.{'e' * 60}.org"}, [("email", NO_ADDRESS)]),
        ({"email": "no address", "answer": "no"}, [("email", NO_ADDRESS)]),
        ({"answer": ""}, [("answer-yes", "Choose whether you want an answer")]),
        ({"answer": "maybe", "email": ""}, [("answer-yes", "Choose whether you want an answer")]),
    ],
)
def test_each_mistake_has_a_clear_sentence(
    client: FlaskClient, changes: dict[str, str], expected: list[tuple[str, str]]
) -> None:
    answer = send(client, **changes)
    assert (answer.status_code, summary(answer)) == (422, expected)
    assert (tickets(), outbox()) == ([], [])


@pytest.mark.parametrize("value", ["a\r\nBcc: eve@example.org", "a\nb", "a\rb", "a\0b", "a\x85b", "a\u2028b"])
def test_class_31_line_breaks_in_name_and_address_are_refused(client: FlaskClient, value: str) -> None:
    answer = send(client, name=value, email=f"{value}@example.org")
    sentence = "Your name has characters that cannot be shown. Type it again, on one line."
    assert summary(answer) == [("email", NO_ADDRESS), ("name", sentence)]
    assert (tickets(), outbox()) == ([], [])


@pytest.mark.parametrize(
    "address",
    ["a@example.org,b@example.org", "a@example.org;b@example.org", "a@example.org b@example.org",
     "friends:a@example.org,b@example.org;", "Ruth <a@example.org>", "a@example.org\nb@example.org"],
)  # fmt: skip
def test_class_32_one_address_is_one_address(client: FlaskClient, address: str) -> None:
    assert summary(send(client, email=address)) == [("email", NO_ADDRESS)]
    assert outbox() == []


def test_class_32_a_list_of_addresses_is_no_address(client: FlaskClient) -> None:
    answer = send(client, email=None, **{"email[]": "a@example.org"})
    assert summary(answer) == [("email", "Enter your email address, or choose that you want no answer")]


def test_class_32_of_repeated_addresses_only_one_gets_mail(client: FlaskClient) -> None:
    send(client, email=[RUTH, "eve@example.com"])
    assert [[row.address for row in mail.recipients] for mail in outbox()] == [[RUTH]]


def test_control_characters_are_dropped_from_the_message(client: FlaskClient) -> None:
    send(client, message="One\x00 \x1b[31mred\x1b[0m\r\n\tTwo\x07\rThree\x85")
    assert tickets()[0].messages[0].body_text == "One [31mred[0m\n\tTwo\nThree"


def test_line_breaks_count_as_one_character(client: FlaskClient) -> None:
    assert send(client, message="a\r\n" * (MOST_MESSAGE // 2 - 1) + "ab").status_code == 303


def test_a_file_in_place_of_a_text_is_no_text(client: FlaskClient) -> None:
    answer = send(client, message=a_file(), name=a_file(), topic=a_file(), token=a_file())
    assert [field for field, _ in summary(answer)] == ["topic-1", "message"]
    assert tickets() == []


def test_a_text_in_place_of_a_file_is_no_file(client: FlaskClient) -> None:
    assert send(client, files="plaque.png").status_code == 303
    assert files() == []


def test_a_body_that_is_no_form_is_an_empty_form(client: FlaskClient) -> None:
    answer = client.post("/contact", json=filled())
    assert answer.status_code == 422
    assert [field for field, _ in summary(answer)] == ["topic-1", "message", "email"]


def test_error_page_says_so_in_title_summary_and_field(client: FlaskClient) -> None:
    page = send(client, email="ruth").text
    assert "<title>Error: Contact The Tidewater Post</title>" in page
    assert '<h2 id="problem-title">There is a problem</h2>' in page
    assert f'<p class="wrong" id="email-wrong">{NO_ADDRESS}</p>' in page
    field = re.search(r'<input[^>]*id="email"[^>]*>', page)
    assert field is not None
    assert 'aria-invalid="true" aria-describedby="email-hint email-wrong"' in field.group()


def test_everything_typed_is_kept(client: FlaskClient) -> None:
    typed = {"message": "  Two\n\n<lines> & more", "suggestion": "opened", "name": "Ruth “R” Reed", "email": "ruth@"}
    answer = send(client, topic="tip", answer="no", **typed)
    kept = {name: value_of(answer, name) for name in typed}
    assert kept == typed | {"message": "Two\n\n<lines> & more"}
    assert re.findall(r'name="topic"[^>]*value="(\w+)"[^>]* checked', answer.text) == ["tip"]
    assert re.findall(r'name="answer"[^>]*value="(\w+)" checked', answer.text) == ["no"]
    assert value_of(answer, "url") == "https://blog.example.org/2026/harbour-bridge/"


def test_corrected_page_may_be_about_the_whole_site(client: FlaskClient) -> None:
    again = send(client, message="")
    assert 'name="whole"' in again.text
    send(client, whole="1", token=value_of(again, "token"))
    assert tickets()[0].article is None


def test_files_are_kept_while_the_form_is_corrected(client: FlaskClient) -> None:
    again = send(client, message="", files=[a_file(), a_file("notes.txt", b"some notes")])
    assert [file.message_id for file in files()] == [None, None]
    assert "<bdi>plaque.png</bdi> <small>72 bytes, kept for you</small>" in again.text
    assert value_of(again, "kept") == "1"
    answer = send(client, token=value_of(again, "token"), kept="1", files=a_file("more.txt", b"more"))
    assert answer.status_code == 303
    names = [file.name for file in tickets()[0].messages[0].attachments]
    assert sorted(names) == ["more.txt", "notes.txt", "plaque.png"]
    assert [file.upload_token for file in files()] == [None, None, None]


def test_kept_file_can_be_removed(client: FlaskClient) -> None:
    again = send(client, message="", files=[a_file(), a_file("notes.txt", b"some notes")])
    plaque = files()[0]
    send(client, token=value_of(again, "token"), kept="1", remove=str(plaque.id))
    assert [file.name for file in tickets()[0].messages[0].attachments] == ["notes.txt"]


def test_file_kept_for_somebody_else_can_not_be_removed(client: FlaskClient) -> None:
    send(client, message="", files=a_file())
    send(client, kept="1", remove=str(files()[0].id))
    assert [(file.name, file.message_id) for file in files()] == [("plaque.png", None)]
    assert tickets()[0].messages[0].attachments == []


def test_kept_and_new_files_together_stay_below_the_limit(client: FlaskClient) -> None:
    three = [a_file(f"{number}.txt", b"text") for number in range(3)]
    again = send(client, message="", files=three)
    three = [a_file(f"{number}.txt", b"text") for number in range(3, 6)]
    answer = send(client, token=value_of(again, "token"), kept="1", files=three)
    assert summary(answer) == [("files", "Send at most 5 files. Remove some.")]
    assert [file.name for file in files()] == ["0.txt", "1.txt", "2.txt", "3.txt", "4.txt"]
    assert tickets() == []


def test_six_files_are_one_too_many(client: FlaskClient) -> None:
    answer = send(client, files=[a_file(f"{number}.txt", b"text") for number in range(6)])
    assert summary(answer) == [("files", "Send at most 5 files. Remove some.")]


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("empty.pdf", b"", "“empty.pdf” is empty. Choose another file."),
        ("huge.txt", b"a" * 1_048_577, "“huge.txt” is larger than 1 MB. Choose a smaller file."),
        (
            "plaque.png",
            b"%PDF-1.7 text",
            "“plaque.png” is not the kind of file its name says. Save it again, or choose another file.",
        ),
        ("tool.exe", b"MZ" + bytes(200), "“tool.exe” is a program. Send a picture, a document or a text."),
    ],
)
def test_file_that_cannot_be_taken_is_named_and_the_others_are_kept(
    app: Flask, client: FlaskClient, name: str, content: bytes, sentence: str
) -> None:
    app.extensions["settings"].max_file_bytes = 1024 * 1024
    answer = send(client, files=[a_file(name, content), a_file("good.png")])
    assert summary(answer) == [("files", sentence)]
    assert [file.name for file in files()] == ["good.png"]
    assert tickets() == []


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd.txt", "passwd.txt"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("/etc/shadow", "shadow"),
        ("\u200b.htaccess", "htaccess"),
        ("exe.\u202efdp.txt", "exe.fdp.txt"),
        ("...", "attachment.txt"),
        ("a" * 4096 + ".txt", "a" * 196 + ".txt"),
    ],
)
def test_class_35_and_36_names_lead_nowhere(app: Flask, client: FlaskClient, name: str, safe: str) -> None:
    send(client, files=a_file(name, b"some text"))
    file = files()[0]
    assert file.name == safe
    assert re.fullmatch("[0-9a-f]{32}", file.storage_key)
    assert bytes_on_disk.get(file.storage_key) == b"some text"


def test_class_63_kept_files_have_a_limit_and_leave_nothing_behind(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "MOST_KEPT_BYTES", len(PNG))
    send(client, message="", files=a_file())
    answer = send(client, message="", files=a_file("second.png"))
    assert ("files", "Your files could not be kept. Choose them again.") in summary(answer)
    assert [file.name for file in files()] == ["plaque.png"]
    assert bytes_on_disk.keys_older_than(float("inf")) == [files()[0].storage_key]


@pytest.mark.parametrize("token", ["", "x", "0" * 400, None, "é", "a b c"])
def test_invalid_token_brings_the_filled_page_back(client: FlaskClient, token: str | None) -> None:
    answer = send(client, token=token, files=a_file())
    assert (answer.status_code, tickets()) == (422, [])
    assert EXPIRED in answer.text
    assert value_of(answer, "message") == WORDS
    assert send(client, token=value_of(answer, "token"), kept="1").status_code == 303
    assert [file.name for file in tickets()[0].messages[0].attachments] == ["plaque.png"]


def test_token_with_one_changed_letter_is_invalid(client: FlaskClient) -> None:
    token = a_token()
    changed = token[:20] + ("a" if token[20] != "a" else "b") + token[21:]
    assert EXPIRED in send(client, token=changed).text
    assert tickets() == []


def test_expired_page_comes_back_filled_and_sends_at_once(client: FlaskClient) -> None:
    answer = send(client, token=a_token(age=LONG_OPEN))
    assert (answer.status_code, summary(answer), tickets()) == (422, [], [])
    assert f"<p>{EXPIRED}</p>" in answer.text
    assert value_of(answer, "message") == WORDS
    assert send(client, token=value_of(answer, "token")).status_code == 303
    assert tickets()[0].is_spam is False


def test_expired_page_keeps_its_submission_key(client: FlaskClient) -> None:
    token = a_token(age=LONG_OPEN)
    renewed = [value_of(send(client, token=token), "token") for _ in range(2)]
    locations = [send(client, token=token).location for token in renewed]
    assert locations[0] == locations[1]
    assert len(tickets()) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost.evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://localhost", "Sec-Fetch-Site": "cross-site"},
    ],
)
def test_class_53_post_from_elsewhere_asks_for_one_more_press(client: FlaskClient, headers: dict[str, str]) -> None:
    answer = send(client, headers=headers, files=a_file())
    assert (answer.status_code, tickets(), files(), outbox()) == (422, [], [], [])
    assert "This was sent from a page of another site. Look it over and press Send once more." in answer.text
    assert summary(answer) == [("files", "Your files could not be kept. Choose them again.")]
    assert value_of(answer, "message") == WORDS
    own = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}
    assert send(client, token=value_of(answer, "token"), headers=own).status_code == 303


def test_body_beyond_all_limits_ends_as_a_page_with_a_sentence(app: Flask, client: FlaskClient) -> None:
    app.config["MAX_CONTENT_LENGTH"] = 10_000
    answer = send(client, files=a_file(content=bytes(20_000)))
    assert answer.status_code == 413
    assert "That was too much at once. Send fewer or smaller files." in answer.text
    assert "<h1>" in answer.text


def test_text_beyond_all_limits_ends_as_a_page_with_a_sentence(client: FlaskClient) -> None:
    answer = send(client, message="a" * 2_000_000, files=a_file())
    assert answer.status_code == 413
    assert tickets() == []


def test_class_48_no_page_shows_the_inside_of_the_program(client: FlaskClient) -> None:
    answers = [
        client.get("/nothing/here?<script>"),
        client.post("/ticket/x/thanks"),
        client.get("/ticket/%00"),
        client.get("/s/%F0%9F/contact"),
        client.post("/contact", data=b"\xff\xfe", content_type="multipart/form-data; boundary=x"),
        client.post("/contact", data=b"a=%FF%00&topic[]=1", content_type="application/x-www-form-urlencoded"),
    ]
    assert [answer.status_code for answer in answers] == [404, 405, 404, 404, 422, 422]
    leaks = [re.findall(r"Traceback|/work|sqlalchemy|werkzeug|&lt;script", answer.text) for answer in answers]
    assert leaks == [[]] * 6
