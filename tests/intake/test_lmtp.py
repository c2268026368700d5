"""A mail server hands mail to a real `helpdesk lmtp`: kept before it is answered, whatever fails or is killed."""

import os
import signal
import smtplib
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask

from helpdesk import files
from helpdesk.config import Settings, load_settings
from helpdesk.errors import Misconfigured
from helpdesk.inbound.operations import process_received
from tests.cast import Cast
from tests.conftest import SECRET
from tests.intake.conftest import (
    DAWDLES,
    DIES,
    HURRIES,
    PROGRAM,
    Listener,
    accepts,
    emails,
    environment,
    no_table,
    subjects,
    wait_until,
)
from tests.letters import letter
from tests.live import free_port

KEPT = (250, b"2.0.0 The mail is kept.")
NOT_NOW = (451, b"4.3.0 The mail could not be kept just now; try again later.")
OUT_OF_TIME = (421, b"4.4.2 This connection took too long; try again.")
TOO_LARGE = (552, b"5.3.4 This mail is larger than 50 MB.")
RUTH, DESK, LEGAL = "ruth@example.com", "support@example.org", "legal@example.org"


def test_a_mail_is_kept_with_its_envelope_before_every_recipient_is_answered(
    app: Flask, cast: Cast, start: Callable[..., Listener]
) -> None:
    listener = start(command=("lmtp",))
    raw = letter(subject="Handed over", body="Grüße\r\n.a dot\r\n.\r\n" + "x" * 200_000) + b"\xff\x00\r\n"
    lmtp = listener.connect()
    assert hand_over(lmtp, raw, to=(DESK, LEGAL)) == [KEPT, KEPT]
    kept = emails()
    assert [files.get(email.storage_key) for email in kept] == [raw]
    assert [(email.envelope_from, email.envelope_to) for email in kept] == [(RUTH, [DESK, LEGAL])]
    assert hand_over(lmtp, letter(), sender="") == [KEPT]
    assert emails()[1].envelope_from == ""
    lmtp.quit()
    process_received()
    assert subjects() == ["Handed over", "The bridge"]
    assert listener.stop() == 0
    log = listener.log.read_text()
    assert (RUTH in log, DESK in log, "Traceback" in log) == (False, False, False)  # class 47: addresses hold tokens


@pytest.mark.engines("sqlite")
def test_rfc_2033_pipelining_enhanced_status_and_eight_bits_are_offered(start: Callable[..., Listener]) -> None:
    lmtp = start().connect()
    assert {"pipelining", "enhancedstatuscodes", "8bitmime", "smtputf8"} <= set(lmtp.esmtp_features)
    assert lmtp.esmtp_features["size"] == str(50 * 1024 * 1024)
    assert lmtp.docmd("EHLO", "here")[0] == 500
    assert lmtp.docmd("DATA") == (503, b"5.5.1 There is no recipient.")
    lmtp.send(b"MAIL FROM:<>\r\nRCPT TO:<support@example.org>\r\nRCPT TO:<info@example.org>\r\nDATA\r\n")
    codes = [lmtp.getreply() for _ in range(4)]
    assert codes[:3] == [(250, b"2.0.0 OK"), (250, RCPT_FINE), (250, RCPT_FINE)]
    assert codes[3][0] == 354
    lmtp.send(letter() + b".\r\nQUIT\r\n")
    assert [lmtp.getreply()[0] for _ in range(3)] == [250, 250, 221]


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize("end", [b"\n.\r\n", b"\n.\n", b"\r.\r\n", b"\r.\r", b"\r\n.\n", b"\r\n.\r", b"\n.\r"])
def test_class_33_a_smuggled_end_stays_in_one_mail(app: Flask, start: Callable[..., Listener], end: bytes) -> None:
    hidden = b"MAIL FROM:<eve@example.com>\r\nRCPT TO:<support@example.org>\r\nDATA\r\nSubject: Two\r\n\r\nTwo\r\n"
    long_line = b"y" * (64 * 1024 - 1)
    raw = letter() + b"x" + end + hidden + long_line + end + hidden
    assert hand_over(start().connect(), raw) == [KEPT]
    expected = raw.replace(b"\r\n.", b"\r\n") if end.startswith(b"\r\n") else raw
    assert [files.get(email.storage_key) for email in emails()] == [expected]


