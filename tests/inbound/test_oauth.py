"""Mailboxes that want an access token of OAuth: from a real token server, shown to a real Dovecot that asks it back."""

import json
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from pydantic import SecretStr

from helpdesk import clock
from helpdesk.database import db
from helpdesk.desk.alarms import SENTENCES
from helpdesk.health.readiness import reasons_against
from helpdesk.inbound.models import Source, SourceToken
from helpdesk.inbound.operations import process_received
from helpdesk.inbound.sources import imap, token_server
from helpdesk.inbound.sources.imap import fetch
from helpdesk.inbound.sources.mailbox import MailboxFailed
from helpdesk.sealing import seal, unseal
from helpdesk.tokens import Keyring
from tests.cast import Cast
from tests.inbound.mailbox_sources import (
    afresh,
    make_source,
    run_together,
    subjects,
    try_to_fetch,
    wait_until,
    watching,
)
from tests.letters import letter
from tests.servers.dovecot import Account, Dovecot
from tests.servers.fixtures import Certificates
from tests.servers.proxy import Proxy
from tests.servers.smtp import SilentServer
from tests.servers.tokens import CLIENT_SECRET, TokenServer

pytestmark = pytest.mark.dovecot
StartTokens = Callable[..., TokenServer]
WITHDRAWN = "We have no permission to read this mailbox any more (invalid_grant Token … has been revoked.)."
ASK_AGAIN = "It was withdrawn or has ended; give a new one with “helpdesk mail authorise Readers”."


@pytest.fixture
def tokens(start_token_server: StartTokens) -> TokenServer:
    """The token server."""
    return start_token_server()


@pytest.fixture
def account(tokens: TokenServer, start_dovecot: Callable[..., Dovecot]) -> Account:
    """A mailbox that the token server's access tokens open."""
    server = start_dovecot(None, introspection_url=f"{tokens.url}/introspect")
    account = server.add_mailbox()
    tokens.username = account.username
    return account


@pytest.fixture
def source(app: Flask, cast: Cast, account: Account, tokens: TokenServer) -> Source:
    """The mailbox as the desk knows it, with a refresh token in its settings."""
    give(app, imap_client_secret=CLIENT_SECRET, imap_refresh_token="refresh-0")
    source = make_source(app, cast, account.settings(oauth=tokens.settings()))
    give(app, imap_password="")
    return source


def give(app: Flask, **settings: str) -> None:
    """Change secrets of the settings."""
    changed = {name: SecretStr(value) for name, value in settings.items()}
    app.extensions["settings"] = app.extensions["settings"].model_copy(update=changed)


def test_mail_is_fetched_with_an_access_token_that_is_asked_for_once(
    source: Source, account: Account, tokens: TokenServer
) -> None:
    account.deliver(letter(subject="One"))
    assert fetch(source.id, "one") == 1
    account.deliver(letter(subject="Two"))
    assert fetch(source.id, "two") == 1
    process_received()
    assert (subjects(), afresh(source).last_error) == (["One", "Two"], None)
    assert tokens.asked == [
        {
            "client_id": "the-desk", "client_secret": CLIENT_SECRET, "grant_type": "refresh_token",
            "refresh_token": "refresh-0", "scope": "mail",
        }
    ]  # fmt: skip


def test_oauthbearer_is_spoken_where_there_is_no_xoauth2(
    app: Flask, source: Source, account: Account, proxy_to: Callable[..., Proxy]
) -> None:
    proxy = proxy_to(account.port, hide=b" AUTH=XOAUTH2")
    source.settings = source.settings | {"port": proxy.port}
    db.session.commit()
    account.deliver(letter())
    assert fetch(source.id, "one") == 1
    assert [line for line in proxy.lines if b"AUTHENTICATE OAUTHBEARER" in line] != []


def test_a_server_that_takes_no_tokens_is_told(
    app: Flask, source: Source, account: Account, proxy_to: Callable[..., Proxy]
) -> None:
    proxy = proxy_to(account.port, hide=(b" AUTH=XOAUTH2", b" AUTH=OAUTHBEARER"))
    source.settings = source.settings | {"port": proxy.port}
    db.session.commit()
    with pytest.raises(MailboxFailed, match="takes no access tokens of OAuth"):
        fetch(source.id, "one")


def test_l20_a_token_that_ends_is_renewed_before_it_is_refused(
    source: Source, account: Account, tokens: TokenServer
) -> None:
    fetch(source.id, "one")
    account.deliver(letter(subject="Later"))
    with clock.at(clock.now() + timedelta(minutes=59, seconds=30)):
        tokens.access_tokens.clear()
        assert fetch(source.id, "one") == 1
    assert len(tokens.asked) == 2
    assert "Password mismatch" not in account.server.log()


def test_l20_a_token_that_ends_before_its_time_is_renewed_when_it_is_refused(
    source: Source, account: Account, tokens: TokenServer
) -> None:
    fetch(source.id, "one")
    tokens.access_tokens.clear()
    account.deliver(letter())
    assert fetch(source.id, "one") == 1
    assert len(tokens.asked) == 2


