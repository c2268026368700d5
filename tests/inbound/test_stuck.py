"""What cannot be taken out of its mailbox is counted, told and tried again; it is never forgotten and stops no other."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask

from helpdesk import clock, files
from helpdesk.database import db
from helpdesk.health.probe import Probe
from helpdesk.health.readiness import reasons_against
from helpdesk.inbound.models import Source, StuckEmail
from helpdesk.inbound.operations import process_received
from helpdesk.inbound.sources import imap, taking
from helpdesk.inbound.sources import mailbox as mailboxes
from helpdesk.inbound.sources.imap import fetch
from helpdesk.inbound.sources.mailbox import MailboxFailed, OpenMailbox
from helpdesk.inbound.stuck import REST, retry_stuck
from tests.cast import Cast
from tests.inbound.mailbox_sources import (
    afresh,
    emails,
    find_or_make_source,
    make_source,
    stuck,
    subjects,
    try_to_fetch,
    wait_until,
    watching,
)
from tests.letters import letter
from tests.servers.dovecot import Account
from tests.servers.proxy import CUT, DRIP, PASS, STALL, Proxy

pytestmark = pytest.mark.dovecot
ProxyTo = Callable[..., Proxy]
WHY = "the server does not give out mail 1: [SERVERBUG] it is broken"


@pytest.fixture
def source(app: Flask, cast: Cast, mailbox: Account) -> Source:
    """A mailbox whose server does not give out its first mail, until it is healed."""
    return make_source(app, cast, mailbox.settings())


@pytest.fixture
def broken(app: Flask, cast: Cast, mailbox: Account, proxy_to: ProxyTo) -> Callable[[], Source]:
    """A mailbox with two mails, of which the server does not give out the first."""
    mailbox.deliver_all([letter(subject="One"), letter(subject="Two")])
    proxy = proxy_to(mailbox.port, judge=refuse_first)
    return lambda: find_or_make_source(app, cast, mailbox.settings(port=proxy.port))


def refuse_first(line: bytes) -> str:
    return "NO [SERVERBUG] it is broken" if b"UID FETCH 1 (UID BODY" in line else PASS


def test_l8_a_mail_is_tried_three_times_and_then_rests(broken: Callable[[], Source]) -> None:
    source = broken()
    assert [fetch(source.id, "one") for _ in range(5)] == [1, 0, 0, 0, 0]
    assert stuck() == [(1, 3, WHY)]
    assert (afresh(source).missing, afresh(source).last_error) == (1, f"Not everything went well: {WHY}")
    process_received()
    assert subjects() == ["Two"]
    with clock.at(clock.now() + REST + timedelta(minutes=1)):
        fetch(source.id, "one")
    assert stuck() == [(1, 4, WHY)]


def test_a_stuck_mail_is_taken_once_the_server_gives_it_out(
    app: Flask, cast: Cast, mailbox: Account, broken: Callable[[], Source]
) -> None:
    fetch(broken().id, "one")
    healed = find_or_make_source(app, cast, mailbox.settings())
    assert fetch(healed.id, "one") == 1
    assert (stuck(), afresh(healed).missing, afresh(healed).last_error) == ([], 0, None)


def test_a_stuck_mail_that_somebody_removes_is_stuck_no_longer(mailbox: Account, broken: Callable[[], Source]) -> None:
    source = broken()
    fetch(source.id, "one")
    mailbox.delete(1)
    fetch(source.id, "one")
    assert (stuck(), afresh(source).missing, afresh(source).last_error) == ([], 0, None)


def test_l21_a_gap_makes_the_desk_not_ready_until_it_is_closed(
    app: Flask, cast: Cast, mailbox: Account, broken: Callable[[], Source]
) -> None:
    fetch(broken().id, "one")
    assert mail_in(app) == ""
    for _ in range(2):
        fetch(broken().id, "one")
    assert mail_in(app) == "mail not taken"
    retry_stuck(db.session.query(StuckEmail).one(), by=cast.eve)
    fetch(find_or_make_source(app, cast, mailbox.settings()).id, "one")
    assert mail_in(app) == ""


def test_l21_a_server_that_lists_nothing_is_no_empty_mailbox(
    app: Flask, cast: Cast, mailbox: Account, proxy_to: ProxyTo
) -> None:
    mailbox.deliver_all([letter(), letter()])
    proxy = proxy_to(mailbox.port, judge=lambda line: "OK done" if b"UID SEARCH ALL" in line else PASS)
    source = make_source(app, cast, mailbox.settings(port=proxy.port))
    with pytest.raises(MailboxFailed, match="says there are 2 mails, and lists only 0"):
        fetch(source.id, "one")
    assert afresh(source).last_success_at is None


def test_l21_a_server_that_says_nothing_about_a_mail_leaves_a_gap(
    app: Flask, cast: Cast, mailbox: Account, proxy_to: ProxyTo
) -> None:
    mailbox.deliver(letter())
    proxy = proxy_to(mailbox.port, judge=lambda line: "OK done" if b"UID FETCH 1 (UID BODY" in line else PASS)
    source = make_source(app, cast, mailbox.settings(port=proxy.port))
    fetch(source.id, "one")
    assert stuck() == [(1, 1, "the server says nothing about mail 1")]
    assert afresh(source).missing == 1


def test_l21_what_a_run_that_broke_off_did_not_take_is_counted(
    app: Flask, cast: Cast, mailbox: Account, proxy_to: ProxyTo
) -> None:
    mailbox.deliver_all([letter() for _ in range(5)])
    proxy = proxy_to(mailbox.port, judge=lambda line: CUT if b"UID FETCH 3 (UID BODY" in line else PASS)
    source = make_source(app, cast, mailbox.settings(port=proxy.port))
    try_to_fetch(source)
    assert (len(emails()), afresh(source).missing) == (2, 5)
    assert afresh(source).last_error is not None
    try_to_fetch(source)
    assert (len(emails()), afresh(source).missing) == (4, 3)
    [(uid, tries, reason)] = stuck()
    assert (uid, tries) == (3, 2)
    assert reason.startswith("the connection ended while mail 3 was fetched")


@pytest.mark.parametrize("position", [1, 2, 3])
def test_l3_and_l8_a_mail_that_cannot_be_kept_stops_no_other(
    app: Flask, source: Source, mailbox: Account, monkeypatch: pytest.MonkeyPatch, position: int
) -> None:
    real = taking.receive

    def receive(raw: bytes, **how: object) -> object:
        if how["uid"][1] == position:  # type: ignore[index]
            raise RuntimeError("no engine can keep this")
        return real(raw, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(taking, "receive", receive)
    mailbox.deliver_all([letter(subject=str(number)) for number in (1, 2, 3)])
    for _ in range(4):
        fetch(source.id, "one")
    assert stuck() == [(position, 3, f"mail {position} could not be kept: RuntimeError")]
    process_received()
    assert subjects() == [str(number) for number in (1, 2, 3) if number != position]
    assert mailbox.flags()[position - 1] == set()
    monkeypatch.undo()
    with clock.at(clock.now() + REST + timedelta(minutes=1)):
        assert fetch(source.id, "one") == 1
    assert stuck() == []


def test_l8_a_mail_that_ends_the_connection_comes_last_and_stops_no_other(
    app: Flask, cast: Cast, mailbox: Account, proxy_to: ProxyTo
) -> None:
    proxy = proxy_to(mailbox.port, judge=lambda line: CUT if b"UID FETCH 1 (UID BODY" in line else PASS)
    source = make_source(app, cast, mailbox.settings(port=proxy.port))
    mailbox.deliver_all([letter(subject=str(number)) for number in range(4)])
    try_to_fetch(source)
    try_to_fetch(source)
    process_received()
    assert subjects() == ["1", "2", "3"]


def test_l10_a_large_mail_cut_at_every_4_kb_is_kept_once_and_whole(
    app: Flask, cast: Cast, mailbox: Account, proxy_to: ProxyTo
) -> None:
    raw = letter(subject="Large", body="x" * 76 + "\r\n", times=500)
    mailbox.deliver_all([raw, letter(subject="Small")])
    moment = clock.now()
    for number, said in enumerate(range(2000, len(raw), 4096)):
        proxy = proxy_to(mailbox.port, cut_after=said)
        with clock.at(moment + 2 * REST * number):
            try_to_fetch(find_or_make_source(app, cast, mailbox.settings(port=proxy.port)))
    with clock.at(moment + 4 * REST * number):
        fetch(find_or_make_source(app, cast, mailbox.settings()).id, "one")
    process_received()
    assert sorted(subjects()) == ["Large", "Small"]
    assert raw in [files.get(email.storage_key) for email in emails()]
    assert len(emails()) == 2


@pytest.mark.parametrize("then", [STALL, DRIP])
def test_l9_a_server_that_stalls_inside_a_mail_costs_one_timeout_and_the_next_mailbox_is_served(
    app: Flask, cast: Cast, mailbox: Account, proxy_to: ProxyTo, monkeypatch: pytest.MonkeyPatch, then: str
) -> None:
    monkeypatch.setattr(mailboxes, "ONE_MAIL_SECONDS", 1.5)
    mailbox.deliver(letter(body="x" * 76 + "\r\n", times=1000))
    proxy = proxy_to(mailbox.port, cut_after=40_000, then=then)
    timeout = 1 if then == STALL else 20
    source = make_source(app, cast, mailbox.settings(port=proxy.port, timeout_seconds=timeout))
    with pytest.raises(MailboxFailed, match="timed out" if then == STALL else "not done within 2 seconds"):
        fetch(source.id, "one")
    [(uid, tries, _)] = stuck()
    assert (uid, tries) == (1, 1)
    other = mailbox.server.add_mailbox()
    other.deliver(letter(subject="Of the next"))
    assert fetch(make_source(app, cast, other.settings(), name="Other").id, "one") == 1


def test_a_folder_that_was_renamed_says_so_and_heals_when_it_is_back(
    app: Flask, cast: Cast, mailbox: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imap, "FIRST_DELAY_SECONDS", 0.1)
    monkeypatch.setattr(imap, "LONGEST_DELAY_SECONDS", 0.5)
    app.extensions["settings"] = app.extensions["settings"].model_copy(update={"imap_poll_seconds": 1})
    mailbox.create("Desk")
    source = make_source(app, cast, mailbox.settings(folder="Desk"))
    with watching(app, source.id):
        mailbox.deliver(letter(subject="Before"), folder="Desk")
        wait_until(lambda: subjects() == ["Before"])
        mailbox.rename("Desk", "Elsewhere")
        sentence = "There is no folder “Desk”; it was renamed, removed or never made."
        wait_until(lambda: afresh(source).last_error == sentence)
        mailbox.deliver(letter(subject="Meanwhile"), folder="Elsewhere")
        mailbox.rename("Elsewhere", "Desk")
        wait_until(lambda: subjects() == ["Before", "Meanwhile"])
        wait_until(lambda: afresh(source).last_error is None)


def test_another_mailbox_with_the_same_uidvalidity_is_read_from_its_beginning(
    app: Flask, cast: Cast, mailbox: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OpenMailbox, "select", with_validity_1(OpenMailbox.select))
    mailbox.deliver_all([letter(subject="Old 1"), letter(subject="Old 2")])
    fetch(make_source(app, cast, mailbox.settings()).id, "one")
    other = mailbox.server.add_mailbox()
    other.deliver_all([letter(subject="New 1"), letter(subject="New 2")])
    source = find_or_make_source(app, cast, other.settings())
    assert (fetch(source.id, "one"), fetch(source.id, "one")) == (2, 0)
    process_received()
    assert subjects() == ["Old 1", "Old 2", "New 1", "New 2"]


def test_l18_mail_that_was_taken_and_removed_there_is_not_taken_again(source: Source, mailbox: Account) -> None:
    mailbox.deliver_all([letter(subject="One"), letter(subject="Two")])
    fetch(source.id, "one")
    mailbox.delete(1)
    process_received()
    mailbox.deliver(letter(subject="Three"))
    assert (fetch(source.id, "one"), fetch(source.id, "one")) == (1, 0)
    process_received()
    assert subjects() == ["One", "Two", "Three"]


@pytest.mark.parametrize("hours", [-48, -14, 0, 14, 48])
def test_l15_no_clock_hides_a_mail(source: Source, mailbox: Account, hours: int) -> None:
    mailbox.deliver(letter(headers={"Date": "Thu, 01 Jan 1970 00:00:00 +1400"}))
    with clock.at(clock.now() + timedelta(hours=hours)):
        assert fetch(source.id, "one") == 1
        mailbox.deliver(letter(headers={"Date": "Fri, 01 Jan 2100 00:00:00 -1200"}))
        assert fetch(source.id, "one") == 1


def test_l6_flags_that_a_person_sets_hide_nothing_and_stay(source: Source, mailbox: Account) -> None:
    for flags in (r"(\Seen)", r"(\Seen \Answered)", r"(\Flagged)", r"(\Deleted)", r"(\Draft)"):
        mailbox.deliver(letter(), flags=flags)
    assert fetch(source.id, "one") == 5
    mailbox.change_flags(1, "-FLAGS", r"(\Seen)")
    assert fetch(source.id, "one") == 0
    assert mailbox.flags() == [
        set(), {"\\Seen", "\\Answered"}, {"\\Seen", "\\Flagged"}, {"\\Seen", "\\Deleted"}, {"\\Seen", "\\Draft"},
    ]  # fmt: skip


@pytest.mark.parametrize("command", [b"UID FETCH 2 (UID BODY", b"UID STORE 1"])
def test_what_a_person_removes_while_we_fetch_breaks_nothing(
    app: Flask, cast: Cast, mailbox: Account, proxy_to: ProxyTo, command: bytes
) -> None:
    """The person's program removes the second mail at the moment in which we ask for it, or mark the first."""
    mailbox.deliver_all([letter(subject=f"Mail {number}") for number in (1, 2, 3)])

    def judge(line: bytes) -> str:
        if command in line and not removed:
            removed.append(mailbox.delete(2))
        return PASS

    removed: list[None] = []
    proxy = proxy_to(mailbox.port, judge=judge)
    source = make_source(app, cast, mailbox.settings(port=proxy.port))
    fetch(source.id, "one")
    fetch(source.id, "one")
    process_received()
    assert removed == [None]
    assert [subject for subject in subjects() if subject != "Mail 2"] == ["Mail 1", "Mail 3"]
    assert (stuck(), afresh(source).last_error, afresh(source).missing) == ([], None, 0)


# The rest prepares.


def with_validity_1(real: Callable[[OpenMailbox], int]) -> Callable[[OpenMailbox], int]:
    def select(box: OpenMailbox) -> int:
        real(box)
        return 1

    return select


def mail_in(app: Flask) -> str:
    db.session.rollback()
    probe: Probe = app.extensions["probe"]
    return reasons_against(app.extensions["settings"], probe)["mail_in"]
