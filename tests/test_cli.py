"""Each command of `helpdesk`, and the one sentence it says when something is wrong."""

import io
import json
import os
import re
import signal
import stat
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import select, true

from helpdesk import create_app
from helpdesk.addresses import with_token
from helpdesk.agents.models import Agent
from helpdesk.agents.roles import Role
from helpdesk.cli import helpdesk, main
from helpdesk.config import load_settings
from helpdesk.database import db
from helpdesk.inbound.models import InboundEmail, Source
from helpdesk.logs import Masker
from helpdesk.ports import listen_near, port_of
from helpdesk.sites.models import Queue, Site
from helpdesk.tickets.links import reply_address
from helpdesk.tickets.models import Origin, Ticket
from helpdesk.tickets.operations import Letter, open_ticket
from helpdesk.tickets.search import clear_index, matching_tickets
from helpdesk.tickets.words import Wanted
from helpdesk.tokens import Kind, keyring
from tests.conftest import token_in
from tests.processes import descendants, is_alive
from tests.servers.dovecot import Account
from tests.servers.ports import free_port

ANSWERS = {
    "--base-url": "http://127.0.0.1:5000",
    "--smtp-host": "127.0.0.1",
    "--smtp-port": "9",
    "--smtp-security": "none",
    "--smtp-username": "",
    "--site-name": "The Tidewater Post",
    "--home-url": "https://blog.example.org/",
    "--url-prefixes": "https://blog.example.org/en/ https://blog.example.org/de/",
    "--queue-name": "Readers",
    "--intake-address": "Support@Example.org",
    "--sender-name": "The Tidewater Post",
    "--admin-name": "Carla Cole",
    "--admin-email": "carla@example.org",
    "--imap-host": "",
}
NEW_PASSWORD = "three herrings on a gate"


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Each test stands in an empty folder and has no settings but its own."""
    for name in [name for name in os.environ if name.startswith("HELPDESK_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run a command as the terminal does; returns exit code, output and errors."""

    def run_command(*arguments: str) -> tuple[int, str, str]:
        try:
            main(list(arguments))
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run_command


@pytest.fixture
def set_up(run: Callable[..., tuple[int, str, str]]) -> str:
    """A desk that was set up in this folder; returns what the command said."""
    code, out, err = run("setup", *options())
    assert (code, err) == (0, "")
    return out


@pytest.fixture
def own_desk(set_up: str) -> Iterator[Flask]:
    """Its application."""
    app = create_app(load_settings())
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


def options(**others: str) -> list[str]:
    """The answers of the owner as options, with some changed."""
    changed = {f"--{name.replace('_', '-')}": value for name, value in others.items()}
    return [word for pair in (ANSWERS | changed).items() for word in pair]


def letter_to(address: str, text: str = "The bridge has nine piers, not eight.") -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "Ruth <ruth@example.com>", address, "Your article"
    mail["Message-ID"] = "<one@example.com>"
    mail.set_content(text)
    return mail.as_bytes()


def test_help_names_the_commands_in_the_order_an_owner_meets_them(run: Callable[..., tuple[int, str, str]]) -> None:
    code, out, err = run("--help")
    names = [line.split()[0] for line in out.partition("Commands:\n")[2].splitlines()]
    expected = [
        "setup",
        "up",
        "doctor",
        "web",
        "worker",
        "lmtp",
        "receive",
        "mail",
        "demo",
        "add-agent",
        "change-site",
        "migrate",
        "reindex",
    ]
    assert (code, names, err) == (0, expected, "")


@pytest.mark.parametrize("command", ["up", "web", "worker", "migrate", "reindex"])
def test_without_settings_a_command_says_what_is_missing(
    command: str, run: Callable[..., tuple[int, str, str]]
) -> None:
    assert run(command) == (1, "", "HELPDESK_SECRET_KEYS: Field required\n")


def test_an_unknown_command_is_a_sentence_and_exit_code_2(run: Callable[..., tuple[int, str, str]]) -> None:
    code, _, err = run("tidy")
    assert (code, err.splitlines()[-1]) == (2, "Error: No such command 'tidy'.")


