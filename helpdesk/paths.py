"""Where the files beside the code lie: inside the package in a wheel, one level up in a checkout."""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


def templates() -> Path:
    """The folder of page and mail templates."""
    return _beside("templates")


def migrations() -> Path:
    """The folder of database migrations."""
    return _beside("migrations")


def static() -> Path:
    """The folder of our own CSS and JS, with the vendored files in `vendor/`."""
    return PACKAGE / "static"


def _beside(name: str) -> Path:
    packed = PACKAGE / name
    return packed if packed.is_dir() else PACKAGE.parent / name
