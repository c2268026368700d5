"""Mail comes in, from a real Dovecot and through a pipe: never lost, never doubled, never in the way of the next."""

import errno
import io
import multiprocessing
import os
import resource
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, select

from helpdesk import clock, create_app, files
from helpdesk.config import Settings
from helpdesk.database import db
from helpdesk.inbound.models import InboundState, Source
from helpdesk.inbound.operations import process_received, retry_inbound
from helpdesk.inbound.sources import imap, taking
from helpdesk.inbound.sources.imap import fetch
from helpdesk.inbound.sources.leases import LEASE, claim_source, release_source
from helpdesk.inbound.sources.mailbox import Address, MailboxFailed, connect
from helpdesk.inbound.sources.pipe import receive_from_pipe
from helpdesk.tickets.models import Ticket
from tests.cast import Cast
from tests.inbound.mailbox_sources import (
    afresh,
    emails,
    find_or_make_source,
    make_source,
    run_together,
    set_password,
    subjects,
    try_to_fetch,
    wait_until,
    watching,
)
from tests.letters import letter
from tests.servers.dovecot import PASSWORD, Account, Dovecot
from tests.servers.fixtures import Certificates
from tests.servers.proxy import CUT, PASS, Proxy
from tests.servers.smtp import SilentServer

pytestmark = pytest.mark.dovecot


@pytest.fixture
def source(app: Flask, cast: Cast, mailbox: Account) -> Source:
    """The mailbox as the desk knows it."""
    return make_source(app, cast, mailbox.settings())


def test_new_mail_becomes_tickets_and_is_then_shown_as_read(source: Source, mailbox: Account) -> None:
    for number in range(3):
        mailbox.deliver(letter(subject=f"Mail {number}"))
    assert fetch(source.id, "one") == 3
    assert mailbox.flags() == [{"\\Seen"}] * 3
    process_received()
    assert subjects() == ["Mail 0", "Mail 1", "Mail 2"]
    assert fetch(source.id, "one") == 0


def test_the_bytes_are_kept_as_the_server_has_them(source: Source, mailbox: Account) -> None:
    raw = letter(body="Grüße\r\n.\r\nFrom here\r\n") + b"\xff\xfe raw \x80 bytes\r\n"
    mailbox.deliver(raw)
    fetch(source.id, "one")
    assert files.get(emails()[0].storage_key) == raw


def test_l6_mail_that_somebody_else_has_read_is_fetched_all_the_same(source: Source, mailbox: Account) -> None:
    mailbox.deliver(letter(), flags="(\\Seen)")
    assert fetch(source.id, "one") == 1


def test_l1_a_connection_cut_between_commit_and_flag_makes_one_ticket(
    app: Flask, cast: Cast, mailbox: Account, proxy_to: Callable[..., Proxy]
) -> None:
    proxy = proxy_to(mailbox.port, judge=lambda line: CUT if b"STORE" in line else PASS)
    source = make_source(app, cast, mailbox.settings(port=proxy.port))
    mailbox.deliver(letter(subject="One"))
    mailbox.deliver(letter(subject="Two"))
    for _ in range(4):
        try_to_fetch(source)
    process_received()
    assert subjects() == ["One", "Two"]


def test_l2_a_flag_that_is_refused_for_ever_makes_one_ticket_and_is_told(
    app: Flask, cast: Cast, mailbox: Account, proxy_to: Callable[..., Proxy]
) -> None:
    proxy = proxy_to(mailbox.port, judge=lambda line: "NO read-only today" if b"STORE" in line else PASS)
    source = make_source(app, cast, mailbox.settings(port=proxy.port))
    mailbox.deliver(letter(subject="One"))
    assert [fetch(source.id, "one") for _ in range(3)] == [1, 0, 0]
    process_received()
    assert (subjects(), mailbox.flags()) == (["One"], [set()])


def test_l2_a_refused_flag_is_a_complaint_until_the_mail_is_marked_by_a_later_look(
    app: Flask, cast: Cast, mailbox: Account, proxy_to: Callable[..., Proxy]
) -> None:
    proxy = proxy_to(mailbox.port, judge=lambda line: "NO read-only today" if b"STORE" in line else PASS)
    source = make_source(app, cast, mailbox.settings(port=proxy.port))
    mailbox.deliver(letter())
    mailbox.deliver(letter())
    for _ in range(2):
        fetch(source.id, "one")
        source = afresh(source)
        assert source.last_success_at is not None
        assert source.last_error == "Not everything went well: the server does not mark mail 1 as read: read-only today"
    healed = find_or_make_source(app, cast, mailbox.settings())
    fetch(healed.id, "one")
    assert (afresh(healed).last_error, mailbox.flags()) == (None, [{"\\Seen"}] * 2)