@pytest.mark.parametrize("short", ["disk", "database"])
def test_l31_what_disk_or_database_refuse_stays_with_the_mail_server(
    app: Flask, settings: Settings, start: Callable[..., Listener], short: str
) -> None:
    lmtp, raw = start().connect(), letter()
    with no_folder(settings) if short == "disk" else no_table():
        assert hand_over(lmtp, raw, to=(DESK, LEGAL)) == [NOT_NOW, NOT_NOW]
    assert emails() == []
    assert hand_over(lmtp, raw) == [KEPT]
    assert [files.get(email.storage_key) for email in emails()] == [raw]


def test_class_42_an_envelope_in_no_charset_neither_stops_nor_loses_the_mail(
    app: Flask, start: Callable[..., Listener]
) -> None:
    lmtp = start().connect()
    lmtp.send(b"MAIL FROM:<r\xffth@example.com> SMTPUTF8\r\nRCPT TO:<s\xff\x00@example.org>\r\nDATA\r\n")
    assert [lmtp.getreply()[0] for _ in range(3)] == [250, 250, 354]
    lmtp.send(letter() + b".\r\n")
    assert lmtp.getreply() == KEPT
    assert [(email.envelope_from, email.envelope_to) for email in emails()] == [
        ("r\ufffdth@example.com", ["s\ufffd\ufffd@example.org"])
    ]


def test_l31_killed_between_keeping_and_answering_the_mail_that_comes_again_makes_one_ticket(
    app: Flask, cast: Cast, start: Callable[..., Listener]
) -> None:
    raw, dying = letter(subject="Once"), start(fault=DIES)
    with pytest.raises(smtplib.SMTPServerDisconnected):
        hand_over(dying.connect(), raw)
    assert dying.process.wait(60) == -signal.SIGKILL
    assert len(emails()) == 1
    assert hand_over(start().connect(), raw) == [KEPT]
    process_received()
    assert subjects() == ["Once"]


@pytest.mark.engines("sqlite")
def test_class_38_a_mail_over_the_limit_is_refused_for_every_recipient(
    app: Flask, start: Callable[..., Listener]
) -> None:
    lmtp = start().connect()
    line = b"x" * 1022 + b"\r\n"
    assert hand_over(lmtp, line * (50 * 1024) + b"more\r\n", to=(DESK, LEGAL)) == [TOO_LARGE, TOO_LARGE]
    assert lmtp.docmd("MAIL FROM:<ruth@example.com> SIZE=52428801")[0] == 552
    assert hand_over(lmtp, b"\r\n") == [(554, b"5.6.0 There was no mail.")]
    assert emails() == []
    assert hand_over(lmtp, letter()) == [KEPT]


@pytest.mark.engines("sqlite")
def test_class_38_recipients_and_connections_are_bounded(start: Callable[..., Listener]) -> None:
    listener = start()
    open_ones = [listener.connect() for _ in range(10)]
    with pytest.raises(smtplib.SMTPConnectError) as turned_away:
        listener.connect()
    assert (turned_away.value.smtp_code, turned_away.value.smtp_error) == (
        421, b"4.3.2 Too many connections; try again later.",
    )  # fmt: skip
    open_ones.pop().quit()
    wait_until(lambda: accepts(listener))
    lmtp = open_ones[0]
    lmtp.mail(RUTH)
    assert {lmtp.rcpt(f"a{number}@example.org")[0] for number in range(100)} == {250}
    assert lmtp.rcpt("more@example.org") == (
        452, b"4.5.3 Too many recipients; send the mail again for the others.",
    )  # fmt: skip


@pytest.mark.engines("sqlite")
def test_a_connection_that_takes_too_long_is_ended(start: Callable[..., Listener]) -> None:
    lmtp = start(fault=HURRIES).connect()
    assert lmtp.getreply() == OUT_OF_TIME


@pytest.mark.engines("sqlite")
def test_a_mail_that_is_being_kept_when_its_time_is_over_is_still_answered(
    app: Flask, start: Callable[..., Listener]
) -> None:
    lmtp = start(fault=HURRIES + DAWDLES).connect()
    assert hand_over(lmtp, letter()) == [KEPT]
    assert lmtp.getreply() == OUT_OF_TIME
    assert len(emails()) == 1


