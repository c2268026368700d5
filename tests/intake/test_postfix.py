"""A real Postfix, configured as the documents say, hands mail to a real `helpdesk lmtp`; what fails comes again."""

import re
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from helpdesk import files
from helpdesk.database import db
from helpdesk.inbound.operations import process_received
from helpdesk.outbound.models import OutboundEmail
from helpdesk.tickets.messages import Message
from helpdesk.tickets.replying import reply
from tests.cast import RUTH, Cast
from tests.factories import make_ticket
from tests.intake.conftest import DIES, Listener, emails, no_table, subjects, wait_until
from tests.letters import letter
from tests.live import free_port
from tests.servers.postfix import Postfix

DOCS = Path(__file__).parents[2] / "docs" / "intake.md"
DESK, INFO = "support@example.org", "info@example.org"
Start = Callable[..., Listener]
StartPostfix = Callable[..., Postfix]


@pytest.fixture
def bind(request: pytest.FixtureRequest) -> Iterator[str]:
    """Where the desk is to take mail: a port, or a socket in a folder that other accounts reach."""
    if getattr(request, "param", "port") == "port":
        yield f"127.0.0.1:{free_port()}"
        return
    with tempfile.TemporaryDirectory(prefix="helpdesk-lmtp-") as folder:
        Path(folder).chmod(0o755)
        yield f"unix:{folder}/lmtp.sock"


@pytest.fixture
def postfix(bind: str, start_postfix: StartPostfix) -> Iterator[Postfix]:
    """A mail server with the lines that the documents want, for our address and another one."""
    main, line = re.findall(r"^```\n(.*?)^```", DOCS.read_text(), re.DOTALL | re.MULTILINE)[:2]
    here = line.replace("inet:127.0.0.1:2424", bind if bind.startswith("unix:") else f"inet:{bind}")
    transport = "".join(here.replace("letters@example.org", address) for address in (DESK, INFO))
    return start_postfix(main=main, transport=transport)


@pytest.mark.parametrize("bind", ["port", "socket"], indirect=True)
def test_a_mail_arrives_whole_with_its_envelope_and_an_answer_finds_its_ticket(
    app: Flask, cast: Cast, start: Start, bind: str, postfix: Postfix
) -> None:
    start(bind=bind)
    reply(make_ticket(cast), body="Which plaque do you mean?", by=cast.ann)
    back = db.session.scalars(select(OutboundEmail.reply_to).where(OutboundEmail.template == "emails/reply")).one()
    raw = letter(to=back, body="Grüße vom Nordende.\r\n.\r\n..\r\n")
    postfix.send(raw, sender=RUTH, to=(back,))
    wait_until(lambda: len(emails()) == 1)
    kept = emails()[0]
    assert (kept.envelope_from, kept.envelope_to) == (RUTH, [back])
    assert files.get(kept.storage_key).endswith(raw)
    process_received()
    answers = db.session.scalars(select(Message.body_text).order_by(Message.id)).all()
    assert (len(subjects()), "Grüße vom Nordende." in answers[-1]) == (1, True)
    wait_until(lambda: postfix.waiting() == 0)


def test_one_mail_to_several_of_our_addresses_is_kept_once(
    app: Flask, cast: Cast, start: Start, bind: str, postfix: Postfix
) -> None:
    start(bind=bind)
    postfix.send(letter(subject="To both"), sender=RUTH, to=(DESK, INFO))
    wait_until(lambda: emails() and postfix.waiting() == 0)
    process_received()
    assert [sorted(email.envelope_to) for email in emails()] == [sorted([DESK, INFO])]
    assert subjects() == ["To both"]


def test_l31_mail_waits_at_the_mail_server_until_the_desk_is_there_and_its_database_too(
    app: Flask, cast: Cast, start: Start, bind: str, postfix: Postfix
) -> None:
    postfix.send(letter(subject="Early"), sender=RUTH, to=(DESK,))
    wait_until(lambda: "Connection refused" in postfix.log())
    with no_table():
        start(bind=bind)
        tries_until(postfix, lambda: "451 4.3.0 The mail could not be kept just now" in postfix.log())
        assert postfix.waiting() == 1
    tries_until(postfix, lambda: len(emails()) == 1 and postfix.waiting() == 0)
    process_received()
    assert subjects() == ["Early"]


def test_l31_a_mail_whose_answer_was_lost_comes_again_and_makes_one_ticket(
    app: Flask, cast: Cast, start: Start, bind: str, postfix: Postfix
) -> None:
    dying = start(bind=bind, fault=DIES)
    postfix.send(letter(subject="Once"), sender=RUTH, to=(DESK,))
    assert dying.process.wait(60) == -signal.SIGKILL
    assert len(emails()) == 1
    start(bind=bind)
    tries_until(postfix, lambda: len(emails()) == 2 and postfix.waiting() == 0)
    process_received()
    assert subjects() == ["Once"]


def tries_until(postfix: Postfix, condition: Callable[[], bool]) -> None:
    """Let the mail server try again and again, as it does for days."""

    def is_so() -> bool:
        if not condition():
            postfix.try_again()
            time.sleep(0.5)
        return condition()

    wait_until(is_so)