def test_setup_writes_settings_that_only_the_owner_can_read(set_up: str, tmp_path: Path) -> None:
    file = tmp_path / "data" / "helpdesk.env"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    settings = load_settings()
    assert len(settings.secret_keys[0].get_secret_value()) == 64
    assert (settings.smtp_port, settings.smtp_security) == (9, "none")


def test_setup_keeps_a_password_with_quotes_as_it_is(run: Callable[..., tuple[int, str, str]]) -> None:
    password = 'it\'s \\ "odd" $HOME #1'
    assert run("setup", *options(smtp_username="desk", smtp_password=password))[0] == 0
    assert load_settings().smtp_password.get_secret_value() == password


def test_setup_adds_publication_queue_topics_and_an_admin_without_password(own_desk: Flask) -> None:
    site = db.session.scalars(select(Site)).one()
    assert (site.name, site.slug, site.is_default) == ("The Tidewater Post", "the-tidewater-post", True)
    assert site.url_prefixes == ["https://blog.example.org/en/", "https://blog.example.org/de/"]
    assert [topic.slug for topic in site.topics] == [
        "mistake", "question", "broken-page", "rights", "tip", "praise", "other",
    ]  # fmt: skip
    queue = db.session.scalars(select(Queue)).one()
    assert (queue.intake_address, [agent.name for agent in queue.members]) == ("support@example.org", ["Carla Cole"])
    admin = db.session.scalars(select(Agent)).one()
    assert (admin.email, admin.role, admin.password) == ("carla@example.org", Role.ADMIN, None)


def test_setup_prints_a_link_that_sets_a_password_once(set_up: str, own_desk: Flask) -> None:
    link = re.search(r"http://127.0.0.1:5000(/desk/password/forgotten/\S+)", set_up)
    assert link is not None
    browser = own_desk.test_client()
    page = browser.get(link[1], base_url="http://127.0.0.1:5000")
    words = {"password": NEW_PASSWORD, "password_confirm": NEW_PASSWORD, "csrf_token": token_in(page.text)}
    chosen = browser.post(link[1], data=words, base_url="http://127.0.0.1:5000")
    assert (chosen.status_code, chosen.location) == (302, "/desk/sign-in")
    again = own_desk.test_client().get(link[1], base_url="http://127.0.0.1:5000")
    assert (again.status_code, again.location) == (302, "/desk/password/forgotten")


def test_setup_a_second_time_is_refused(set_up: str, run: Callable[..., tuple[int, str, str]]) -> None:
    sentence = "This desk is set up already. Use “helpdesk add-agent” for another colleague.\n"
    assert run("setup", *options()) == (1, "", sentence)


def test_setup_asks_what_no_option_answers() -> None:
    typed = [
        "The Tidewater Post",
        "https://blog.example.org/",
        "",
        "",
        "support@example.org",
        "",
        "Carla",
        "c@example.org",
    ]
    rest = ["", "", "127.0.0.1", "9", "none", ""]  # no mailbox, then the settings
    result = CliRunner().invoke(helpdesk, ["setup"], input="\n".join(typed + rest) + "\n", catch_exceptions=False)
    assert result.exit_code == 0
    app = create_app(load_settings())
    with app.app_context():
        queue = db.session.scalars(select(Queue)).one()
        assert (queue.name, queue.sender_name) == ("Readers", "The Tidewater Post")
        assert queue.site.url_prefixes == ["https://blog.example.org/"]


