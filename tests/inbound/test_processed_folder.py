"""Mail that was taken goes to another folder, when the owner wants so: after the commit, one by one, never twice."""

from collections.abc import Callable

import pytest
from flask import Flask

from helpdesk.database import db
from helpdesk.inbound.models import InboundEmail, Source
from helpdesk.inbound.operations import process_received
from helpdesk.inbound.sources import taking
from helpdesk.inbound.sources.imap import fetch
from helpdesk.inbound.sources.mailbox import MailboxFailed
from tests.cast import Cast
from tests.inbound.mailbox_sources import afresh, emails, find_or_make_source, make_source, subjects, try_to_fetch
from tests.letters import letter
from tests.servers.dovecot import Account
from tests.servers.proxy import CUT, PASS, Proxy

pytestmark = pytest.mark.dovecot
ProxyTo = Callable[..., Proxy]
DONE = "Erledigt & gelesen, größtenteils"
NO_MOVE, NO_UIDPLUS = b" MOVE", b" UIDPLUS"


def to_done(mailbox: Account, port: int | None = None) -> dict[str, object]:
    return mailbox.settings(processed_folder=DONE, port=port or mailbox.port)


def in_done(mailbox: Account) -> list[str]:
    return mailbox.subjects("Erledigt &- gelesen, gr&APYA3w-tenteils")


@pytest.mark.parametrize("hidden", [(), (NO_MOVE,)])
def test_mail_is_moved_into_a_folder_that_is_made_for_it(
    app: Flask, cast: Cast, mailbox: Account, proxy_to: ProxyTo, hidden: tuple[bytes, ...]
) -> None:
    proxy = proxy_to(mailbox.port, hide=hidden)
    source = make_source(app, cast, to_done(mailbox, proxy.port))
    mailbox.deliver_all([letter(subject="One"), letter(subject="Two")])
    assert (fetch(source.id, "one"), fetch(source.id, "one")) == (2, 0)
    assert (in_done(mailbox), mailbox.flags()) == (["One", "Two"], [])
    assert mailbox.flags("Erledigt &- gelesen, gr&APYA3w-tenteils")[0] >= {"\\Seen"}
    assert (afresh(source).last_error, afresh(source).missing) == (None, 0)
    process_received()
    assert subjects() == ["One", "Two"]


@pytest.mark.parametrize("hidden", [(), (NO_MOVE,)])
def test_l7_what_others_marked_as_deleted_stays(
    app: Flask, cast: Cast, mailbox: Account, proxy_to: ProxyTo, hidden: tuple[bytes, ...]
) -> None:
    source = make_source(app, cast, to_done(mailbox, proxy_to(mailbox.port, hide=hidden).port))
    mailbox.deliver(letter(subject="One"))
    fetch(source.id, "one")
    mailbox.deliver(letter(subject="A draft of somebody"), flags=r"(\Deleted)")
    mailbox.deliver(letter(subject="Two"))
    proxy = proxy_to(
        mailbox.port, hide=hidden, judge=lambda line: "NO it is busy" if b"UID FETCH 2 (UID BODY" in line else PASS
    )
    fetch(find_or_make_source(app, cast, to_done(mailbox, proxy.port)).id, "one")
    assert (in_done(mailbox), mailbox.subjects("INBOX")) == (["One", "Two"], ["A draft of somebody"])


