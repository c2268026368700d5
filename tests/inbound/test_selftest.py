"""A mail that the desk sent to itself is recognised however it comes in, and never becomes a ticket."""

from datetime import timedelta

import pytest
from flask import Flask

from helpdesk import clock, tokens
from helpdesk.database import db
from helpdesk.desk.mail_log import list_not_taken
from helpdesk.inbound.models import InboundEmail, InboundState
from helpdesk.inbound.operations import process, receive
from helpdesk.inbound.selftest import BY_PLAIN, BY_PLUS, HEADER, new_run, send_selftest
from helpdesk.jobs import deliver
from helpdesk.tickets.models import Ticket
from helpdesk.tokens import Keyring, Kind
from tests.cast import Cast
from tests.letters import letter, use_server
from tests.servers.smtp import SmtpServer


def read(raw: bytes, envelope_to: tuple[str, ...] = ()) -> InboundEmail:
    email = receive(raw, envelope_to=envelope_to)
    process(email.id)
    db.session.refresh(email)
    return email


@pytest.fixture
def sent(app: Flask, cast: Cast, smtp: SmtpServer) -> tuple[str, bytes]:
    """The name of a run and its mail, as the mail server took it."""
    use_server(app, smtp)
    run = new_run()
    send_selftest(cast.queue, run=run, plus=True)
    deliver()
    return run, smtp.mails[0].raw


def test_our_own_mail_ends_as_a_selftest_and_no_ticket(sent: tuple[str, bytes]) -> None:
    run, raw = sent
    email = read(raw)
    assert (email.state, email.reason) == (InboundState.SELFTEST, f"Selftest {run}: {BY_PLUS}.")
    assert (email.became, db.session.query(Ticket).count()) == (None, 0)
    assert read(raw).state is InboundState.SELFTEST


def test_it_is_recognised_by_whatever_is_left_of_it(sent: tuple[str, bytes]) -> None:
    run, raw = sent
    token = tokens.keyring().issue(Kind.SELFTEST, bytes.fromhex(run))
    lost = raw.replace(f"+{token}@".encode(), b"@")
    assert read(lost).reason == f"Selftest {run}: {BY_PLAIN}."
    renamed = lost.replace(token.encode(), b"somebody-elses-id", 1)
    assert read(renamed).state is InboundState.SELFTEST
    assert read(renamed, envelope_to=(f"support+{token}@example.org",)).reason == f"Selftest {run}: {BY_PLUS}."


@pytest.mark.parametrize("where", ["To", "Cc", "Delivered-To", "envelope"])
def test_class_17_the_address_of_a_run_swallows_no_other_mail(sent: tuple[str, bytes], where: str) -> None:
    address = f"support+{tokens.keyring().issue(Kind.SELFTEST, bytes.fromhex(sent[0]))}@example.org"
    if where == "envelope":
        email = read(letter(body="A secret.\r\n"), envelope_to=(address,))
    else:
        email = read(letter(body="A secret.\r\n", headers={where: address}))
    assert email.state is InboundState.ACCEPTED
    assert [ticket.messages[0].body_text for ticket in db.session.query(Ticket)] == ["A secret."]


def test_class_52_an_hour_later_a_selftest_is_a_mail_like_any_other(
    sent: tuple[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = clock.now()
    monkeypatch.setattr(clock, "now", lambda: moment + timedelta(minutes=59))
    assert read(sent[1]).state is InboundState.SELFTEST
    monkeypatch.setattr(clock, "now", lambda: moment + timedelta(minutes=61))
    assert read(sent[1]).state is not InboundState.SELFTEST


def test_class_52_a_token_of_a_run_that_was_never_sent_hides_no_mail(cast: Cast) -> None:
    token = tokens.keyring().issue(Kind.SELFTEST, bytes.fromhex(new_run()))
    assert read(letter(headers={HEADER: token})).state is InboundState.ACCEPTED


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.SELFTEST])
def test_class_17_a_token_of_another_kind_hides_no_mail(cast: Cast, kind: Kind) -> None:
    token = tokens.keyring().issue(kind, bytes.fromhex(new_run()))
    assert read(letter(headers={HEADER: token})).state is InboundState.ACCEPTED


def test_class_17_a_forged_token_hides_no_mail(cast: Cast) -> None:
    foreign = Keyring.of(["the secret of another desk, 32 characters or more"]).issue(Kind.SELFTEST, b"12345")
    for token in (foreign, "selftest", "1", ""):
        assert read(letter(headers={HEADER: token})).state is InboundState.ACCEPTED


def test_a_selftest_is_not_on_the_list_of_what_became_no_ticket(cast: Cast, sent: tuple[str, bytes]) -> None:
    read(sent[1])
    assert list_not_taken(cast.eve) == []
