"""What is cheap in a process of tests is what an owner has in all other ways."""

import subprocess
import sys
from pathlib import Path

import pytest
from flask import Flask
from flask_security import hash_password

from tests.conftest import SECRET

HASHED = """
from flask_security import hash_password
from helpdesk import create_app
with create_app().app_context():
    print(hash_password("a password of Ann's"))
"""


@pytest.mark.engines("sqlite")
def test_a_password_is_hashed_dearly_everywhere_but_here(app: Flask, tmp_path: Path) -> None:
    environment = {"HELPDESK_DATA_DIR": str(tmp_path / "other"), "HELPDESK_SECRET_KEYS": SECRET}
    line = [sys.executable, "-c", HASHED]
    said = subprocess.run(line, env=environment, check=True, capture_output=True, text=True).stdout
    assert said.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert hash_password("a password of Ann's").startswith("$argon2id$v=19$m=64,t=1,p=1$")