def test_l2_a_refused_flag_costs_one_try_in_each_later_look(
    app: Flask, cast: Cast, mailbox: Account, proxy_to: Callable[..., Proxy]
) -> None:
    tried: list[bytes] = []

    def judge(line: bytes) -> Any:
        if b"STORE" not in line:
            return PASS
        tried.append(line)
        return "NO read-only today"

    source = make_source(app, cast, mailbox.settings(port=proxy_to(mailbox.port, judge=judge).port))
    for _ in range(3):
        mailbox.deliver(letter())
    assert [fetch(source.id, "one") for _ in range(3)] == [3, 0, 0]
    assert len(tried) == 3 + 1 + 1


def test_l2_however_many_were_refused_are_marked_by_later_looks(
    app: Flask, cast: Cast, mailbox: Account, proxy_to: Callable[..., Proxy], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taking, "MOST_MARKED", 2)
    proxy = proxy_to(mailbox.port, judge=lambda line: "NO read-only today" if b"STORE" in line else PASS)
    for _ in range(5):
        mailbox.deliver(letter())
    fetch(make_source(app, cast, mailbox.settings(port=proxy.port)).id, "one")
    healed = find_or_make_source(app, cast, mailbox.settings())
    told = []
    for _ in range(3):
        fetch(healed.id, "one")
        told.append(afresh(healed).last_error)
    left = "Not everything went well: {} mails are not yet shown as read"
    assert (told, mailbox.flags()) == ([left.format(3), left.format(1), None], [{"\\Seen"}] * 5)


def test_l2_what_somebody_marked_as_unread_stays_so_while_all_goes_well(source: Source, mailbox: Account) -> None:
    mailbox.deliver(letter())
    fetch(source.id, "one")
    mailbox.change_flags(1, "-FLAGS", "(\\Seen)")
    fetch(source.id, "one")
    assert mailbox.flags() == [set()]


def test_l5_mail_stays_unread_until_it_is_kept(app: Flask, source: Source, mailbox: Account) -> None:
    mailbox.deliver(letter())
    working = app.extensions["files"]
    app.extensions["files"] = FullDisk()
    with pytest.raises(MailboxFailed, match="could not be kept here and stays there"):
        fetch(source.id, "one")
    assert (mailbox.flags(), emails()) == ([set()], [])
    app.extensions["files"] = working
    assert fetch(source.id, "one") == 1
    assert mailbox.flags() == [{"\\Seen"}]


def test_l11_the_same_mail_under_a_new_uidvalidity_is_no_second_ticket(
    app: Flask, cast: Cast, mailbox: Account
) -> None:
    source = make_source(app, cast, mailbox.settings(folder="Desk"))
    mails = [letter(subject="One"), letter(subject="Two", message_id=None)]
    for turn in range(2):
        mailbox.create("Desk")
        for raw in mails:
            mailbox.deliver(raw, folder="Desk")
        assert fetch(source.id, "one") == 2
        process_received()
        mailbox.rename("Desk", f"Desk-{turn}")
    assert len({email.uidvalidity for email in emails()}) == 2
    assert subjects() == ["One", "Two"]
    assert [email.state.value for email in emails()] == ["accepted", "accepted", "ignored", "ignored"]


@pytest.mark.parametrize("position", [0, 1, 2])
def test_l8_a_mail_the_server_cannot_give_out_stops_no_other(
    app: Flask, cast: Cast, mailbox: Account, proxy_to: Callable[..., Proxy], position: int
) -> None:
    poison = b"UID FETCH %d (UID BODY" % (position + 1)
    proxy = proxy_to(mailbox.port, judge=lambda line: "NO [SERVERBUG] it is broken" if poison in line else PASS)
    source = make_source(app, cast, mailbox.settings(port=proxy.port))
    for number in range(3):
        mailbox.deliver(letter(subject=str(number)))
    assert fetch(source.id, "one") == 2
    process_received()
    assert subjects() == [str(number) for number in range(3) if number != position]
    assert "it is broken" in (db.session.get_one(Source, source.id).last_error or "")


