"""Mail is read in a process of its own; what stalls, hoards memory or crashes ends that process and no other."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpdesk import files
from helpdesk.inbound import apart
from helpdesk.inbound.apart import CRASHED, Apart, GoneError
from helpdesk.inbound.mailboxes import Mailbox
from helpdesk.inbound.models import InboundState
from helpdesk.inbound.operations import process, receive
from helpdesk.inbound.reading import TOO_LARGE, Reading, read
from tests.cast import Cast
from tests.letters import letter

EML = Path(__file__).parents[1] / "eml"
TOP = b"From: Ruth <ruth@example.org>\nSubject: Hello\n\n"


def read_or_misbehave(raw: bytes) -> Reading:
    """Reads a mail, except that some do what hostile mail may one day do to a parser."""
    if b"stall" in raw:
        time.sleep(60)
    if b"hoard" in raw:
        return Reading(read(raw).mail, read(b"x" * 2_000_000_000).spans, None)
    if b"crash" in raw:
        os._exit(11)
    found = read(raw)
    return Reading(found.mail, found.spans, str(os.getpid()))


@pytest.fixture
def reader() -> Iterator[Apart]:
    started = Apart(seconds=1, read_one=read_or_misbehave)
    yield started
    started.close()


@pytest.fixture
def started(reader: Apart) -> Iterator[Apart]:
    apart._started.append(reader)
    yield reader
    apart._started.remove(reader)


def test_a_mail_read_apart_is_the_mail_read_here():
    here = Apart()
    for path in sorted(EML.glob("*.eml"))[:20]:
        raw = path.read_bytes()
        assert here.read(raw) == read(raw)
    here.close()


def test_one_process_reads_mail_after_mail_and_it_is_not_this_one(reader: Apart):
    pids = {reader.read(TOP + b"Text %d" % number).html for number in range(3)}
    assert len(pids) == 1
    assert pids != {str(os.getpid())}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"stall", "The mail took longer than 1 seconds to read."),
        (b"hoard", TOO_LARGE),
        (b"crash", CRASHED),
    ],
)
def test_a_mail_that_is_too_much_is_given_up_and_the_next_one_is_read(reader: Apart, text: bytes, reason: str):
    given_up = reader.read(TOP + text).mail
    assert given_up.unreadable == reason
    assert (given_up.from_, given_up.subject, given_up.text) == (Mailbox("Ruth", "ruth@example.org"), "Hello", "")
    assert given_up.raw == TOP + text
    assert reader.read(TOP + b"Next").mail.text == "Next"


def test_the_given_up_process_is_dead(reader: Apart):
    pid = reader.read(TOP + b"First").html
    reader.read(TOP + b"stall")
    assert pid is not None
    assert reader.read(TOP + b"Next").html != pid
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid), 0)


def test_a_lost_server_is_an_outage_and_no_verdict_on_the_mail(reader: Apart):
    os.kill(reader._pid, 9)
    os.waitpid(reader._pid, 0)
    with pytest.raises(GoneError):
        reader.read(TOP + b"Text")
    assert reader.is_gone


def test_a_mail_that_stalls_becomes_a_ticket_with_its_bytes(cast: Cast, started: Apart):
    raw = letter(body="stall")
    came = process(receive(raw).id)
    assert came.state is InboundState.ACCEPTED
    message = came.became
    assert message is not None
    assert message.body_text == "This mail could not be read: The mail took longer than 1 seconds to read."
    assert [(file.name, files.get(file.storage_key)) for file in message.attachments] == [("original.eml", raw)]
