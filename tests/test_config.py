"""Settings: what is wrong is told in sentences, all at once, before anything starts."""

from pathlib import Path

import pytest

from helpdesk.config import load_settings
from helpdesk.errors import Misconfigured

KEY = "k" * 32


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def refusal(**overrides: object) -> str:
    with pytest.raises(Misconfigured) as error:
        load_settings(**overrides)
    return error.value.message


def test_good_settings_are_read_from_environment_and_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/helpdesk.env").write_text(f"HELPDESK_SECRET_KEYS={KEY},{'o' * 32}\nHELPDESK_SMTP_PORT=25\n")
    monkeypatch.setenv("HELPDESK_SMTP_PORT", "465")
    settings = load_settings()
    assert ([len(key.get_secret_value()) for key in settings.secret_keys], settings.smtp_port) == ([32, 32], 465)


def test_a_short_key_is_refused() -> None:
    assert (
        refusal(secret_keys="short")
        == "HELPDESK_SECRET_KEYS: give at least one key of 32 characters or more, newest first"
    )


def test_a_bounce_address_without_room_for_a_token_is_refused() -> None:
    for address in ("bounce", "bounce+x@example.org", f"{'b' * 21}@example.org", "b@example.org\r\nX: y"):
        assert refusal(secret_keys=KEY, bounce_address=address) == (
            "HELPDESK_BOUNCE_ADDRESS: give an address such as bounce@example.org, with at most 20 characters before the @"
        )


def test_a_bounce_address_without_plus_addressing_is_refused() -> None:
    expected = "HELPDESK_SETTINGS: bounce_address needs plus addressing: its bounces come to addresses with a plus"
    assert refusal(secret_keys=KEY, bounce_address="bounce@example.org", plus_addressing=False) == expected


def test_mail_hosts_are_known_in_whatever_case() -> None:
    hosts = load_settings(secret_keys=KEY, trusted_mail_hosts="MX.example.org, imap.example.org").trusted_mail_hosts
    assert hosts == ["mx.example.org", "imap.example.org"]


def test_plain_http_in_the_open_is_refused() -> None:
    expected = "HELPDESK_SETTINGS: base_url must begin with https:// unless the desk runs on this machine alone"
    assert refusal(secret_keys=KEY, base_url="http://desk.example.org") == expected


def test_mail_in_the_clear_is_refused() -> None:
    expected = "HELPDESK_SETTINGS: smtp_security none sends mail in the clear; use starttls or tls"
    assert refusal(secret_keys=KEY, smtp_host="mail.example.org", smtp_security="none") == expected


def test_a_misspelt_setting_is_told_with_everything_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELPDESK_SMTP_HSOT", "mail.example.org")
    assert refusal(secret_keys="short").splitlines() == [
        "HELPDESK_SMTP_HSOT: there is no such setting",
        "HELPDESK_SECRET_KEYS: give at least one key of 32 characters or more, newest first",
    ]


def test_class_47_secrets_are_not_shown() -> None:
    settings = load_settings(secret_keys=KEY, smtp_password="canary-password")
    assert KEY not in repr(settings)
    assert "canary-password" not in repr(settings)
