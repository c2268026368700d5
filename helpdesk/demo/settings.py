"""The sample desk's settings: made here, so that no variable of the environment leads it to a real database."""

import secrets
from pathlib import Path

from pydantic import SecretStr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from helpdesk.config import Settings

SECRET_FILE = "secret"


class DemoSettings(Settings):
    """Settings that listen to nobody but their maker."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


def demo_settings(data_dir: Path, *, web_port: int, mail_port: int, smtp_port: int) -> DemoSettings:
    """Settings for a desk on this machine alone, with its mail going to the catcher."""
    return DemoSettings(
        base_url=f"http://127.0.0.1:{web_port}",
        secret_keys=[SecretStr(_secret(data_dir))],
        data_dir=data_dir,
        smtp_host="127.0.0.1",
        smtp_port=smtp_port,
        smtp_security="none",
        mail_from="desk@courier.example.org",
        caught_mail_url=f"http://127.0.0.1:{mail_port}/",
        demo=True,
    )


def _secret(data_dir: Path) -> str:
    file = data_dir / SECRET_FILE
    if not file.is_file():
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        file.write_text(secrets.token_urlsafe(48))
        file.chmod(0o600)
    return file.read_text()
