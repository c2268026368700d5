"""Settings of a benchmark: made here, so that no variable of the environment leads it to a real database."""

import os

from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from helpdesk.config import Settings


class BenchmarkSettings(Settings):
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
        """Only what was given."""
        return (init_settings,)


def environment_of(settings: Settings, *, port: int, smtp_port: int) -> dict[str, str]:
    """The environment in which `helpdesk web` runs with these settings, on a port of this machine."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("HELPDESK_")}
    return inherited | {
        "HELPDESK_SETTINGS_FILE": os.devnull,
        "HELPDESK_BASE_URL": f"http://127.0.0.1:{port}",
        "HELPDESK_SECRET_KEYS": settings.secret_keys[0].get_secret_value(),
        "HELPDESK_DATA_DIR": str(settings.data_dir),
        "HELPDESK_DATABASE_URL": settings.database_url,
        "HELPDESK_SMTP_PORT": str(smtp_port),
        "HELPDESK_SMTP_SECURITY": "none",
        "HELPDESK_MAIL_FROM": settings.mail_from,
        "HELPDESK_TRUSTED_PROXIES": str(settings.trusted_proxies),
    }
