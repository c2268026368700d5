"""What one sender, one network and all readers may send in an hour: filed as spam, or kept and asked to wait."""

import re
import shutil
import threading
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from helpdesk import clock, create_app
from helpdesk import files as bytes_on_disk
from helpdesk.config import Settings
from helpdesk.database import db
from helpdesk.jobs import sweep
from helpdesk.rate_limit import RateCount
from helpdesk.tickets import intake, quota
from helpdesk.tickets.events import EventKind
from helpdesk.tickets.links import status_path
from helpdesk.tickets.models import Resolution, Then, Ticket
from helpdesk.tickets.quota import TOO_MANY_FILES
from helpdesk.tickets.replying import reply
from helpdesk.uploads import NO_STORE
from tests.cast import Cast
from tests.contact.posting import PNG, WORDS, a_file, a_token, files, filled, post, summary, tickets, value_of
from tests.factories import make_ticket, outbox

FORWARDING = ("X-Forwarded-For", "X-Real-IP", "Forwarded", "CF-Connecting-IP", "True-Client-IP", "X-Client-IP")


def send_from(client: FlaskClient, address: str, **changes: Any) -> Any:
    """Press Send on another machine."""
    form = filled(**({"email": "", "answer": "no"} | changes))
    return post(client, "/contact", form, environ_base={"REMOTE_ADDR": address})


def add_from(client: FlaskClient, ticket: Ticket, address: str = "192.0.2.1", **changes: Any) -> Any:
    """Press Send on the status page, on another machine."""
    form = {"token": a_token(), "message": "One more thing."} | changes
    return post(client, status_path(ticket) + "/message", form, environ_base={"REMOTE_ADDR": address})


def reasons() -> Counter[str | None]:
    """How many tickets were filed as spam, by reason."""
    marked = [[event for event in ticket.events if event.kind is EventKind.MARKED_SPAM] for ticket in tickets()]
    return Counter(events[0].data["reason"] if events else None for events in marked)


def counts() -> dict[str, int]:
    """What is counted against each limit, whoever it was."""
    db.session.rollback()
    found: Counter[str] = Counter()
    for row in db.session.scalars(select(RateCount)):
        found[row.key.partition(":")[0]] += row.count
    return +found


def test_one_network_of_many_addresses_has_a_limit(client: FlaskClient) -> None:
    for number in range(32):
        send_from(client, f"192.0.2.{number}", message=f"Message {number}")
    assert reasons() == {None: 30, "too many messages from one network": 2}


@pytest.mark.parametrize(
    ("address", "reason"),
    [("2001:db8:1:2::{:x}", "one address"), ("2001:db8:1:{:x}::1", "one network"), ("::ffff:192.0.2.{}", "one network"),
     ("fe80::1%eth{}", "one address"), ("nonsense {}", "one address")],
)  # fmt: skip
def test_spellings_and_ranges_earn_no_second_limit(client: FlaskClient, address: str, reason: str) -> None:
    for number in range(1, 32):
        send_from(client, address.format(number), message=f"Message {number}")
    most = {"one address": intake.PER_ADDRESS, "one network": intake.PER_NETWORK}[reason]
    assert reasons() == {None: most, f"too many messages from {reason}": 31 - most}


def test_all_readers_together_have_a_limit(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "FOR_ALL", 12)
    for number in range(15):
        send_from(client, f"192.{number}.2.1", message=f"Message {number}")
    assert reasons() == {None: 12, "too many messages from all readers": 3}


def test_one_machine_that_floods_uses_up_nobody_elses_limit(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "FOR_ALL", 12)
    for number in range(40):
        send_from(client, "192.0.2.1", message=f"Message {number}")
    send_from(client, "192.0.2.2", message="From the house next door.")
    assert reasons() == {None: intake.PER_ADDRESS + 1, "too many messages from one address": 35}
    assert counts()["all readers"] == intake.PER_ADDRESS + 1


def test_what_is_spam_anyway_uses_up_no_limit(client: FlaskClient) -> None:
    for number in range(8):
        send_from(client, "192.0.2.1", message=f"Message {number}", website="https://example.com")
    send_from(client, "192.0.2.1")
    assert (reasons()[None], counts()) == (1, {"one address": 1, "one network": 1, "all readers": 1})


def test_a_form_with_a_mistake_costs_nothing(client: FlaskClient) -> None:
    mistakes = ({"message": ""}, {"email": "ruth at example", "answer": "yes"}, {"topic": "none"}, {"token": "old"})
    for number in range(40):
        assert send_from(client, "192.0.2.1", **mistakes[number % 4]).status_code == 422
    assert counts() == {}
    for number in range(intake.PER_ADDRESS):
        send_from(client, "192.0.2.1", message=f"Message {number}")
    assert reasons() == {None: intake.PER_ADDRESS}


