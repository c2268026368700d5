"""The wheel alone is enough: templates, migrations and scripts are inside, and no checkout is needed."""

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from helpdesk import assets
from tests.servers.ports import free_port
from tests.test_cli import options, status_of, wait_for_status

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from this checkout."""
    assert assets.main() == 0
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


def test_the_wheel_carries_all_that_is_no_code(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    inside = {
        "helpdesk/templates/contact/form.html",
        "helpdesk/templates/demo/mail.html",
        "helpdesk/migrations/env.py",
        "helpdesk/demo/static/demo.css",
        "helpdesk/static/vendor/htmx.min.js",
        "helpdesk/static/vendor/markdown-toolbar-element.js",
        "helpdesk/package-lock.json",
    }
    assert inside - names == set()


def test_a_desk_runs_from_the_installed_wheel(wheel: Path, tmp_path: Path) -> None:
    python = install(wheel, tmp_path / "venv")
    helpdesk = python.parent / "helpdesk"
    home = tmp_path / "home"
    home.mkdir()
    env = {name: value for name, value in os.environ.items() if not name.startswith(("HELPDESK_", "PYTHON"))}
    subprocess.run([helpdesk, "setup", *options()], cwd=home, env=env, check=True, capture_output=True)
    migrated = subprocess.run([helpdesk, "migrate"], cwd=home, env=env, check=True, capture_output=True, text=True)
    assert migrated.stdout == "The database is up to date.\n"

    port = free_port()
    web = subprocess.Popen(
        [helpdesk, "web", "--bind", f"127.0.0.1:{port}"], cwd=home, env=env,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        wait_for_status(f"http://127.0.0.1:{port}/contact", 200)
        assert status_of(f"http://127.0.0.1:{port}/static/vendor/htmx.min.js") == 200
    finally:
        web.terminate()
        web.wait()


def install(wheel: Path, venv: Path) -> Path:
    """A fresh environment with the wheel; the libraries it needs are those of this one. Returns its Python."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    python = venv / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-deps", "--no-index", "--quiet"]
    subprocess.run([*pip, str(wheel)], check=True, capture_output=True)
    packages = next(venv.glob("lib/python*/site-packages"))
    (packages / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")  # its own .pth files stay unread
    where = subprocess.run(
        [python, "-c", "import helpdesk; print(helpdesk.__file__)"],
        cwd=venv,
        check=True,
        capture_output=True,
        text=True,
    )
    assert Path(where.stdout.strip()).is_relative_to(packages)
    return python