@pytest.mark.parametrize("position", [0, 1, 2])
def test_l8_a_mail_that_cannot_be_read_stops_no_other(source: Source, mailbox: Account, position: int) -> None:
    for number in range(3):
        mailbox.deliver(letter(subject=str(number)) if number != position else b"\x00\xff" * 3000)
    fetch(source.id, "one")
    process_received()
    assert [email.state for email in emails()] == [InboundState.ACCEPTED] * 3
    assert [subject for subject in subjects() if subject in "012"] == [str(n) for n in range(3) if n != position]


def test_l10_a_connection_cut_anywhere_loses_and_doubles_nothing(
    app: Flask, cast: Cast, mailbox: Account, proxy_to: Callable[..., Proxy]
) -> None:
    for number in range(4):
        mailbox.deliver(letter(subject=f"Mail {number}", body="x" * 3000))
    for said in range(400, 16_000, 1500):
        proxy = proxy_to(mailbox.port, cut_after=said)
        source = find_or_make_source(app, cast, mailbox.settings(port=proxy.port))
        try_to_fetch(source)
    source = find_or_make_source(app, cast, mailbox.settings())
    fetch(source.id, "one")
    process_received()
    assert sorted(subjects()) == [f"Mail {number}" for number in range(4)]  # what was cut off comes last
    assert [len(files.get(email.storage_key)) for email in emails()] == [
        len(letter(subject="Mail 0", body="x" * 3000))
    ] * 4


def test_l4_four_fetchers_make_one_ticket_of_each_mail(app: Flask, source: Source, mailbox: Account) -> None:
    for number in range(40):
        mailbox.deliver(letter(subject=f"Mail {number:02}"))
    source_id = source.id
    db.session.rollback()
    run_together([lambda name=name: fetch_in(app, source_id, name) for name in "abcd"])
    fetch(source_id, "last")
    process_received()
    assert subjects() == [f"Mail {number:02}" for number in range(40)]