def test_over_the_limit_the_reader_sees_the_same_thanks(client: FlaskClient) -> None:
    pages = [client.get(send_from(client, "192.0.2.1", message="Hello.").location).text for _ in range(6)]
    for mark in (r"/ticket/\w+", r"#\d+", r"message-\d+", r"<time.*?</time>"):
        pages = [re.sub(mark, "", page) for page in pages]
    assert (len(set(pages)), tickets()[-1].resolution) == (1, Resolution.SPAM)


def test_limits_survive_a_restart(client: FlaskClient, settings: Settings) -> None:
    for number in range(5):
        send_from(client, "192.0.2.1", message=f"Message {number}")
    db.session.remove()
    send_from(create_app(settings).test_client(), "192.0.2.1", message="After the restart.")
    assert reasons() == {None: 5, "too many messages from one address": 1}


def test_class_27_many_networks_that_name_one_victim_send_one_receipt(client: FlaskClient) -> None:
    spellings = ("victim@example.com", "Victim@EXAMPLE.com", "vic.tim@example.com", "victim+{}@example.com")
    for number in range(200):
        victim = spellings[number % 4].format(number)
        send_from(client, f"10.{number}.7.1", email=victim, answer="yes", message=f"Cheap pills {number}")
    assert len(outbox()) == 1
    assert reasons() == {None: intake.PER_MAIL_ADDRESS, "too many messages from one mail address": 180}


