"""`helpdesk mail mailbox` and `helpdesk mail authorise`, against a real token server and a real mailbox."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import click
import pytest
from flask import Flask

from helpdesk.cli import main
from helpdesk.config import PREFIX, Settings
from helpdesk.database import db
from helpdesk.inbound.models import Source, SourceToken
from helpdesk.inbound.sources import permission
from helpdesk.inbound.sources.imap import fetch
from helpdesk.inbound.sources.oauth import Grant
from helpdesk.sealing import unseal
from tests.cast import Cast
from tests.conftest import SECRET
from tests.inbound.mailbox_sources import make_source
from tests.letters import letter
from tests.servers.dovecot import Dovecot
from tests.servers.tokens import CLIENT_ID, CLIENT_SECRET, TokenServer

pytestmark = [pytest.mark.dovecot, pytest.mark.engines("sqlite")]
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def tokens(start_token_server: Callable[..., TokenServer]) -> TokenServer:
    """The token server."""
    return start_token_server()


@pytest.fixture
def source(app: Flask, cast: Cast, tokens: TokenServer, start_dovecot: Callable[..., Dovecot]) -> Source:
    """A mailbox that nobody has given us permission to read."""
    account = start_dovecot(None, introspection_url=f"{tokens.url}/introspect").add_mailbox()
    tokens.username = account.username
    account.deliver(letter())
    return make_source(app, cast, account.settings(), name="Inbox")


@pytest.fixture
def run(settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Run a command with this desk's settings; returns exit code, output and errors."""
    given = {"SECRET_KEYS": SECRET, "DATA_DIR": str(settings.data_dir), "IMAP_CLIENT_SECRET": CLIENT_SECRET}
    for name, value in given.items():
        monkeypatch.setenv(PREFIX + name, value)
    monkeypatch.chdir(tmp_path)

    def run_command(*arguments: str) -> tuple[int, str, str]:
        db.session.rollback()
        try:
            main(list(arguments))
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
        return code, *capsys.readouterr()

    return run_command


def endpoints(tokens: TokenServer, *names: str) -> list[str]:
    places = {"token": "/token", "device": "/device", "authorization": "/authorize"}
    pairs = [(f"--{name}-endpoint", tokens.url + places[name]) for name in names]
    return [*(word for pair in pairs for word in pair), "--client-id", CLIENT_ID, "--scope", "mail"]


def test_a_mailbox_is_shown_and_changed(run: Run, source: Source) -> None:
    code, out, _ = run("mail", "mailbox", "Inbox", "--folder", "Letters", "--processed-folder", "Done")
    assert (code, out.splitlines()[0]) == (0, "folder: Letters")
    assert "processed_folder: Done" in out
    assert run("mail", "mailbox", "Inbox", "--processed-folder", "")[0] == 0
    db.session.refresh(source)
    assert (source.settings["folder"], "processed_folder" in source.settings) == ("Letters", False)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (("--processed-folder", "INBOX"), "must go to another folder"),
        (("--host", "mail.example.org"), "Without TLS a mailbox is only read on this machine"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(run: Run, source: Source, given: tuple[str, ...], why: str) -> None:
    before = dict(source.settings)
    code, _, said = run("mail", "mailbox", "Inbox", *given)
    assert (code, why in said) == (1, True)
    db.session.refresh(source)
    assert source.settings == before


def test_a_mailbox_that_is_not_there_is_named_with_those_that_are(run: Run, source: Source) -> None:
    assert run("mail", "mailbox", "Letters") == (1, "", "There is no mailbox Letters; there is Inbox.\n")


def test_permission_is_given_by_a_code_and_kept_sealed(run: Run, source: Source, tokens: TokenServer) -> None:
    tokens.device_answers = ["authorization_pending", "authorization_pending"]
    code, out, said = run("mail", "authorise", "Inbox", *endpoints(tokens, "token", "device"))
    assert (code, said) == (0, "")
    assert out.splitlines() == [
        "Open https://login.example.org/device in any browser, sign in as the mailbox, and type: ABCD-EFGH",
        "Permission was given, and is kept sealed in the database.",
        "The mailbox Inbox lets us in.",
    ]
    sealed = db.session.get_one(SourceToken, source.id).sealed
    kept = json.loads(unseal(sealed, purpose="token of a mailbox") or "")
    assert (kept["refresh_token"], "refresh-1" in sealed) == ("refresh-1", False)
    assert fetch(source.id, "one") == 1
    assert CLIENT_SECRET not in json.dumps(source.settings)


def test_permission_can_be_given_again_with_nothing_but_the_name(run: Run, source: Source, tokens: TokenServer) -> None:
    run("mail", "authorise", "Inbox", *endpoints(tokens, "token", "device"))
    tokens.revoke()
    assert run("mail", "authorise", "Inbox")[0] == 0
    assert fetch(source.id, "one") == 1


def test_a_mailbox_goes_back_to_its_password(run: Run, source: Source, tokens: TokenServer) -> None:
    run("mail", "authorise", "Inbox", *endpoints(tokens, "token", "device"))
    code, out, _ = run("mail", "mailbox", "Inbox", "--with-password")
    assert (code, "oauth" in out) == (0, False)


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ("access_denied", "The token server gives no access token (access_denied).\n"),
        ("expired_token", "The token server gives no access token (expired_token).\n"),
    ],
)
def test_an_owner_who_says_no_is_heard(
    run: Run, source: Source, tokens: TokenServer, answer: str, sentence: str
) -> None:
    tokens.device_answers = [answer]
    code, _, said = run("mail", "authorise", "Inbox", *endpoints(tokens, "token", "device"))
    assert (code, said) == (1, sentence)
    db.session.refresh(source)
    assert ("oauth" in source.settings, db.session.get(SourceToken, source.id)) == (False, None)