def test_l4_two_fetchers_without_a_lease_still_keep_each_mail_once(
    app: Flask, source: Source, mailbox: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (imap, taking):
        monkeypatch.setattr(module, "claim_source", lambda source_id, worker: True)
    for number in range(30):
        mailbox.deliver(letter(subject=f"Mail {number:02}"))
    source_id = source.id
    db.session.rollback()
    run_together([lambda name=name: fetch_in(app, source_id, name) for name in "abc"])
    assert len(emails()) == len({email.uid for email in emails()}) == 30
    assert len(stored_files(app)) == 30


def test_one_worker_holds_a_mailbox_until_it_lets_go_or_dies(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    assert claim_source(source.id, worker="one")
    assert not claim_source(source.id, worker="two")
    assert claim_source(source.id, worker="one")
    release_source(source.id, worker="two")
    assert fetch(source.id, "two") == 0
    now = clock.now() + LEASE + timedelta(seconds=1)
    monkeypatch.setattr(clock, "now", lambda: now)
    assert claim_source(source.id, worker="two")
    assert not claim_source(source.id, worker="one")
    release_source(source.id, worker="two")
    assert claim_source(source.id, worker="one")


def test_a_mailbox_that_is_switched_off_is_left_alone(source: Source, mailbox: Account) -> None:
    mailbox.deliver(letter())
    source.active = False
    db.session.commit()
    assert (fetch(source.id, "one"), mailbox.flags()) == (0, [set()])


def test_l9_a_mail_that_is_too_large_stays_there_and_is_told(
    source: Source, mailbox: Account, monkeypatch: pytest.MonkeyPatch, cast: Cast
) -> None:
    monkeypatch.setattr(taking, "MAX_BYTES", 2 * 1024 * 1024)
    mailbox.deliver(letter(subject="All my photos", body="x" * 70 + "\r\n", times=50_000))
    mailbox.deliver(letter(subject="Next"))
    assert fetch(source.id, "one") == 2
    assert fetch(source.id, "one") == 0
    large, _ = emails()
    assert (large.state, large.subject, large.from_address) == (
        InboundState.FAILED,
        "All my photos",
        "ruth@example.com",
    )
    assert large.reason == "This mail has 3 MB, more than is fetched; it is still in the mailbox."
    assert mailbox.flags() == [set(), {"\\Seen"}]
    retry_inbound(large, by=cast.carla)
    process_received()
    assert subjects() == ["Next", "All my photos"] or subjects() == ["All my photos", "Next"]
    ticket = db.session.scalars(select(Ticket).where(Ticket.subject == "All my photos")).one()
    assert ticket.preview == "This mail has 3 MB, so it was not fetched. It is still in the mailbox."


def test_l7_nothing_that_others_marked_as_deleted_is_destroyed(source: Source, mailbox: Account) -> None:
    mailbox.deliver(letter(subject="Old"), flags="(\\Deleted)")
    mailbox.deliver(letter(subject="New"))
    fetch(source.id, "one")
    assert mailbox.flags() == [{"\\Seen", "\\Deleted"}, {"\\Seen"}]


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_a_trusted_certificate_is_let_in(
    app: Flask, cast: Cast, dovecot: Dovecot, mailbox: Account, certificates: Certificates, security: str
) -> None:
    mailbox.deliver(letter())
    source = make_source(app, cast, over_tls(mailbox, security, certificates.good.chain))
    assert fetch(source.id, "one") == 1


@pytest.mark.parametrize("bad", ["stranger", "expired", "elsewhere"])
@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_class_65_a_bad_certificate_gets_no_password(
    app: Flask, cast: Cast, certificates: Certificates, start_dovecot: Callable[..., Dovecot], security: str, bad: str
) -> None:
    certificate = getattr(certificates, bad)
    mailbox = start_dovecot(certificate).add_mailbox()
    trusted = certificates.good if bad == "stranger" else certificate
    source = make_source(app, cast, over_tls(mailbox, security, trusted.chain))
    with pytest.raises(MailboxFailed, match="certificate verify failed"):
        fetch(source.id, "one")
    assert mailbox.username not in mailbox.server.log()
    assert "certificate verify failed" in (db.session.get_one(Source, source.id).last_error or "")


def test_class_65_a_server_without_starttls_gets_no_password(
    app: Flask, cast: Cast, mailbox: Account, proxy_to: Callable[..., Proxy], certificates: Certificates
) -> None:
    proxy = proxy_to(mailbox.port, hide=b" STARTTLS")
    settings = over_tls(mailbox, "starttls", certificates.good.chain) | {"port": proxy.port}
    source = make_source(app, cast, settings)
    with pytest.raises(MailboxFailed, match="TLS not supported"):
        fetch(source.id, "one")
    assert [line for line in proxy.lines if b"LOGIN" in line or b"AUTHENTICATE" in line] == []


def test_class_65_plain_imap_is_for_this_machine_alone(app: Flask, cast: Cast, mailbox: Account) -> None:
    source = make_source(app, cast, mailbox.settings(host="mail.example.org"))
    with pytest.raises(MailboxFailed) as failed:
        fetch(source.id, "one")
    assert failed.value.message == "Without TLS a mailbox is only read on this machine; use tls or starttls."


def test_a_wrong_password_is_told_without_the_password(app: Flask, source: Source) -> None:
    set_password(app, "wrong but secret")
    with pytest.raises(MailboxFailed, match="AUTHENTICATIONFAILED"):
        fetch(source.id, "one")
    error = db.session.get_one(Source, source.id).last_error or ""
    assert "AUTHENTICATIONFAILED" in error
    assert "wrong but secret" not in error


def test_an_error_sentence_never_holds_the_password() -> None:
    address = Address.of({"host": "localhost", "security": "none", "port": 143}, password="s3cret")
    assert address.sentence(OSError("could not say s3cret to it")) == "localhost:143: could not say … to it"
    assert "s3cret" not in repr(address)


def test_l30_a_server_that_never_speaks_costs_one_timeout(app: Flask, cast: Cast, silent_server: SilentServer) -> None:
    source = make_source(app, cast, silent_settings(silent_server))
    with pytest.raises(MailboxFailed, match="timed out"):
        fetch(source.id, "one")
    assert claim_source(source.id, worker="two")


def test_an_error_is_forgotten_after_the_next_success(app: Flask, source: Source) -> None:
    set_password(app, "wrong")
    try_to_fetch(source)
    set_password(app, PASSWORD)
    fetch(source.id, "one")
    source = db.session.get_one(Source, source.id)
    assert (source.last_error, source.last_success_at is not None) == (None, True)


def test_watching_a_mailbox_makes_tickets_as_mail_arrives(app: Flask, source: Source, mailbox: Account) -> None:
    app.extensions["settings"] = app.extensions["settings"].model_copy(update={"imap_poll_seconds": 3600})
    with watching(app, source.id) as watcher:
        for number in range(3):
            mailbox.deliver(letter(subject=f"Mail {number}"))
            wait_until(lambda number=number: len(subjects()) == number + 1)
    assert not watcher.is_alive()


def test_the_wait_ends_at_once_for_mail_that_came_while_the_last_was_kept(mailbox: Account) -> None:
    mailbox.deliver(letter())
    gave_up = threading.Event()
    timer = threading.Timer(10, gave_up.set)
    with connect(Address.of(mailbox.settings(), password=PASSWORD)) as box:
        box.select()
        (uid,) = box.uids()
        mailbox.deliver(letter())
        box.mark_seen(uid)  # with its answer the server tells of the second mail, and never again
        timer.start()
        box.wait(gave_up, seconds=60)
    timer.cancel()
    assert not gave_up.is_set()


def test_the_wait_ends_at_once_for_mail_told_in_one_breath_with_the_greeting(
    mailbox: Account, proxy_to: Callable[..., Proxy]
) -> None:
    proxy = proxy_to(mailbox.port, hold=b"+ idling\r\n")
    gave_up = threading.Event()
    timer = threading.Timer(10, gave_up.set)
    with connect(Address.of(mailbox.settings(port=proxy.port), password=PASSWORD)) as box:
        box.select()
        box.uids()
        mailbox.deliver(letter())
        timer.start()
        box.wait(gave_up, seconds=60)
    timer.cancel()
    assert not gave_up.is_set()


def test_watching_looks_by_itself_where_there_is_no_idle(
    app: Flask, cast: Cast, mailbox: Account, proxy_to: Callable[..., Proxy]
) -> None:
    app.extensions["settings"] = app.extensions["settings"].model_copy(update={"imap_poll_seconds": 1})
    proxy = proxy_to(mailbox.port, hide=b" IDLE")
    source = make_source(app, cast, mailbox.settings(port=proxy.port))
    with watching(app, source.id):
        wait_until(lambda: db.session.get_one(Source, source.id).last_success_at is not None)
        mailbox.deliver(letter())
        wait_until(lambda: len(subjects()) == 1)
    assert [line for line in proxy.lines if b" IDLE" in line] == []


def test_watching_survives_a_server_that_hangs_up(
    app: Flask, cast: Cast, mailbox: Account, proxy_to: Callable[..., Proxy], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imap, "FIRST_DELAY_SECONDS", 0.1)
    proxy = proxy_to(mailbox.port)
    source = make_source(app, cast, mailbox.settings(port=proxy.port))
    with watching(app, source.id):
        wait_until(lambda: any(b" IDLE" in line for line in proxy.lines))
        proxy.hang_up()
        mailbox.deliver(letter())
        wait_until(lambda: len(subjects()) == 1)


def test_watching_ends_when_the_mailbox_is_switched_off(app: Flask, source: Source) -> None:
    app.extensions["settings"] = app.extensions["settings"].model_copy(update={"imap_poll_seconds": 1})
    source_id = source.id
    with watching(app, source_id) as watcher:
        wait_until(lambda: db.session.get_one(Source, source_id).last_success_at is not None)
        source = db.session.get_one(Source, source_id)
        source.active = False
        db.session.commit()
        watcher.join(30)
        assert not watcher.is_alive()


def test_l5_a_fetcher_killed_at_any_moment_loses_and_doubles_nothing(
    app: Flask, source: Source, mailbox: Account, settings: Settings
) -> None:
    for number in range(20):
        mailbox.deliver(letter(subject=f"Mail {number:02}"))
    source_id, given = source.id, app.extensions["settings"]
    db.session.remove()
    db.engine.dispose()
    spawn = multiprocessing.get_context("fork")
    for patience in (0.05, 0.15, 0.3):
        killed = spawn.Process(target=fetch_in_child, args=(given, source_id))
        killed.start()
        time.sleep(patience)
        killed.kill()
        killed.join()
        killed.close()
    release_all(source_id)
    fetch(source_id, "last")
    process_received()
    assert subjects() == [f"Mail {number:02}" for number in range(20)]


def test_l31_a_piped_mail_is_kept_before_the_exit_code_says_so(app: Flask, cast: Cast) -> None:
    raw = letter(subject="By pipe")
    assert receive_from_pipe(io.BytesIO(raw), "ruth@example.com", ("support@example.org",)) == 0
    [email] = emails()
    assert (email.envelope_from, email.envelope_to) == ("ruth@example.com", ["support@example.org"])
    assert files.get(email.storage_key) == raw
    process_received()
    assert subjects() == ["By pipe"]


def test_a_pipe_reads_the_envelope_as_postfix_sets_it(app: Flask, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    environment(monkeypatch, SENDER="ruth@example.com", RECIPIENT="support@example.org", EXTENSION="k1abc")
    receive_from_pipe(io.BytesIO(letter()))
    environment(
        monkeypatch, SENDER="MAILER-DAEMON", RECIPIENT="desk@example.org", ORIGINAL_RECIPIENT="support+t@example.org"
    )
    receive_from_pipe(io.BytesIO(letter()))
    environment(monkeypatch)
    receive_from_pipe(io.BytesIO(letter()))
    assert [(email.envelope_from, email.envelope_to) for email in emails()] == [
        ("ruth@example.com", ["support+k1abc@example.org", "support@example.org"]),
        ("", ["support+t@example.org", "desk@example.org"]),
        (None, []),
    ]


def test_what_is_given_outranks_the_environment(app: Flask, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    environment(monkeypatch, SENDER="x@example.com", RECIPIENT="y@example.org")
    receive_from_pipe(io.BytesIO(letter()), "<>", ("support@example.org",))
    assert [(email.envelope_from, email.envelope_to) for email in emails()] == [("", ["support@example.org"])]


@pytest.mark.engines("sqlite")
def test_l31_a_locked_database_is_a_temporary_failure(
    app: Flask, cast: Cast, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    impatient()
    holder = sqlite3.connect(settings.data_dir / "helpdesk.sqlite3", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    assert receive_from_pipe(io.BytesIO(letter())) == 75
    assert capsys.readouterr().err == "4.3.0 The mail could not be kept just now; try again later.\n"
    holder.rollback()
    holder.close()
    assert (receive_from_pipe(io.BytesIO(letter())), len(emails())) == (0, 1)


def test_l23_a_full_disk_is_a_temporary_failure(app: Flask, cast: Cast) -> None:
    with disk_full():
        assert receive_from_pipe(io.BytesIO(letter())) == 75
    assert emails() == []
    assert receive_from_pipe(io.BytesIO(letter())) == 0


def test_a_pipe_with_nothing_in_it_is_an_error_of_the_sender(app: Flask, capsys: pytest.CaptureFixture[str]) -> None:
    assert receive_from_pipe(io.BytesIO(b" \r\n")) == 65
    assert capsys.readouterr().err == "5.6.0 There was no mail on standard input.\n"
    assert emails() == []


# The rest prepares.


def over_tls(mailbox: Account, security: str, chain: object) -> dict[str, Any]:
    port = mailbox.server.tls_port if security == "tls" else mailbox.port
    return mailbox.settings(security=security, port=port, ca_file=str(chain))


def silent_settings(server: SilentServer) -> dict[str, Any]:
    return {"host": "127.0.0.1", "port": server.port, "security": "none", "username": "x", "timeout_seconds": 1}


def fetch_in(app: Flask, source_id: int, worker: str) -> None:
    with app.app_context():
        fetch(source_id, worker)


def fetch_in_child(settings: Settings, source_id: int) -> None:
    with create_app(settings).app_context():
        fetch(source_id, "killed")
    os._exit(0)


def release_all(source_id: int) -> None:
    release_source(source_id, worker="killed")


@contextmanager
def disk_full() -> Iterator[None]:
    """No file of this process may grow beyond 100 bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def impatient() -> None:
    """Let new connections wait for a lock only briefly."""
    db.session.remove()
    db.engine.dispose()
    event.listen(db.engine, "connect", lambda connection, _record: connection.execute("PRAGMA busy_timeout=20"))


def environment(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    for name in ("SENDER", "RECIPIENT", "ORIGINAL_RECIPIENT", "EXTENSION"):
        monkeypatch.delenv(name, raising=False)
    for name, value in values.items():
        monkeypatch.setenv(name, value)


class FullDisk:
    """A store with no room left."""

    def put(self, _content: bytes) -> str:
        raise OSError(errno.ENOSPC, "No space left on device")


def stored_files(app: Flask) -> list[object]:
    return [path for path in app.extensions["files"].folder.glob("??/*") if path.is_file()]
