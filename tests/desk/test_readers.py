"""Readers at the desk: found, described, blocked, known by several addresses, and two that are one."""

import pytest
from sqlalchemy import select

from helpdesk.database import db
from helpdesk.errors import Conflict
from helpdesk.readers.models import Reader
from helpdesk.readers.operations import find_reader
from helpdesk.tickets import reader_list
from helpdesk.tickets.events import EventKind
from helpdesk.tickets.models import Ticket
from helpdesk.tickets.operations import follow_up
from helpdesk.tickets.reader_list import list_readers, reader_history
from helpdesk.tickets.readers import add_address, block_reader, change_reader
from tests.cast import RUTH, Cast
from tests.desk.conftest import Desk, counted
from tests.factories import event_kinds, follow_up_letter, make_ticket


@pytest.fixture
def ruth(ticket: Ticket) -> Reader:
    """Ruth, who has one ticket."""
    assert ticket.reader is not None
    return ticket.reader


def names(desk: Desk, words: str = "") -> list[str]:
    """Whom the page of readers lists."""
    import re

    page = desk.get(f"/desk/readers?words={words}").text
    return re.findall(r'<li><a href="/desk/readers/\d+">([^<]*)</a>', page)


def history(reader: Reader) -> list[str]:
    """What was decided about a reader, the latest first."""
    return [f"{one.actor} {one.sentence}" for one in reader_history(reader)]


def test_readers_are_listed_newest_first_and_found_by_name_and_address(ann: Desk, cast: Cast) -> None:
    make_ticket(cast)
    make_ticket(cast, address="otto@example.net", name="Otto Öhm")
    make_ticket(cast, address="100%@example.net", name="")
    assert names(ann) == ["100%@example.net", "Otto Öhm", "Ruth Reed"]
    assert [names(ann, words) for words in ("reed", "EXAMPLE.NET otto", "0%25", "nobody")] == [
        ["Ruth Reed"], ["Otto Öhm"], ["100%@example.net"], [],
    ]  # fmt: skip
    assert "is called “nobody”" in ann.get("/desk/readers?words=nobody").text


def test_the_list_goes_on_where_the_page_ended(ann: Desk, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader_list, "PAGE", 2)
    for number in range(5):
        make_ticket(cast, address=f"r{number}@example.net", name=f"R{number}")
    first = list_readers(cast.ann)
    assert [one.reader.name for one in first.readers] == ["R4", "R3"]
    assert [one.reader.name for one in list_readers(cast.ann, after=first.next_key).readers] == ["R2", "R1"]
    assert [ann.get(f"/desk/readers?after={odd}").status_code for odd in (2**40, -1, "x")] == [200] * 3
    with counted() as statements:
        assert ann.get("/desk/readers").status_code == 200
    assert len(statements) <= 4


def test_a_reader_of_a_closed_room_is_not_there_for_who_may_not_enter(
    ann: Desk, carla: Desk, eve: Desk, cast: Cast
) -> None:
    hidden = make_ticket(cast, queue=cast.legal, address="source@example.net", name="A source").reader
    assert hidden is not None
    for path in ("", "/edit", f"/merge?into={RUTH}"):
        assert [desk.get(f"/desk/readers/{hidden.id}{path}").status_code for desk in (eve, carla)] == [
            404, 422 if "merge" in path else 200,
        ]  # fmt: skip
    assert (names(ann), names(eve), names(carla)) == ([], [], ["A source"])
    assert ann.post(f"/desk/readers/{hidden.id}/block").status_code == 404


def test_name_and_note_are_kept_and_stand_above_the_tickets(ann: Desk, ruth: Reader) -> None:
    ann.post(f"/desk/readers/{ruth.id}/edit", name="Ruth R.", note="Taught history here.\nRings on Mondays.")
    assert (ruth.name, ruth.note) == ("Ruth R.", "Taught history here.\r\nRings on Mondays.".replace("\r", ""))
    assert "Taught history here.<br>" in ann.get(f"/desk/readers/{ruth.id}").text
    too_long = ann.post(f"/desk/readers/{ruth.id}/edit", name="x" * 101, note="kept")
    assert (too_long.status_code, "That is too long." in too_long.text, ">\r\nkept</textarea>" in too_long.text) == (
        422, True, True,
    )  # fmt: skip


def test_a_blocked_reader_wakes_nobody_until_he_is_unblocked(
    ann: Desk, ticket: Ticket, ruth: Reader, cast: Cast
) -> None:
    ann.post(f"/desk/readers/{ruth.id}/block")
    assert make_ticket(cast).is_spam
    ann.post(f"/desk/readers/{ruth.id}/unblock")
    assert not make_ticket(cast).is_spam
    assert history(ruth) == ["Ann Archer unblocked Ruth Reed", "Ann Archer blocked Ruth Reed"]


