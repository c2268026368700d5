"""`helpdesk doctor` on the terminal: aligned lines, JSON, exit code, and no traceback whatever is wrong."""

import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from helpdesk.cli import helpdesk
from helpdesk.doctor.examination import CHECKS, examine
from helpdesk.doctor.findings import Checkup, Finding
from tests.conftest import make_settings
from tests.doctor.conftest import Desk
from tests.servers.smtp import SmtpServer

Found = Callable[..., list[tuple[str, str, str]]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, list[str]]]:
    """Run the command with these settings and no others; returns exit code and lines."""
    for name in [name for name in os.environ if name.startswith("HELPDESK_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)

    def command(*arguments: str, **settings: str) -> tuple[int, list[str]]:
        environment = {f"HELPDESK_{name.upper()}": value for name, value in settings.items()}
        result = CliRunner().invoke(helpdesk, ["doctor", *arguments], env=environment)
        assert isinstance(result.exception, SystemExit | None), result.exception
        return result.exit_code, result.output.splitlines()

    return command


def settings_of(desk: Desk) -> dict[str, str]:
    return {
        "secret_keys": desk.settings.secret_keys[0].get_secret_value(),
        "data_dir": str(desk.settings.data_dir),
        "base_url": desk.settings.base_url,
        "smtp_port": str(desk.settings.smtp_port),
        "smtp_security": "none",
        "mail_from": "desk@example.org",
        "imap_password": desk.settings.imap_password.get_secret_value(),
    }


@pytest.mark.engines("sqlite")
def test_a_healthy_desk_is_told_in_aligned_lines(desk: Desk, run: Callable[..., tuple[int, list[str]]]) -> None:
    code, lines = run(**settings_of(desk))
    assert (code, [line for line in lines if not re.match(r"ok    [a-z]+ +[A-Z/]", line)]) == (0, [])
    assert {line.index(line.split(maxsplit=2)[2]) for line in lines} == {18}


@pytest.mark.engines("sqlite")
def test_what_deserves_a_look_alone_is_no_failure(desk: Desk, run: Callable[..., tuple[int, list[str]]]) -> None:
    code, lines = run(**settings_of(desk), fetch_allow="blog.example.org")
    assert (code, [line.split()[:2] for line in lines if not line.startswith("ok")]) == (0, [["look", "fetching"]])


@pytest.mark.engines("sqlite")
def test_as_json_with_a_failure(desk: Desk, run: Callable[..., tuple[int, list[str]]]) -> None:
    code, lines = run("--json", **settings_of(desk), fetch_allow="0.0.0.0/0")
    ill = [json.loads(line) for line in lines if json.loads(line)["level"] != "ok"]
    sentence = "HELPDESK_FETCH_ALLOW opens 0.0.0.0/0, which is nearly everything; name the few hosts instead."
    assert (code, ill) == (1, [{"level": "failure", "area": "fetching", "sentence": sentence}])


@pytest.mark.engines("sqlite")
def test_the_test_mail_is_sent_when_asked(
    desk: Desk, smtp: SmtpServer, run: Callable[..., tuple[int, list[str]]]
) -> None:
    code, _ = run("--send-test-mail", "carla@example.org", **settings_of(desk))
    assert (code, [mail.parsed["To"] for mail in smtp.mails]) == (0, ["carla@example.org"])


def test_each_wrong_setting_is_one_finding(run: Callable[..., tuple[int, list[str]]]) -> None:
    code, lines = run(secret_keys="short", smtp_port="many", fetch_allow="10.0.0.1/8", colour="red")
    assert (code, lines) == (
        1,
        [
            "bad   settings    HELPDESK_COLOUR: there is no such setting",
            "bad   settings    HELPDESK_SECRET_KEYS: give at least one key of 32 characters or more, newest first",
            "bad   settings    HELPDESK_SMTP_PORT: Input should be a valid integer, unable to parse string as an integer",
            "bad   settings    HELPDESK_FETCH_ALLOW: give host names, addresses or networks such as 10.1.0.0/16, with "
            "commas between",
        ],
    )


def test_a_check_that_breaks_off_is_a_finding_and_the_next_one_runs(tmp_path: Path) -> None:
    def check_the_moon(_checkup: Checkup) -> Iterator[Finding]:
        yield from ()
        raise ValueError("no moon tonight")

    findings = list(examine(make_settings(tmp_path), checks=(check_the_moon, CHECKS[-1])))
    sentence = (
        "The check of the moon broke off (ValueError: no moon tonight); what it looks at may be ill in a new way."
    )
    assert [finding.sentence for finding in findings[1:]] == [sentence, "Nothing private may be fetched."]


@pytest.mark.engines("sqlite")
def test_the_doctor_leaves_an_empty_folder_empty(tmp_path: Path, run: Callable[..., tuple[int, list[str]]]) -> None:
    code, _ = run(secret_keys="an-owl-at-noon-8253-QXZ-jumps-47", smtp_security="none", smtp_port="9",
                  base_url="http://127.0.0.1:9", data_dir=str(tmp_path / "data"))  # fmt: skip
    assert (code, list(tmp_path.iterdir())) == (1, [])
