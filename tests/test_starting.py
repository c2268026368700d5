"""Starting fast: no search for garbage while modules load, and no driver of a database that is not used."""

import gc
import json
import subprocess
import sys
from importlib import import_module

import pytest

from helpdesk.starting import hidden, importing


def test_a_desk_on_sqlite_starts_without_the_driver_of_postgresql() -> None:
    code = "import sys, helpdesk; print('huey' in sys.modules, 'psycopg' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=120)
    assert said.stdout.split() == ["True", "False"]


def test_what_is_hidden_can_be_imported_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "wave", raising=False)
    with hidden("wave"), pytest.raises(ModuleNotFoundError):
        import_module("wave")
    assert import_module("wave").__name__ == "wave"


def test_what_is_loaded_already_is_not_hidden() -> None:
    with hidden("json"):
        assert import_module("json") is json
    assert import_module("json") is json


def test_garbage_is_looked_for_again_once_modules_are_loaded() -> None:
    with importing():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_garbage_is_looked_for_again_when_a_module_is_missing() -> None:
    with pytest.raises(ModuleNotFoundError), importing():
        import_module("a_package_that_nobody_has")
    assert gc.isenabled()
