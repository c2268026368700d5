"""The sample desk, started and stopped as somebody does who tries it for two minutes."""

import http.client
import os
import re
import signal
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from helpdesk.demo.publication import ARTICLES, PASSWORD, SIGN_IN
from helpdesk.demo.stories import STORIES
from helpdesk.ports import listen_near, port_of
from tests.conftest import token_in
from tests.processes import descendants, is_alive

READY = "Ctrl-C stops all of it."
ADDRESS = re.compile(r"http://\S+?(?=[)\s])")


class Demo:
    """A running `helpdesk demo`, in a session of its own, as in a terminal."""

    def __init__(self, folder: Path, *, web_port: int, mail_port: int) -> None:
        self.log = folder / f"log-{time.time_ns()}"
        command = [Path(sys.executable).parent / "helpdesk", "demo", "--port", str(web_port)]
        with self.log.open("wb") as out:
            self.process = subprocess.Popen(
                [*command, "--mail-port", str(mail_port)], cwd=folder, stdout=out, stderr=out, start_new_session=True,
                env={name: value for name, value in os.environ.items() if not name.startswith("HELPDESK_")},
            )  # fmt: skip
        wait_until(lambda: READY in self.said or self.process.poll() is not None)
        assert READY in self.said, self.said
        self.article, self.contact, self.desk, self.mail = ADDRESS.findall(self.said)

    @property
    def said(self) -> str:
        return self.log.read_text()

    def press_ctrl_c(self) -> int:
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Demo]]:
    """Start the demo in an empty folder; whatever is left of it is stopped."""
    demos: list[Demo] = []

    def start_one(web_port: int, mail_port: int) -> Demo:
        demos.append(Demo(tmp_path, web_port=web_port, mail_port=mail_port))
        return demos[-1]

    yield start_one
    for demo in demos:
        if demo.process.poll() is None:
            demo.press_ctrl_c()


def test_the_main_job_on_one_machine_twice_in_a_row(start: Callable[..., Demo], tmp_path: Path) -> None:
    web_port, mail_port = two_free_ports()
    demo = start(web_port, mail_port)
    assert "Preparing the sample desk" in demo.said
    assert demo.mail == f"http://127.0.0.1:{mail_port}/"
    assert demo.desk == f"http://127.0.0.1:{web_port}/desk/"

    # The reader: an article that ends with a link to a form which knows the article.
    page = get(demo.article)
    link = re.search(r'href="([^"]+)">Contact us</a>', page)
    assert link is not None
    assert ARTICLES[0].title in get(link[1].replace("&amp;", "&"))

    # Staff: signed in with the printed password, all stories are there.
    assert sign_in(demo) == 200
    assert ask(tmp_path, "SELECT count(*) FROM ticket") == len(STORIES) == 12

    # Mail: a reply was caught, the reader answers it, and the answer is in the ticket it belongs to.
    wait_until(lambda: "Re: Edda Marrow" in get(demo.mail))
    caught = re.search(r'href="(/mail/[^"]+)">Re: Edda Marrow', get(demo.mail))
    assert caught is not None
    before = ask(tmp_path, "SELECT message_count FROM ticket WHERE subject = 'Edda Marrow'")
    post(demo.mail.rstrip("/") + caught[1] + "/answer", {"text": "Yes, do print it, she says."})
    wait_until(lambda: ask(tmp_path, "SELECT message_count FROM ticket WHERE subject = 'Edda Marrow'") == before + 1)
    newest = (
        "SELECT body_text FROM message JOIN ticket ON ticket.id = message.ticket_id ORDER BY message.id DESC LIMIT 1"
    )
    assert ask(tmp_path, newest) == "Yes, do print it, she says."
    assert ask(tmp_path, "SELECT status FROM ticket WHERE subject = 'Edda Marrow'") == "open"

    # Ctrl-C: everything ends, nothing is left.
    everybody = descendants(demo.process.pid)
    assert len(everybody) == 7  # caught mail, web with its two processes, worker and the two that read its mail
    assert demo.press_ctrl_c() == 0
    assert [pid for pid in everybody if is_alive(pid)] == []

    # Again, with the ports taken by somebody else: other ports, the same data.
    with listen_near(web_port), listen_near(mail_port):
        again = start(web_port, mail_port)
    assert (port(again.desk) != web_port, port(again.mail) != mail_port) == (True, True)
    assert ask(tmp_path, "SELECT count(*) FROM ticket") == 12
    link = re.search(r'href="([^"]+)">Contact us</a>', get(again.article))
    assert link is not None
    assert ARTICLES[0].title in get(link[1].replace("&amp;", "&"))
    assert ask(tmp_path, "SELECT count(*) FROM article") == len(ARTICLES)


def test_a_second_demo_in_the_same_folder_is_refused_with_a_sentence(
    start: Callable[..., Demo], tmp_path: Path
) -> None:
    start(*two_free_ports())
    command = [Path(sys.executable).parent / "helpdesk", "demo"]
    second = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    sentence = "A demo is running in data/demo already. Stop it, or give another --data-dir.\n"
    assert (second.returncode, second.stdout, second.stderr) == (1, "", sentence)


def ask(folder: Path, question: str) -> object:
    """One value from the sample desk's database."""
    engine = create_engine(f"sqlite:///{folder / 'data/demo/helpdesk.sqlite3'}")
    with engine.connect() as connection:
        value: object = connection.execute(text(question)).scalar()
    engine.dispose()
    return value


def get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=60) as answer:
        return str(answer.read().decode())


def post(url: str, form: dict[str, str]) -> None:
    with urllib.request.urlopen(url, urllib.parse.urlencode(form).encode(), timeout=60) as answer:
        assert answer.status == 200


def sign_in(demo: Demo) -> int:
    """Sign in as the terminal says, and open the desk; returns the status of the page."""
    assert (SIGN_IN in demo.said, PASSWORD in demo.said) == (True, True)
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    address = demo.desk + "sign-in"
    with opener.open(address, timeout=60) as page:
        token = token_in(page.read().decode())
    form = {"email": SIGN_IN, "password": PASSWORD, "csrf_token": token}
    with opener.open(address, urllib.parse.urlencode(form).encode(), timeout=60) as desk:
        assert urllib.parse.urlsplit(desk.url).path.startswith("/desk/")
        assert not desk.url.endswith("sign-in")
        return int(desk.status)


def two_free_ports() -> tuple[int, int]:
    with listen_near(0) as one, listen_near(0) as other:
        return port_of(one), port_of(other)


def port(url: str) -> int:
    return urllib.parse.urlsplit(url).port or http.client.HTTP_PORT


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 90
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)