def test_mail_from_another_address_of_his_is_his(eve: Desk, cast: Cast, ticket: Ticket, ruth: Reader) -> None:
    eve.post(f"/desk/readers/{ruth.id}/addresses", address="Ruth@Work.example.com")
    letter = follow_up_letter(from_address="ruth@work.example.com")
    assert follow_up(ticket, letter=letter).reader is ruth
    assert history(ruth) == ["Eve Ellis added the address ruth@work.example.com"]


@pytest.mark.parametrize(
    ("address", "status", "sentence"),
    [
        ("otto@example.net", 409, "otto@example.net belongs to Otto. If they are one person, merge the two."),
        ("support@example.org", 422, "belongs to this desk or its staff"),
        ("nonsense", 422, "Enter an email address like name@example.org"),
        ("", 422, "Write an email address first."),
    ],
)
def test_an_address_that_cannot_be_his_is_refused(
    eve: Desk, cast: Cast, ruth: Reader, address: str, status: int, sentence: str
) -> None:
    make_ticket(cast, address="otto@example.net", name="Otto")
    answer = eve.post(f"/desk/readers/{ruth.id}/addresses", address=address)
    assert (answer.status_code, sentence in answer.text) == (status, True)
    assert [one.address for one in ruth.addresses] == [RUTH]


def test_an_address_goes_but_not_the_last_and_our_mail_finds_the_other(eve: Desk, cast: Cast, ruth: Reader) -> None:
    only = ruth.addresses[0].id
    assert eve.post(f"/desk/readers/{ruth.id}/addresses/{only}/remove").status_code == 409
    add_address(ruth, address="ruth@work.example.com", by=cast.eve)
    eve.post(f"/desk/readers/{ruth.id}/addresses/{only}/remove")
    assert (ruth.address, find_reader(RUTH)) == ("ruth@work.example.com", None)
    assert history(ruth)[0] == "Eve Ellis removed the address ruth@example.com"
    assert eve.post(f"/desk/readers/{ruth.id}/addresses/{only}/remove").status_code == 404


def test_agents_block_but_do_not_merge(ann: Desk, ruth: Reader) -> None:
    assert "Merge …" not in ann.get(f"/desk/readers/{ruth.id}/edit").text
    assert ann.post(f"/desk/readers/{ruth.id}/merge", into=ruth.id).status_code == 403


def test_before_two_become_one_the_page_says_what_happens(eve: Desk, cast: Cast, ruth: Reader) -> None:
    other = make_ticket(cast, address="r.reed@example.net", name="R. Reed").reader
    assert other is not None
    page = eve.get(f"/desk/readers/{other.id}/merge?into={RUTH.upper()}").text
    assert "1 ticket of r.reed@example.net belongs to Ruth Reed" in page
    assert "They have different names" in page
    for wrong in ("nobody@example.net", "r.reed@example.net", ""):
        assert eve.get(f"/desk/readers/{other.id}/merge?into={wrong}").status_code == 422


def test_two_readers_become_one(eve: Desk, cast: Cast, ticket: Ticket, ruth: Reader) -> None:
    second = make_ticket(cast, address="r.reed@example.net", name="R. Reed")
    other = second.reader
    assert other is not None
    change_reader(other, name=other.name, note="Knows bridges.")
    block_reader(other, by=cast.ann)
    other_id = other.id
    answer = eve.post(f"/desk/readers/{other_id}/merge", into=ruth.id)
    assert answer.location == f"/desk/readers/{ruth.id}"
    assert db.session.scalars(select(Reader)).all() == [ruth]
    assert (second.reader, second.messages[0].reader, ticket.reader) == (ruth, ruth, ruth)
    assert sorted(one.address for one in ruth.addresses) == ["r.reed@example.net", RUTH]
    assert (ruth.note, ruth.blocked_at is not None) == ("Knows bridges.", True)
    assert history(ruth) == ["Eve Ellis joined R. Reed with this reader", "Ann Archer blocked R. Reed"]
    assert event_kinds(second)[-1] == "reader_named"
    assert second.events[-1].by_agent is cast.eve
    assert second.events[0].kind is EventKind.OPENED
    assert second.events[0].by_reader is ruth
    assert eve.post(f"/desk/readers/{ruth.id}/merge", into=ruth.id).status_code == 422


def test_two_at_once_cannot_have_one_address(cast: Cast, ruth: Reader) -> None:
    other = make_ticket(cast, address="otto@example.net", name="Otto").reader
    assert other is not None
    with pytest.raises(Conflict):
        add_address(other, address=RUTH, by=cast.eve)