def test_setup_refuses_an_impossible_address_before_anything_is_written(
    run: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    code, _, err = run("setup", *options(intake_address="support"))
    assert (code, err) == (1, "Enter an email address like name@example.org\n")
    assert list(tmp_path.iterdir()) == []


def test_setup_keeps_the_mailbox_and_its_password_apart(run: Callable[..., tuple[int, str, str]]) -> None:
    mailbox = {"imap_host": "imap.example.org", "imap_security": "starttls", "imap_port": "143"}
    assert run("setup", *options(**mailbox, imap_username="desk", imap_password="s3cret"))[0] == 0
    app = create_app(load_settings())
    with app.app_context():
        source = db.session.scalars(select(Source)).one()
        assert source.settings == {
            "host": "imap.example.org", "port": 143, "security": "starttls", "username": "desk",
        }  # fmt: skip
        assert load_settings().imap_password_of(source.name) == "s3cret"


def test_check_mail_says_that_the_server_let_us_in(run: Callable[..., tuple[int, str, str]]) -> None:
    server = Controller(object(), hostname="127.0.0.1", port=free_port())
    server.start()
    try:
        code, out, _ = run("setup", "--check-mail", *options(smtp_port=str(server.port)))
    finally:
        server.stop()
    assert (code, out.splitlines()[1]) == (0, "The mail server that sends let us in.")


def test_check_mail_stops_before_anything_is_set_up_and_setup_can_be_repeated(
    run: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    code, _, err = run("setup", "--check-mail", *options(smtp_port=str(free_port())))
    sentence = "The mail server that sends did not let us in: [Errno 111] Connection refused\n"
    assert (code, err) == (1, sentence)
    assert run("setup", *options())[0] == 0


def test_check_mail_names_a_mailbox_that_cannot_be_reached(run: Callable[..., tuple[int, str, str]]) -> None:
    server = Controller(object(), hostname="127.0.0.1", port=free_port())
    server.start()
    port = free_port()
    mailbox = {"imap_host": "127.0.0.1", "imap_port": str(port), "imap_security": "tls", "imap_username": "desk"}
    try:
        arguments = options(smtp_port=str(server.port), **mailbox, imap_password="x")
        code, _, err = run("setup", "--check-mail", *arguments)
    finally:
        server.stop()
    reason = f"127.0.0.1:{port}: [Errno 111] Connection refused"
    assert (code, err) == (1, f"The mailbox did not let us in: {reason}\n")


def test_check_mail_looks_into_a_real_mailbox(run: Callable[..., tuple[int, str, str]], mailbox: Account) -> None:
    server = Controller(object(), hostname="127.0.0.1", port=free_port())
    server.start()
    mailbox.deliver(letter_to("support@example.org"))
    place = {"imap_host": "127.0.0.1", "imap_port": str(mailbox.port), "imap_security": "none"}
    account = {"imap_username": mailbox.username, "imap_password": mailbox.password}
    try:
        code, out, err = run("setup", "--check-mail", *options(smtp_port=str(server.port), **place, **account))
    finally:
        server.stop()
    assert (code, err, out.splitlines()[2]) == (0, "", "The mailbox let us in; it holds 1 mails.")


def test_worker_reads_a_mailbox_that_is_added_while_it_runs_and_ends_politely(
    own_desk: Flask, mailbox: Account, tmp_path: Path
) -> None:
    with (tmp_path / "helpdesk.log").open("wb") as log:
        env = os.environ | {"HELPDESK_IMAP_PASSWORD": mailbox.password}
        worker = subprocess.Popen([Path(sys.executable).parent / "helpdesk", "worker"], stdout=log, stderr=log, env=env)
    try:
        queue = db.session.scalars(select(Queue)).one()
        db.session.add(Source(name="Inbox", queue=queue, settings=mailbox.settings()))
        db.session.commit()
        mailbox.deliver(letter_to("support@example.org"))
        wait_until(lambda: subjects() == ["Your article"])
    finally:
        worker.terminate()
    assert worker.wait() == 0
    assert "Traceback" not in (tmp_path / "helpdesk.log").read_text()


def test_add_agent_prints_a_link(run: Callable[..., tuple[int, str, str]], own_desk: Flask) -> None:
    code, out, _ = run("add-agent", "--name", "Ann Archer", "--email", "Ann@example.org", "--role", "agent")
    sentence, link = out.splitlines()
    assert (code, sentence) == (
        0, "Ann Archer may sign in after choosing a password here, within 4 hours and once:",
    )  # fmt: skip
    assert link.startswith("http://127.0.0.1:5000/desk/password/forgotten/")
    ann = db.session.scalars(select(Agent).where(Agent.email == "ann@example.org")).one()
    assert (ann.role, ann.password) == (Role.AGENT, None)


def test_add_agent_refuses_an_address_that_has_an_account(
    run: Callable[..., tuple[int, str, str]], set_up: str
) -> None:
    arguments = ("add-agent", "--name", "Carla", "--email", "carla@example.org")
    assert run(*arguments) == (1, "", "carla@example.org has an account already.\n")


def test_change_site_says_what_holds_from_now_on(run: Callable[..., tuple[int, str, str]], own_desk: Flask) -> None:
    site = db.session.scalars(select(Site)).one()
    closed, opens = "stays closed when its reader only says thank you", "opens again whatever its reader writes"
    for option, said, is_on in (("--file-thanks", closed, True), ("--no-file-thanks", opens, False)):
        assert run("change-site", option) == (0, f"The Tidewater Post: a closed ticket {said}.\n", "")
        db.session.rollback()
        assert site.files_thanks is is_on
    assert run("change-site", "--site", "elsewhere", "--file-thanks") == (1, "", "There is no such publication.\n")


def test_migrate_can_be_repeated(run: Callable[..., tuple[int, str, str]], set_up: str) -> None:
    assert run("migrate") == (0, "The database is up to date.\n", "")


def test_a_database_that_is_behind_is_named_with_its_remedy(
    run: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HELPDESK_SECRET_KEYS", "k" * 40)
    assert run("up") == (1, "", "The database is not up to date. Run “helpdesk migrate” first.\n")


def test_reindex_makes_every_message_findable_again(run: Callable[..., tuple[int, str, str]], own_desk: Flask) -> None:
    site = db.session.scalars(select(Site)).one()
    letter = Letter(body_text="The lighthouse is red.", from_address="ruth@example.com")
    ticket = open_ticket(site, queue=site.queues[0], letter=letter, origin=Origin.FORM)
    ticket_id, message_id = ticket.id, ticket.messages[0].id
    clear_index()
    db.session.commit()
    assert matching_tickets([Wanted(("lighthouse",))], most=50, within=true()) == []
    db.session.rollback()
    assert run("reindex") == (0, "1 messages can be found again.\n", "")
    assert matching_tickets([Wanted(("lighthouse",))], most=50, within=true()) == [(ticket_id, message_id)]


def test_receive_keeps_a_mail_and_ends_with_0(
    run: Callable[..., tuple[int, str, str]], own_desk: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    give_stdin(monkeypatch, letter_to("support@example.org"))
    envelope = ("--envelope-from", "ruth@example.com", "--envelope-to", "support@example.org")
    assert run("receive", *envelope) == (0, "", "")
    kept = db.session.scalars(select(InboundEmail)).one()
    assert (kept.envelope_from, kept.envelope_to) == ("ruth@example.com", ["support@example.org"])


def test_receive_without_a_desk_asks_the_mail_server_to_try_again(
    run: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    give_stdin(monkeypatch, letter_to("support@example.org"))
    assert run("receive") == (75, "", "The mail was not taken: HELPDESK_SECRET_KEYS: Field required\n")


def test_receive_asks_for_another_try_whatever_goes_wrong(
    run: Callable[..., tuple[int, str, str]], own_desk: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    give_stdin(monkeypatch, letter_to("support@example.org"))
    monkeypatch.setenv("HELPDESK_DATABASE_URL", "nonsense")
    code, _, said = run("receive")
    assert (code, said.startswith("The mail was not taken: ")) == (75, True)


def test_mail_inspect_names_the_ticket_and_why(
    run: Callable[..., tuple[int, str, str]], own_desk: Flask, tmp_path: Path
) -> None:
    site = db.session.scalars(select(Site)).one()
    letter = Letter(body_text="Hello", from_address="ruth@example.com")
    ticket = open_ticket(site, queue=site.queues[0], letter=letter, origin=Origin.FORM)
    address = reply_address(ticket)
    (tmp_path / "answer.eml").write_bytes(letter_to(address))
    code, out, _ = run("mail", "inspect", "--json", "answer.eml")
    report = json.loads(out)
    assert code == 0
    assert (report["file"], report["verdict"]) == ("answer.eml", "welcome")
    assert (report["thread_key"], report["thread_why"]) == (
        f"ticket:{ticket.id}", f"the reply address {address} carries its token",
    )  # fmt: skip


def test_mail_inspect_names_the_delivery_that_came_back(
    run: Callable[..., tuple[int, str, str]], own_desk: Flask, tmp_path: Path
) -> None:
    address = with_token("bounce@example.org", keyring().issue(Kind.BOUNCE, (7).to_bytes(5)))
    (tmp_path / "back.eml").write_bytes(b"Return-Path: <>\n" + letter_to(address))
    report = json.loads(run("mail", "inspect", "--json", "back.eml")[1])
    assert (report["verdict"], report["thread_key"], report["thread_why"]) == (
        "bounce", "delivery:7", f"the bounce address {address} names delivery 7",
    )  # fmt: skip


def test_mail_inspect_works_where_no_desk_is(run: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    (tmp_path / "one.eml").write_bytes(letter_to("support@example.org"))
    code, out, _ = run("mail", "inspect", "one.eml")
    lines = out.splitlines()
    assert (code, lines[0]) == (0, "From:         Ruth <ruth@example.com>")
    assert lines[-2:] == ["Thread:       a new ticket", "Because:      no desk is set up here to ask for its keys"]
    assert [path.name for path in tmp_path.iterdir()] == ["one.eml"]


def test_mail_inspect_of_a_file_that_is_not_there_is_a_sentence(run: Callable[..., tuple[int, str, str]]) -> None:
    code, _, err = run("mail", "inspect", "none.eml")
    assert (code, err.splitlines()[-1]) == (
        2, "Error: Invalid value for 'FILES...': File 'none.eml' does not exist.",
    )  # fmt: skip


def test_web_names_a_port_that_is_taken(run: Callable[..., tuple[int, str, str]], set_up: str) -> None:
    with listen_near(0) as taken:
        bind = f"127.0.0.1:{port_of(taken)}"
        assert run("web", "--bind", bind) == (1, "", f"Cannot listen on {bind}: another program uses this port.\n")


def test_web_refuses_words_that_are_no_address(run: Callable[..., tuple[int, str, str]], set_up: str) -> None:
    sentence = "“everywhere” is no address to listen on; write it as 127.0.0.1:5000.\n"
    assert run("web", "--bind", "everywhere") == (1, "", sentence)


def test_the_sample_desk_is_never_run_as_a_real_one(
    run: Callable[..., tuple[int, str, str]], set_up: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HELPDESK_DEMO", "true")
    assert run("up") == (1, "", "HELPDESK_DEMO is for the sample desk; run “helpdesk demo” instead.\n")


def test_the_log_shows_no_token() -> None:
    assert Masker(()).mask("/ticket/siaqaaaaaabx3hmm6mlv5rqfchmm2tfmypluq") == "/ticket/…"
    assert Masker(()).mask("/desk/password/forgotten/WyI1ZTk0YyIsbnVsbF0.abc.d-e_f") == "/desk/password/forgotten/…"
    assert Masker(()).mask("/desk/tickets/42/reply") == "/desk/tickets/42/reply"


def test_up_answers_replaces_what_dies_logs_no_secrets_and_stops_whole(set_up: str, tmp_path: Path) -> None:
    port = free_port()
    command = [Path(sys.executable).parent / "helpdesk", "up", "--bind", f"127.0.0.1:{port}"]
    with (tmp_path / "log").open("wb") as log:
        desk = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    try:
        wait_for_status(f"http://127.0.0.1:{port}/contact?url=https://blog.example.org/secret-draft", 200)
        wait_until(lambda: len(descendants(desk.pid)) == 5)  # web with its two processes, the worker with its reader
        first = descendants(desk.pid)
        web = min(first)
        os.kill(web, signal.SIGKILL)
        wait_until(lambda: "web ended unexpectedly" in (tmp_path / "log").read_text())
        wait_for_status(f"http://127.0.0.1:{port}/ticket/{'a' * 40}", 404)
        everybody = {*first, *descendants(desk.pid)}
    finally:
        desk.terminate()
    assert desk.wait() == 0
    assert [pid for pid in everybody if is_alive(pid)] == []
    said = (tmp_path / "log").read_text()
    assert ("secret-draft" in said, "a" * 40 in said) == (False, False)
    assert '"method": "GET", "route": "/ticket/<' in said


def subjects() -> list[str]:
    """The subjects of all tickets, as they are just now."""
    db.session.rollback()
    return list(db.session.scalars(select(Ticket.subject)))


def give_stdin(monkeypatch: pytest.MonkeyPatch, raw: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw)))


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def wait_for_status(url: str, expected: int) -> None:
    deadline = time.monotonic() + 60
    while status_of(url) != expected:
        assert time.monotonic() < deadline, url
        time.sleep(0.05)


def status_of(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
    except OSError:
        return 0
