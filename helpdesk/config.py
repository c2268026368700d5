"""Every setting: name, default, check. Read once from HELPDESK_* variables and the instance's settings file."""

import os
import re
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import parse_qs, urlsplit

from flask import current_app
from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from helpdesk.dkim_key import read_private
from helpdesk.errors import Misconfigured

LOOPBACK = ("127.0.0.1", "localhost", "::1")
UNIX = "unix:"
PROVIDER_SECRET = re.compile(r"[A-Za-z0-9_-]{24,}:[A-Za-z0-9_-]+:[A-Za-z0-9_-]{24,}")
TOPIC_ARN = re.compile(r"arn:aws(-cn|-us-gov)?:sns:[a-z]{2}(-[a-z]+)+-[0-9]{1,2}:[0-9]{12}:[\w-]{1,256}", re.ASCII)
HOST_NAME = re.compile(r"(?!.*\.[\d.]+$)[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*")
BOUNCE_ADDRESS = re.compile(r"[A-Za-z0-9._-]{1,20}@[A-Za-z0-9.-]{1,200}")
PREFIX = "HELPDESK_"
SETTINGS_FILE = "HELPDESK_SETTINGS_FILE"

Security = Literal["tls", "starttls", "none"]


class Settings(BaseSettings):
    """What one installation is told from outside. Sizes in bytes, times in the unit of the name."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore")

    base_url: str = "http://127.0.0.1:5000"
    secret_keys: Annotated[list[SecretStr], NoDecode]
    data_dir: Path = Path("data")
    database_url: str = ""
    files_url: str = ""
    files_access_key: SecretStr = SecretStr("")
    files_secret_key: SecretStr = SecretStr("")

    smtp_host: str = "127.0.0.1"
    smtp_port: int = 587
    smtp_security: Security = "starttls"
    smtp_username: str = ""
    smtp_password: SecretStr = SecretStr("")
    smtp_ca_file: Path | None = None
    smtp_timeout_seconds: int = 30
    smtp_hourly_cap: Annotated[int, Field(ge=0)] = 0
    mail_from: str = ""
    plus_addressing: bool = True
    dkim_domain: str = ""
    dkim_selector: str = ""
    dkim_key_file: Path | None = None
    bounce_address: str = ""
    trusted_mail_hosts: Annotated[list[str], NoDecode] = []

    imap_password: SecretStr = SecretStr("")
    imap_passwords: dict[str, SecretStr] = {}
    imap_client_secret: SecretStr = SecretStr("")
    imap_client_secrets: dict[str, SecretStr] = {}
    imap_refresh_token: SecretStr = SecretStr("")
    imap_refresh_tokens: dict[str, SecretStr] = {}
    imap_poll_seconds: int = Field(default=60, ge=1, le=600)  # a mailbox not read for longer is an alarm

    lmtp_bind: str = ""
    lmtp_open: bool = False
    intake_keys: Annotated[list[SecretStr], NoDecode] = []
    mailgun_keys: Annotated[list[SecretStr], NoDecode] = []
    postmark_secret: SecretStr = SecretStr("")
    sendgrid_secret: SecretStr = SecretStr("")
    ses_topics: Annotated[list[str], NoDecode] = []
    ses_bucket: str = ""
    ses_access_key: SecretStr = SecretStr("")
    ses_secret_key: SecretStr = SecretStr("")

    log: Literal["auto", "json", "text"] = "auto"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    metrics_token: SecretStr = SecretStr("")

    fetch_allow: Annotated[list[str], NoDecode] = []
    trusted_proxies: int = 0
    session_idle_minutes: int = 12 * 60
    session_absolute_days: int = 14
    max_file_bytes: int = 10 * 1024 * 1024
    max_files: int = 5
    keep_free_bytes: int = 500 * 1024 * 1024
    receipts_per_address_per_day: int = 1
    caught_mail_url: str = ""
    demo: bool = False

    @field_validator(
        "secret_keys", "intake_keys", "mailgun_keys", "ses_topics", "fetch_allow", "trusted_mail_hosts", mode="before"
    )
    @classmethod
    def _split_keys(cls, value: object) -> object:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @field_validator("secret_keys")
    @classmethod
    def _long_enough(cls, keys: list[SecretStr]) -> list[SecretStr]:
        if not keys or any(len(key.get_secret_value()) < 32 for key in keys):
            raise ValueError("give at least one key of 32 characters or more, newest first")
        return keys

    @field_validator("intake_keys", "mailgun_keys")
    @classmethod
    def _long_if_any(cls, keys: list[SecretStr]) -> list[SecretStr]:
        if any(len(key.get_secret_value()) < 32 for key in keys):
            raise ValueError("give keys of 32 characters or more, newest first, or none")
        return keys

    @field_validator("postmark_secret", "sendgrid_secret")
    @classmethod
    def _hard_to_guess(cls, secret: SecretStr) -> SecretStr:
        if secret.get_secret_value() and not PROVIDER_SECRET.fullmatch(secret.get_secret_value()):
            raise ValueError(
                "give path:user:password of letters, digits, - and _, path and password of 24 or more, or none"
            )
        return secret

    @field_validator("bounce_address")
    @classmethod
    def _leaves_room_for_a_token(cls, address: str) -> str:
        if address and not BOUNCE_ADDRESS.fullmatch(address):
            raise ValueError("give an address such as bounce@example.org, with at most 20 characters before the @")
        return address

    @field_validator("trusted_mail_hosts")
    @classmethod
    def _in_lower_case(cls, hosts: list[str]) -> list[str]:
        return [host.lower() for host in hosts]

    @field_validator("ses_topics")
    @classmethod
    def _names_topics(cls, topics: list[str]) -> list[str]:
        if not all(TOPIC_ARN.fullmatch(topic) for topic in topics):
            raise ValueError("give topics such as arn:aws:sns:eu-west-1:123456789012:mail, with commas between")
        return topics

    @field_validator("fetch_allow")
    @classmethod
    def _names_hosts(cls, entries: list[str]) -> list[str]:
        if not all(_is_host_or_network(entry) for entry in entries):
            raise ValueError("give host names, addresses or networks such as 10.1.0.0/16, with commas between")
        return entries

    @field_validator("files_url", "ses_bucket")
    @classmethod
    def _names_a_bucket(cls, value: str, about: ValidationInfo) -> str:
        url, name = urlsplit(value), about.field_name
        endpoint = urlsplit(parse_qs(url.query).get("endpoint", [""])[-1])
        if value and (url.scheme != "s3" or not url.netloc):
            raise ValueError(f"{name} is empty, or names a bucket: s3://bucket/prefix?endpoint=https://…&region=…")
        if endpoint.scheme == "http" and endpoint.hostname not in LOOPBACK:
            raise ValueError(f"the endpoint of {name} must begin with https:// unless it is on this machine")
        return value

    @model_validator(mode="after")
    def _safe_in_the_open(self) -> Self:
        url = urlsplit(self.base_url)
        if url.scheme not in ("http", "https") or not url.hostname:
            raise ValueError("base_url must be a whole address such as https://desk.example.org")
        if url.scheme == "http" and url.hostname not in LOOPBACK:
            raise ValueError("base_url must begin with https:// unless the desk runs on this machine alone")
        if self.smtp_security == "none" and self.smtp_host not in LOOPBACK:
            raise ValueError("smtp_security none sends mail in the clear; use starttls or tls")
        return self

    @model_validator(mode="after")
    def _takes_mail_from_here(self) -> Self:
        if self.lmtp_bind and not (self.lmtp_open or _is_local(self.lmtp_bind)):
            raise ValueError("lmtp_bind must be on this machine (127.0.0.1:2424 or unix:/path), or lmtp_open be true")
        return self

    @model_validator(mode="after")
    def _hears_of_bounces(self) -> Self:
        if self.bounce_address and not self.plus_addressing:
            raise ValueError("bounce_address needs plus addressing: its bounces come to addresses with a plus")
        return self

    @model_validator(mode="after")
    def _signs_with_a_key(self) -> Self:
        parts = (self.dkim_domain, self.dkim_selector, self.dkim_key_file)
        if any(parts) and not all(parts):
            raise ValueError("give dkim_domain, dkim_selector and dkim_key_file together, or none of them")
        if self.dkim_key_file is not None:
            read_private(self.dkim_key_file)
            if not HOST_NAME.fullmatch(self.dkim_domain) or not HOST_NAME.fullmatch(self.dkim_selector):
                raise ValueError("dkim_domain and dkim_selector are names such as example.org and desk")
        return self

    @property
    def database_uri(self) -> str:
        """The database address; SQLite in the data folder unless another is set."""
        return self.database_url or f"sqlite:///{self.data_dir.resolve() / 'helpdesk.sqlite3'}"

    @property
    def is_https(self) -> bool:
        """True when readers and staff reach the desk over TLS."""
        return self.base_url.startswith("https:")

    @property
    def host(self) -> str:
        """The host name of the desk's own address."""
        return urlsplit(self.base_url).hostname or ""

    @property
    def sender(self) -> str:
        """The address that mail about accounts comes from."""
        return self.mail_from or f"helpdesk@{self.host}"

    def link(self, path: str) -> str:
        """The whole address of one of our own paths, for mail: never taken from a request."""
        return self.base_url.rstrip("/") + path

    def imap_password_of(self, source_name: str) -> str:
        """The password of a mailbox: its own, else the common one."""
        return self.imap_passwords.get(source_name, self.imap_password).get_secret_value()

    def imap_client_secret_of(self, source_name: str) -> str:
        """The secret of our client at the token server of a mailbox: its own, else the common one; "" for none."""
        return self.imap_client_secrets.get(source_name, self.imap_client_secret).get_secret_value()

    def imap_refresh_token_of(self, source_name: str) -> str:
        """The refresh token of a mailbox: its own, else the common one; "" for none."""
        return self.imap_refresh_tokens.get(source_name, self.imap_refresh_token).get_secret_value()