def test_l20_a_permission_that_is_withdrawn_is_told_within_a_quarter_of_an_hour_and_heals(
    app: Flask, source: Source, account: Account, tokens: TokenServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imap, "FIRST_DELAY_SECONDS", 0.1)
    monkeypatch.setattr(imap, "LONGEST_DELAY_SECONDS", 0.5)
    fetch(source.id, "one")
    tokens.revoke()
    try_to_fetch(source)
    assert afresh(source).last_error == f"{WITHDRAWN} {ASK_AGAIN}"
    with clock.at(clock.now() + timedelta(minutes=15, seconds=1)):
        try_to_fetch(source)
        assert reasons_against(app.extensions["settings"], app.extensions["probe"])["mail_in"] == "mail not fetched"
    assert "not fetched" in SENTENCES
    account.deliver(letter(subject="Meanwhile"))
    with watching(app, source.id):
        tokens.refresh_tokens.add("refresh-new")
        give(app, imap_refresh_token="refresh-new")
        wait_until(lambda: subjects() == ["Meanwhile"])
    assert afresh(source).last_error is None


def test_a_refresh_token_that_changes_each_time_is_kept_sealed_and_used(
    app: Flask, source: Source, account: Account, tokens: TokenServer
) -> None:
    tokens.rotates = True
    for number in range(3):
        tokens.access_tokens.clear()
        account.deliver(letter(subject=str(number)))
        assert fetch(source.id, "one") == 1
    assert [asked["refresh_token"] for asked in tokens.asked] == ["refresh-0", "refresh-1", "refresh-2"]
    sealed = db.session.get_one(SourceToken, source.id).sealed
    assert "refresh-3" not in sealed
    assert json.loads(unseal(sealed, purpose="token of a mailbox") or "")["refresh_token"] == "refresh-3"


def test_workers_that_need_a_token_at_once_ask_for_one(
    app: Flask, source: Source, account: Account, tokens: TokenServer
) -> None:
    tokens.rotates = True
    source_id, found = source.id, []
    token = imap.address_of(source).token
    assert token is not None
    db.session.rollback()
    run_together([lambda: found.append(token("")) for _ in range(4)])
    assert found == ["access-token-number-1"] * 4
    assert (len(tokens.asked), db.session.get_one(SourceToken, source_id).renewing_until) == (1, None)


def test_a_worker_that_dies_while_it_asks_keeps_nobody_out_for_long(
    app: Flask, source: Source, account: Account, tokens: TokenServer
) -> None:
    db.session.add(SourceToken(source_id=source.id, renewing_until=clock.now() + timedelta(seconds=60)))
    db.session.commit()
    with clock.at(clock.now() + timedelta(seconds=61)):
        assert fetch(source.id, "one") == 0
    assert len(tokens.asked) == 1


BAD: list[tuple[Any, str]] = [
    ((503, {}), "The token server 127.0.0.1 does not work just now (status 503)."),
    ((429, {}), "The token server 127.0.0.1 does not work just now (status 429)."),
    ((302, {}), "The token server 127.0.0.1 points elsewhere (status 302), where nobody follows."),
    ((200, b"<html>Sign in"), "The token server 127.0.0.1 gives no answer that can be read (status 200)."),
    ((200, b"[1]"), "The token server 127.0.0.1 gives no answer that can be read (status 200)."),
    ((200, b"[" * 60_000), "The token server 127.0.0.1 gives no answer that can be read (status 200)."),
    ((200, b"{" + b" " * 70_000 + b"}"), "The token server 127.0.0.1 says more than an answer can hold."),
    ((200, {"token_type": "Bearer"}), "The token server gives no access token (without a reason)."),
    ((200, {"access_token": "two\r\nlines"}), "The token server gives no access token (without a reason)."),
    ((200, {"access_token": 7}), "The token server gives no access token (without a reason)."),
    ((400, {"error": "invalid_scope"}), "The token server gives no access token (invalid_scope)."),
    (
        (401, {"error": "invalid_client"}),
        "The token server does not know us as client the-desk (invalid_client). "
        "Its secret may have ended; see HELPDESK_IMAP_CLIENT_SECRET.",
    ),
]


@pytest.mark.parametrize(("said", "sentence"), BAD)
def test_a_token_server_that_fails_is_told_in_a_sentence(
    source: Source, tokens: TokenServer, said: Any, sentence: str
) -> None:
    tokens.instead = said
    with pytest.raises(MailboxFailed) as failed:
        fetch(source.id, "one")
    assert failed.value.message == sentence
    assert afresh(source).last_error == sentence
    tokens.instead = None
    assert (fetch(source.id, "one"), afresh(source).last_error) == (0, None)


def test_l20_a_client_secret_that_has_ended_is_told_without_it(app: Flask, source: Source) -> None:
    give(app, imap_client_secret="a-secret-that-has-ended")
    with pytest.raises(MailboxFailed, match="does not know us as client the-desk") as failed:
        fetch(source.id, "one")
    assert "a-secret-that-has-ended" not in failed.value.message


