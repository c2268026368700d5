"""What only passkeys need is loaded with the first one: nobody else pays for it."""

import subprocess
import sys

import pytest

from helpdesk.config import Settings
from tests.cast import Cast
from tests.conftest import SECRET

PROGRAM = """
import re, sys
from pathlib import Path
from helpdesk import create_app
from helpdesk.config import Settings

app = create_app(Settings(data_dir=Path(sys.argv[1]), secret_keys=sys.argv[2], base_url="http://localhost",
                          smtp_host="127.0.0.1", smtp_security="none", smtp_port=9, mail_from="desk@example.org"))
browser, loaded = app.test_client(), ["webauthn" in sys.modules]
token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', browser.get("/desk/sign-in").text).group(1)
loaded.append("webauthn" in sys.modules)
page = browser.post("/desk/sign-in/passkey", data={"csrf_token": token}).text
loaded.append("webauthn" in sys.modules)
path = re.search(r'action="([^"]+)" data-passkey="get"', page).group(1)
answer = browser.post(path, data={"csrf_token": token, "credential": "{}"}, follow_redirects=True)
print(loaded, "challenge" in page, answer.status_code)
"""


@pytest.mark.engines("sqlite")
def test_what_passkeys_need_is_loaded_with_the_first_one(cast: Cast, settings: Settings) -> None:
    command = [sys.executable, "-c", PROGRAM, str(settings.data_dir), SECRET]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.stdout == "[False, False, True] True 200\n", done.stderr