def test_terminate_finishes_what_is_under_way(app: Flask, start: Callable[..., Listener], tmp_path: Path) -> None:
    listener, raw = start(fault=DAWDLES), letter()
    idle, busy, arriving = listener.connect(), listener.connect(), listener.connect()
    begin(busy)
    begin(arriving)
    arriving.send(raw[:40])
    busy.send(raw + b".\r\n")
    wait_until((tmp_path / "keeping").exists)
    listener.process.terminate()
    goodbye = (421, b"4.3.2 This desk is being restarted; try again.")
    assert idle.getreply() == goodbye
    arriving.send(raw[40:] + b".\r\n")
    assert [busy.getreply(), busy.getreply()] == [KEPT, goodbye]
    assert [arriving.getreply(), arriving.getreply()] == [KEPT, goodbye]
    assert listener.process.wait(60) == 0
    assert len(emails()) == 2
    with pytest.raises(ConnectionRefusedError):
        listener.connect()


@pytest.mark.engines("sqlite")
def test_a_socket_in_the_file_system_replaces_what_a_killed_one_left(
    app: Flask, start: Callable[..., Listener], tmp_path: Path
) -> None:
    bind = f"unix:{tmp_path}/lmtp.sock"
    first = start(bind=bind)
    first.process.kill()
    first.process.wait(60)
    second = start(bind=bind)
    assert hand_over(second.connect(), letter()) == [KEPT]
    again = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment(app.extensions["settings"], bind), cwd=tmp_path,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (again.returncode, again.stderr.splitlines()[-1]) == (
        1, f"Cannot listen on {bind}: Address already in use.",
    )  # fmt: skip


@pytest.mark.engines("sqlite")
def test_up_runs_the_listener_too_and_starts_it_again(app: Flask, start: Callable[..., Listener]) -> None:
    up = start(command=("up", "--bind", f"127.0.0.1:{free_port()}"))
    assert hand_over(up.connect(), letter(subject="One")) == [KEPT]
    os.kill(listening_child(up.process.pid), signal.SIGKILL)
    wait_until(lambda: "lmtp ended unexpectedly" in up.log.read_text())
    assert hand_over(up.connect(), letter(subject="Two")) == [KEPT]
    wait_until(lambda: sorted(subjects()) == ["One", "Two"])
    assert up.stop() == 0


@pytest.mark.parametrize("bind", ["0.0.0.0:24", "192.0.2.1:24", "[::]:24", "desk.example.org:24", ":24", "24"])
def test_a_place_that_other_machines_reach_is_refused_unless_it_is_allowed(
    bind: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HELPDESK_LMTP_BIND", bind)
    with pytest.raises(Misconfigured, match="lmtp_bind must be on this machine"):
        load_settings(secret_keys=SECRET, data_dir=tmp_path)
    monkeypatch.setenv("HELPDESK_LMTP_OPEN", "true")
    assert load_settings(secret_keys=SECRET, data_dir=tmp_path).lmtp_bind == bind


@pytest.mark.parametrize("bind", ["127.0.0.1:24", "127.0.0.2:24", "[::1]:24", "localhost:24", "unix:/run/x.sock"])
def test_a_place_on_this_machine_is_fine(bind: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HELPDESK_LMTP_BIND", bind)
    assert load_settings(secret_keys=SECRET, data_dir=tmp_path).lmtp_bind == bind


RCPT_FINE = b"2.1.5 This recipient is fine."


def hand_over(
    lmtp: smtplib.LMTP, raw: bytes, *, sender: str = RUTH, to: tuple[str, ...] = (DESK,)
) -> list[tuple[int, bytes]]:
    """Send a mail as Postfix does; returns one answer for each recipient."""
    begin(lmtp, sender=sender, to=to)
    lmtp.send(raw.replace(b"\r\n.", b"\r\n..") if b"\r\n.a" in raw else raw)
    lmtp.send(b".\r\n")
    return [lmtp.getreply() for _ in to]


def begin(lmtp: smtplib.LMTP, *, sender: str = RUTH, to: tuple[str, ...] = (DESK,)) -> None:
    """Everything before the mail itself."""
    assert lmtp.mail(sender)[0] == 250
    assert [lmtp.rcpt(address) for address in to] == [(250, RCPT_FINE)] * len(to)
    assert lmtp.docmd("DATA")[0] == 354


@contextmanager
def no_folder(settings: Settings) -> Iterator[None]:
    """No file can be kept: a file stands where the folder was."""
    folder, away = settings.data_dir / "files", settings.data_dir / "away"
    if folder.exists():
        folder.rename(away)
    folder.write_text("")
    yield
    folder.unlink()
    if away.exists():
        away.rename(folder)


def listening_child(pid: int) -> int:
    """The one child with neither children nor threads of a worker: it was started last."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return max(int(child) for child in children)