def test_a_server_that_wants_to_be_asked_more_slowly_is(
    run: Run, source: Source, tokens: TokenServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr(permission.time, "sleep", slept.append)
    tokens.device_answers = ["slow_down", "slow_down"]
    assert run("mail", "authorise", "Inbox", *endpoints(tokens, "token", "device"))[0] == 0
    assert slept == [0.0, 5.0, 10.0]


def test_permission_is_given_by_an_address_that_is_pasted_back(
    run: Run, source: Source, tokens: TokenServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[str] = []
    real = click.echo
    monkeypatch.setattr(click, "echo", lambda text="", **how: (shown.append(str(text)), real(text, **how)))
    monkeypatch.setattr(click, "prompt", lambda _text: come_back(shown))
    code, _, said = run("mail", "authorise", "Inbox", *endpoints(tokens, "token", "authorization"))
    assert (code, said) == (0, "")
    asked = next(fields for fields in tokens.asked if fields["grant_type"] == "authorization_code")
    assert (asked["code"], asked["redirect_uri"]) == ("the-code", "http://127.0.0.1:8400/")
    assert len(asked["code_verifier"]) >= 43
    assert fetch(source.id, "one") == 1


def test_class_53_an_address_of_another_visit_gives_no_permission(
    run: Run, source: Source, tokens: TokenServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(click, "prompt", lambda _text: "http://127.0.0.1:8400/?state=another&code=theirs")
    code, _, said = run("mail", "authorise", "Inbox", *endpoints(tokens, "token", "authorization"))
    assert (code, said) == (1, "That is not the address at which this visit ends well (no code).\n")
    assert tokens.asked == []


@pytest.mark.parametrize(
    "given", [(), ("--client-id", "x"), ("--client-id", "x", "--token-endpoint", "https://x.org/")]
)
def test_what_is_missing_is_said(run: Run, source: Source, given: tuple[str, ...]) -> None:
    code, _, said = run("mail", "authorise", "Inbox", *given)
    assert (code, said.startswith("Say --")) == (1, True)


@pytest.mark.parametrize(
    ("provider", "endpoint"),
    [("google", "https://accounts.google.com/o/oauth2/v2/auth"), ("microsoft", "")],
)
def test_the_known_providers_need_a_client_id_alone(app: Flask, provider: str, endpoint: str) -> None:
    grant = Grant.of("Inbox", {"provider": provider, "client_id": "x", "tenant": "example.org"})
    assert grant.authorization_endpoint == endpoint
    assert grant.token_endpoint.startswith("https://")
    assert "{" not in grant.token_endpoint + grant.device_endpoint
    assert bool(grant.device_endpoint) is (provider == "microsoft")


# The rest prepares.


def come_back(shown: list[str]) -> str:
    """The address that the provider sends the browser to, when the owner says yes."""
    address = next(found for text in shown for found in re.findall(r"http\S+authorize\S+", text))
    state = parse_qs(urlsplit(address).query)["state"][0]
    return f" http://127.0.0.1:8400/?state={state}&code=the-code&scope=mail \n"