def settings() -> Settings:
    """The settings of the running application."""
    current: Settings = current_app.extensions["settings"]
    return current


def load_settings(**overrides: Any) -> Settings:
    """Read and check all settings; every mistake is told at once.

    Raises Misconfigured with one sentence per mistake, unknown HELPDESK_* names included.
    """
    file = Path(os.environ.get(SETTINGS_FILE, "data/helpdesk.env"))
    problems = _unknown_names()
    try:
        loaded = Settings(_env_file=file if file.is_file() else None, **overrides)  # type: ignore[call-arg]
    except ValidationError as error:
        problems += [f"{PREFIX}{_name(e)}: {e['msg'].removeprefix('Value error, ')}" for e in error.errors()]
    if problems:
        raise Misconfigured("\n".join(problems))
    return loaded


def _unknown_names() -> list[str]:
    known = {(PREFIX + name).upper() for name in Settings.model_fields} | {SETTINGS_FILE}
    given = {name for name in os.environ if name.startswith(PREFIX)}
    return [f"{name}: there is no such setting" for name in sorted(given - known)]


def _is_local(bind: str) -> bool:
    host = bind.rpartition(":")[0].strip("[]")
    try:
        return bind.startswith(UNIX) or host in LOOPBACK or ip_address(host).is_loopback
    except ValueError:
        return False


def _is_host_or_network(entry: str) -> bool:
    try:
        ip_network(entry)
    except ValueError:
        return HOST_NAME.fullmatch(entry) is not None
    return True


def _name(error: Any) -> str:
    return str(error["loc"][0]).upper() if error["loc"] else "SETTINGS"