def test_class_27_receipts_to_many_victims_have_a_limit_too(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("helpdesk.tickets.operations.MOST_RECEIPTS_PER_HOUR", 7)
    for number in range(12):
        send_from(client, f"10.{number}.7.1", email=f"victim{number}@example.com", answer="yes", message=f"{number}")
    assert (len(outbox()), reasons()) == (7, {None: 12})


def test_posts_at_once_are_counted_exactly_and_a_double_press_once(app: Flask, cast: Cast) -> None:
    double = filled(email="", answer="no")
    forms = [[double, filled(email="", answer="no", message=f"Message {number}")] for number in range(8)]
    assert press_at_once(app, forms) == [303] * 16
    assert reasons() == {None: 5, "too many messages from one address": 4}
    assert counts() == {"one address": 9, "one network": 5, "all readers": 5}


def test_no_table_and_no_file_keeps_a_remote_address(app: Flask, client: FlaskClient, cast: Cast) -> None:
    send_from(client, "198.51.100.23", files=a_file())
    send_from(client, "198.51.100.23", message="", files=a_file())
    add_from(client, tickets()[0], "198.51.100.23", files=a_file())
    sign_in = client.get("/desk/sign-in").text
    token = re.findall(r'name="csrf_token"[^>]*value="([^"]+)"', sign_in)[0]
    for path in ("/desk/sign-in", "/desk/password/forgotten"):
        form = {"email": cast.ann.email, "password": "wrong", "csrf_token": token}
        client.post(path, data=form, environ_base={"REMOTE_ADDR": "198.51.100.23"})
    rows = [str(row) for table in db.metadata.sorted_tables for row in db.session.execute(select(table))]
    stored = "\n".join(rows) + "".join(
        path.read_bytes().decode("latin-1") for path in Path(app.extensions["settings"].data_dir).rglob("*.sqlite3*")
    )
    assert (len(rows) > 20, "198.51.100" in stored) == (True, False)


def test_a_ticket_takes_so_many_messages_an_hour_and_then_keeps_what_was_typed(
    client: FlaskClient, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "ADDED_PER_TICKET", 2)
    ticket = make_ticket(cast)
    reply(ticket, body="Which plaque?", by=cast.ann, then=Then.WAIT)
    for number in range(2):
        assert add_from(client, ticket, f"192.{number}.2.1", message=f"Message {number}").status_code == 303
    refused = add_from(client, ticket, "192.7.2.1", message="Message 3", files=a_file())
    assert (refused.status_code, value_of(refused, "message")) == (429, "Message 3")
    assert refused.headers["Retry-After"] == "600"
    assert (intake.LATER in refused.text, "<bdi>plaque.png</bdi>" in refused.text) == (True, True)
    assert len(tickets()[0].messages) == 4
    later = clock.now() + timedelta(minutes=71)
    monkeypatch.setattr(clock, "now", lambda: later)
    again = {"token": value_of(refused, "token"), "kept": "1", "message": "Message 3"}
    assert add_from(client, ticket, "192.7.2.1", **again).status_code == 303
    last = tickets()[0].messages[-1]
    assert (last.body_text, [file.name for file in last.attachments]) == ("Message 3", ["plaque.png"])


@pytest.mark.parametrize(("name", "address"), [("ADDED_PER_ADDRESS", "192.0.2.1"), ("ADDED_PER_NETWORK", "192.0.2.{}")])
def test_messages_added_to_many_tickets_have_limits_too(
    client: FlaskClient, cast: Cast, monkeypatch: pytest.MonkeyPatch, name: str, address: str
) -> None:
    monkeypatch.setattr(intake, name, 3)
    two = [make_ticket(cast), make_ticket(cast, body="Another thing.")]
    statuses = [add_from(client, two[n % 2], address.format(n), message=f"{n}").status_code for n in range(5)]
    assert statuses == [303] * 3 + [429] * 2
    assert add_from(client, two[0], "198.51.100.1", message="From elsewhere").status_code == 303


def test_a_message_added_twice_is_counted_once(client: FlaskClient, cast: Cast) -> None:
    ticket, token = make_ticket(cast), a_token()
    assert [add_from(client, ticket, token=token).status_code for _ in range(5)] == [303] * 5
    assert add_from(client, ticket, message="").status_code == 422
    assert (len(tickets()[0].messages), counts()["added to one ticket"]) == (2, 1)


def test_class_63_files_of_one_address_have_a_limit_and_the_text_is_taken_without_them(
    app: Flask, client: FlaskClient
) -> None:
    app.extensions["settings"].max_files = 2
    answers = [
        send_from(client, "192.0.2.1", message="", files=[a_file(f"{n}.png"), a_file(f"{n}b.png")]) for n in range(40)
    ]
    assert [("files", TOO_MANY_FILES) in summary(answer) for answer in answers] == [False] * 5 + [True] * 35
    assert (len(files()), len(bytes_on_disk.keys_older_than(float("inf")))) == (10, 10)
    assert counts() == {f"{what} from {who}": 10 for what in ("files", "kilobytes")
                        for who in ("one address", "one network", "all readers")}  # fmt: skip
    refused = send_from(client, "192.0.2.1", files=a_file())
    assert (refused.status_code, value_of(refused, "message"), tickets()) == (422, WORDS, [])
    assert send_from(client, "192.0.2.1", token=value_of(refused, "token")).status_code == 303
    assert ([file.upload_token is None for file in files()], len(tickets())) == ([False] * 10, 1)


@pytest.mark.parametrize(("name", "addresses"), [("FORMS_PER_NETWORK", "192.0.2.{}"), ("FORMS_FOR_ALL", "192.{}.2.1")])
def test_class_63_files_of_many_addresses_have_limits_too(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, name: str, addresses: str
) -> None:
    monkeypatch.setattr(quota, name, 1)
    for number in range(8):
        send_from(client, addresses.format(number), message="", files=a_file(f"{number}.png"))
    assert [file.name for file in files()] == [f"{number}.png" for number in range(5)]


def test_class_63_large_files_use_up_the_limit_sooner(app: Flask, client: FlaskClient) -> None:
    app.extensions["settings"].max_file_bytes = 100 * 1024
    big = PNG + bytes(100 * 1024 - len(PNG))
    kept = []
    for number in range(7):
        send_from(client, "192.0.2.1", message="", files=[a_file(f"{number}-{n}.png", big) for n in range(5)])
        kept.append(len(files()))
    assert kept == [5, 10, 15, 20, 25, 25, 25]
    assert counts()["kilobytes from one address"] == 2500


def test_class_63_files_sent_with_a_good_form_count_as_well(app: Flask, client: FlaskClient) -> None:
    app.extensions["settings"].max_files = 1
    answers = [send_from(client, "192.0.2.1", message=f"{n}", files=a_file()).status_code for n in range(8)]
    assert answers == [303] * 5 + [422] * 3
    assert len(bytes_on_disk.keys_older_than(float("inf"))) == len(files()) == 5


def test_class_63_two_that_take_the_last_room_at_once_leave_no_byte_too_many(app: Flask, cast: Cast) -> None:
    app.extensions["settings"].max_files = 1
    nobody = {"email": "", "answer": "no"}
    forms = [[filled(**nobody, message="x" * (n % 2), files=a_file(f"{n}.png"))] for n in range(8)]
    assert set(press_at_once(app, forms)) <= {303, 422}
    assert len(files()) == 5
    assert sorted(file.storage_key for file in files()) == sorted(bytes_on_disk.keys_older_than(float("inf")))


def test_class_63_the_last_of_the_disk_is_not_for_files(app: Flask, client: FlaskClient, cast: Cast) -> None:
    app.extensions["settings"].keep_free_bytes = shutil.disk_usage(app.extensions["settings"].data_dir).total
    refused = send_from(client, "192.0.2.1", files=a_file())
    assert (refused.status_code, ("files", NO_STORE) in summary(refused)) == (422, True)
    assert (value_of(refused, "message"), bytes_on_disk.keys_older_than(float("inf"))) == (WORDS, [])
    assert send_from(client, "192.0.2.1", token=value_of(refused, "token")).status_code == 303
    ticket = tickets()[0]
    added = add_from(client, ticket, files=a_file())
    assert (added.status_code, NO_STORE in added.text, value_of(added, "message")) == (422, True, "One more thing.")


def test_class_63_files_that_nobody_sends_are_swept_after_a_day_and_those_that_were_sent_stay(
    app: Flask, client: FlaskClient
) -> None:
    send_from(client, "192.0.2.1", message="", files=a_file("forgotten.png"))
    send_from(client, "192.0.2.1", files=a_file("sent.png"))
    with clock.at(clock.now() + timedelta(hours=23)):
        sweep()
    assert [file.name for file in files()] == ["forgotten.png", "sent.png"]
    with clock.at(clock.now() + timedelta(hours=25)):
        sweep()
    assert [file.name for file in files()] == ["sent.png"]
    assert bytes_on_disk.keys_older_than(float("inf")) == [files()[0].storage_key]


@pytest.mark.parametrize(("hops", "counted"), [(0, "proxy"), (1, "last"), (2, "last but one")])
def test_class_57_a_thousand_forged_headers_lift_no_limit(settings: Settings, hops: int, counted: str) -> None:
    app = create_app(settings.model_copy(update={"trusted_proxies": hops}))
    client, seen = app.test_client(), Counter()
    app.before_request_funcs.setdefault(None, []).insert(0, lambda: note_remote(seen))
    for number in range(1000):
        forged = f"10.{number % 250}.{number // 250}.9"
        true = {"0": [], "1": ["203.0.113.5"], "2": ["203.0.113.5", "198.51.100.1"]}[str(hops)]
        headers = dict.fromkeys(FORWARDING, forged) | {"Forwarded": f"for={forged}"}
        headers["X-Forwarded-For"] = ", ".join([forged, forged, *true])
        if number % 50 == 0:
            with app.app_context():
                form = filled(message=f"{number}")
            client.post("/contact", data=form, headers=headers)
        else:
            client.get("/nowhere", headers=headers)
    assert seen == {"127.0.0.1" if counted == "proxy" else "203.0.113.5": 1000}
    with app.app_context():
        assert reasons() == {None: 5, "too many messages from one address": 15}
        db.session.remove()


def test_class_57_fewer_hops_than_proxies_are_no_hops(settings: Settings) -> None:
    app, seen = create_app(settings.model_copy(update={"trusted_proxies": 2})), Counter()
    app.before_request_funcs.setdefault(None, []).insert(0, lambda: note_remote(seen))
    for forged in ("10.0.0.1", "", "unknown", "10.0.0.1;10.0.0.2"):
        app.test_client().get("/nowhere", headers={"X-Forwarded-For": forged})
    assert seen == {"127.0.0.1": 4}


@pytest.mark.parametrize("hops", [0, 1, 2])
def test_class_55_no_header_moves_the_desk_to_another_host_port_or_path(settings: Settings, hops: int) -> None:
    client = create_app(settings.model_copy(update={"trusted_proxies": hops})).test_client()
    plain = client.get("/contact")
    forged = {
        "X-Forwarded-Host": "evil.example.com", "X-Forwarded-Port": "8443", "X-Forwarded-Prefix": "/evil",
        "X-Forwarded-Server": "evil.example.com", "X-Original-URL": "/evil", "X-Rewrite-URL": "/evil",
        "X-Forwarded-For": "203.0.113.5, 198.51.100.1", "Forwarded": "host=evil.example.com",
    }  # fmt: skip
    answer = client.get("/contact", headers=forged)
    assert (answer.status_code, "evil" in answer.text, "8443" in answer.text) == (200, False, False)
    assert re.sub(r'value="\w{60,}"', "", answer.text) == re.sub(r'value="\w{60,}"', "", plain.text)
    assert client.get("/", headers=forged).location == "/contact"


def press_at_once(app: Flask, forms: list[list[dict[str, Any]]]) -> list[int]:
    """Send each list of forms from a browser of its own, all of them at the same time; returns the answers' codes."""
    gate, statuses = threading.Barrier(len(forms)), []

    def press(mine: list[dict[str, Any]]) -> None:
        browser = FlaskClient(app, app.response_class)
        gate.wait(30)
        for form in mine:
            answer = post(browser, "/contact", form, environ_base={"REMOTE_ADDR": "192.0.2.1"})
            statuses.append(answer.status_code)

    presses = [threading.Thread(target=press, args=(mine,)) for mine in forms]
    for thread in presses:
        thread.start()
    for thread in presses:
        thread.join(120)
    return statuses


def note_remote(seen: Counter[str]) -> None:
    """Count who the desk believes is asking."""
    from flask import request

    seen[request.remote_addr or ""] += 1