def test_l7_mail_that_could_not_be_kept_is_not_moved(
    app: Flask, cast: Cast, mailbox: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = make_source(app, cast, to_done(mailbox))
    mailbox.deliver(letter(subject="One"))
    real = taking.receive
    monkeypatch.setattr(taking, "receive", lambda *_, **__: (_ for _ in ()).throw(OSError("no space")))
    with pytest.raises(MailboxFailed, match="stays there"):
        fetch(source.id, "one")
    assert (mailbox.subjects("INBOX"), emails()) == (["One"], [])
    monkeypatch.setattr(taking, "receive", real)
    fetch(source.id, "one")
    assert (mailbox.subjects("INBOX"), in_done(mailbox)) == ([], ["One"])


@pytest.mark.parametrize("said", ["NO [OVERQUOTA] no room", CUT])
def test_a_move_that_fails_is_told_and_tried_again_and_makes_one_ticket(
    app: Flask, cast: Cast, mailbox: Account, proxy_to: ProxyTo, said: str
) -> None:
    proxy = proxy_to(mailbox.port, judge=lambda line: said if b"UID MOVE" in line else PASS)
    source = make_source(app, cast, to_done(mailbox, proxy.port))
    mailbox.deliver_all([letter(subject="One"), letter(subject="Two")])
    for _ in range(3):
        try_to_fetch(source)
    assert len(emails()) == 2
    if said != CUT:
        complaint = "Not everything went well: the server does not move mail 1"
        assert (afresh(source).last_error or "").startswith(f"{complaint} to “{DONE}”: [OVERQUOTA] no room")
    assert (mailbox.subjects("INBOX"), afresh(source).last_error is None) == (["One", "Two"], False)
    healed = find_or_make_source(app, cast, to_done(mailbox))
    assert fetch(healed.id, "one") == 0
    assert (in_done(mailbox), mailbox.subjects("INBOX")) == (["One", "Two"], [])
    assert afresh(healed).last_error is None
    process_received()
    assert subjects() == ["One", "Two"]


@pytest.mark.parametrize("command", [rb"\Deleted", b"UID EXPUNGE"])
@pytest.mark.parametrize("said", ["NO not today", CUT])
def test_a_move_by_copy_that_breaks_half_way_copies_once(
    app: Flask, cast: Cast, mailbox: Account, proxy_to: ProxyTo, command: bytes, said: str
) -> None:
    proxy = proxy_to(mailbox.port, hide=NO_MOVE, judge=lambda line: said if command in line else PASS)
    source = make_source(app, cast, to_done(mailbox, proxy.port))
    mailbox.deliver(letter(subject="One"))
    for _ in range(4):
        try_to_fetch(source)
    assert (in_done(mailbox), mailbox.subjects("INBOX")) == (["One"], ["One"])
    healed = proxy_to(mailbox.port, hide=NO_MOVE)
    fetch(find_or_make_source(app, cast, to_done(mailbox, healed.port)).id, "one")
    assert (in_done(mailbox), mailbox.subjects("INBOX"), len(emails())) == (["One"], [], 1)


def test_a_server_that_can_neither_move_nor_remove_one_mail_is_left_alone(
    app: Flask, cast: Cast, mailbox: Account, proxy_to: ProxyTo
) -> None:
    proxy = proxy_to(mailbox.port, hide=(NO_MOVE, NO_UIDPLUS))
    source = make_source(app, cast, to_done(mailbox, proxy.port))
    mailbox.deliver(letter(subject="One"))
    assert (fetch(source.id, "one"), fetch(source.id, "one")) == (1, 0)
    assert mailbox.flags() == [{"\\Seen"}]
    assert afresh(source).last_error == (
        "Not everything went well: the server can neither move a mail nor remove a single one, "
        "so mails stay where they are"
    )


def test_mail_that_was_taken_before_is_moved_too_and_what_is_too_large_stays(
    app: Flask, cast: Cast, mailbox: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taking, "MAX_BYTES", 100_000)
    source = make_source(app, cast, mailbox.settings())
    mailbox.deliver_all([letter(subject="One"), letter(subject="Large", body="x" * 70 + "\r\n", times=2000)])
    fetch(source.id, "one")
    moving = find_or_make_source(app, cast, to_done(mailbox))
    fetch(moving.id, "one")
    assert (in_done(mailbox), mailbox.subjects("INBOX")) == (["One"], ["Large"])


def test_a_mail_that_a_person_moves_back_is_no_second_ticket(app: Flask, cast: Cast, mailbox: Account) -> None:
    source = make_source(app, cast, to_done(mailbox))
    raw = letter(subject="One")
    mailbox.deliver(raw)
    fetch(source.id, "one")
    process_received()
    mailbox.deliver(raw)
    fetch(source.id, "one")
    process_received()
    assert (subjects(), mailbox.subjects("INBOX")) == (["One"], [])


def test_the_folder_for_taken_mail_is_another_than_the_one_that_is_read(
    app: Flask, cast: Cast, mailbox: Account
) -> None:
    source = make_source(app, cast, mailbox.settings(processed_folder="INBOX"))
    with pytest.raises(MailboxFailed, match="to another folder"):
        fetch(source.id, "one")
    assert isinstance(db.session.get(Source, source.id), Source)
    assert db.session.query(InboundEmail).count() == 0