def test_a_token_server_that_never_answers_costs_one_timeout(
    app: Flask, source: Source, silent_server: SilentServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(token_server, "TIMEOUT_SECONDS", 0.5)
    point_at(source, token_endpoint=f"http://127.0.0.1:{silent_server.port}/token")
    with pytest.raises(MailboxFailed, match=r"The token server 127\.0\.0\.1 does not answer: timed out"):
        fetch(source.id, "one")


@pytest.mark.parametrize(
    ("endpoint", "why"),
    [
        ("http://login.example.org/token", "only asked over https"),
        ("file:///etc/passwd", "must begin with https"),
        ("", "must begin with https"),
        ("https://127.0.0.1:99999/token", "does not answer"),
    ],
)
def test_class_65_a_token_server_is_asked_over_tls_alone(source: Source, endpoint: str, why: str) -> None:
    point_at(source, token_endpoint=endpoint)
    with pytest.raises(MailboxFailed, match=why):
        fetch(source.id, "one")


@pytest.mark.parametrize("name", ["good", "stranger", "expired", "elsewhere"])
def test_class_65_a_token_server_with_a_bad_certificate_gets_no_secret(
    app: Flask, source: Source, start_token_server: StartTokens, certificates: Certificates, name: str
) -> None:
    certificate = getattr(certificates, name)
    over_tls = start_token_server(certificate=certificate)
    trusted = certificates.good if name == "stranger" else certificate
    point_at(source, token_endpoint=f"{over_tls.url}/token", ca_file=str(trusted.chain))
    with pytest.raises(MailboxFailed, match="refuses the access token" if name == "good" else "certificate verify"):
        fetch(source.id, "one")
    assert len(over_tls.asked) == (2 if name == "good" else 0)


def test_without_a_refresh_token_the_source_says_how_to_get_one(app: Flask, source: Source) -> None:
    give(app, imap_refresh_token="")
    with pytest.raises(MailboxFailed) as failed:
        fetch(source.id, "one")
    assert failed.value.message == (
        "We have no permission to read this mailbox yet. Give one with “helpdesk mail authorise Readers”."
    )


def test_no_secret_is_logged(
    source: Source, account: Account, tokens: TokenServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    fetch(source.id, "one")
    tokens.revoke()
    try_to_fetch(source)
    written = caplog.text + str(afresh(source).last_error)
    for secret in (CLIENT_SECRET, "refresh-0", "refresh-1", "access-token-number"):
        assert secret not in written


def test_a_token_server_that_is_slow_holds_no_transaction(
    app: Flask, source: Source, account: Account, tokens: TokenServer
) -> None:
    source_id = source.id
    with asking(app, source_id, tokens):
        db.session.get_one(Source, source_id).settings = account.settings(oauth=tokens.settings(scope="other"))
        db.session.commit()
    assert afresh(db.session.get_one(Source, source_id)).last_success_at is not None


def test_a_worker_that_stood_still_frees_no_claim_of_another(
    app: Flask, source: Source, account: Account, tokens: TokenServer
) -> None:
    source_id, others = source.id, clock.now() + timedelta(minutes=3)
    with asking(app, source_id, tokens):
        db.session.get_one(SourceToken, source_id).renewing_until = others
        db.session.commit()
    db.session.rollback()
    assert db.session.get_one(SourceToken, source_id).renewing_until == others


def test_a_sealed_secret_is_opened_by_any_key_of_now_for_its_purpose_alone(app: Flask) -> None:
    sealed = seal("refresh-0", purpose="one")
    assert (unseal(sealed, purpose="one"), unseal(sealed, purpose="two")) == ("refresh-0", None)
    old = app.extensions["keyring"].keys
    app.extensions["keyring"] = Keyring((b"n" * 32, *old))
    assert unseal(sealed, purpose="one") == "refresh-0"
    app.extensions["keyring"] = Keyring((b"n" * 32,))
    assert (unseal(sealed, purpose="one"), unseal("no seal", purpose="one")) == (None, None)


# The rest prepares.


@contextmanager
def asking(app: Flask, source_id: int, tokens: TokenServer) -> Iterator[None]:
    """Let a worker fetch, and the token server answer it only when this ends."""
    tokens.waits_for = threading.Event()
    db.session.rollback()
    fetcher = threading.Thread(target=fetch_in, args=(app, source_id))
    fetcher.start()
    wait_until(lambda: len(tokens.asked) == 1)
    yield
    tokens.waits_for.set()
    fetcher.join(60)


def point_at(source: Source, **changed: str) -> None:
    """Change the part "oauth" of the source's settings."""
    source.settings = source.settings | {"oauth": source.settings["oauth"] | changed}
    db.session.commit()


def fetch_in(app: Flask, source_id: int) -> None:
    with app.app_context():
        fetch(source_id, "one")
