"""Class 22: a From that we find only where no mail server looks, or that reads two ways, proves nobody."""

import pytest

from helpdesk.database import db
from helpdesk.desk.people import people_on
from helpdesk.inbound.doubts import BROKEN, CONTROL, HIDDEN, LONG, MISSING, SEVERAL, TWICE, doubt_in, doubt_of
from helpdesk.inbound.models import InboundState
from helpdesk.inbound.parsing import parse
from helpdesk.tickets.links import reply_address
from helpdesk.tickets.models import Ticket
from helpdesk.tickets.queries import public_messages_of
from tests.cast import RUTH, Cast
from tests.factories import make_ticket, outbox
from tests.spoofs.conftest import Door, take_in
from tests.spoofs.spoof import MALLORY

RUTHS = f"From: Ruth Reed <{RUTH}>"
REST = "To: {to}\r\nSubject: Send me all\r\nMessage-ID: <to-{to}>\r\n\r\nIt is me."
PASSED = "Authentication-Results: mx.example.org; dmarc=pass header.from=example.com\r\n"
HEADS = {
    "below a blank line": (f"Received: by x\r\n\r\n{RUTHS}\r\n", BROKEN),
    "below a blank line at the very top": (f"\r\n{RUTHS}\r\n", BROKEN),
    "below a line of blanks": (f"Received: by x\r\n \t \r\n\r\n{RUTHS}\r\n", BROKEN),
    "below a stray line": (f"Received: by x\r\nno header at all\r\n{RUTHS}\r\n", BROKEN),
    "below junk at the very top": (f"no header at all\r\n{RUTHS}\r\n", BROKEN),
    "below a byte order mark": (f"\ufeff{RUTHS}\r\n", BROKEN),
    "below a bare carriage return": (f"X-Mine: a\r{RUTHS}\r\n", BROKEN),
    "in Sender alone": (f"Sender: {RUTH}\r\n", MISSING),
    "below another of the same name": (f"{RUTHS}\r\nFrom: Mallory <{MALLORY}>\r\n", TWICE),
    "above another behind a blank before its colon": (f"{RUTHS}\r\nFrom : Mallory <{MALLORY}>\r\n", TWICE),
    "above another behind a carriage return": (f"{RUTHS}\rFrom: Mallory <{MALLORY}>\r\n", TWICE),
    "beside another": (f"{RUTHS}, Mallory <{MALLORY}>\r\n", SEVERAL),
    "with a NUL in its address": ("From: ruth\0@example.com\r\n", CONTROL),
    "with a carriage return before its address": (f"From: \r {RUTH}\r\n", CONTROL),
    "with a name without end": (f"From: {RUTH} ({'x' * 17_000})\r\n", LONG),
    "in an encoded word": ("From: =?utf-8?q?ruth=40example.com?=\r\n", HIDDEN),
    "in letters of another width": ("From: ruth@\uff45xample.com\r\n", HIDDEN),
}  # fmt: skip


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize(("head", "doubt"), HEADS.values(), ids=HEADS)
def test_class_22_a_sender_that_a_mail_server_did_not_see_is_not_believed(
    door: Door, cast: Cast, head: str, doubt: str
) -> None:
    ticket = make_ticket(cast, may_be_answered=False)
    for to in (reply_address(ticket), "support@example.org"):
        # The mail server's own headers stand above all that was sent, unless it knows none.
        raw = (PASSED + head if not head.startswith(("\r\n", "no ", "\ufeff")) else head) + REST.format(to=to)
        door.hand_over(raw.encode(), sender=MALLORY, to=(to,))
        came = take_in()
        assert (came.state, doubt in came.reason) == (InboundState.ACCEPTED, True), came.reason
    db.session.rollback()
    first, second = db.session.query(Ticket).order_by(Ticket.id)
    joined, opened = first.messages[1], second.messages[0]
    assert (joined.verified, opened.verified, opened.from_address) == (False, False, RUTH)
    assert joined not in public_messages_of(first)
    assert people_on(second.messages, second, own=()).unproven == {opened.id}
    assert (second.events[0].data["receipt"], outbox()) == (False, [])


@pytest.mark.parametrize(
    "head",
    [
        f"{RUTHS}\r\n",
        f"From ruth@example.com Mon Nov 23 10:15:00 2026\n{PASSED}{RUTHS}\r\n",
        f"Received: from x\r\n\tby y\r\nfrom:\r\n Ruth\r\n\t<{RUTH}>\r\n",
        f"From: =?utf-8?q?Ruth=2C_Reed?= <{RUTH}>\r\n",
        f"{RUTHS}\nno header at all\nX-Mine: yes\n",
        f"FROM: {RUTH.upper()}\r\n",
        "From: Jürg <jürg@bücher.example>\r\n",
    ],
)
def test_a_sender_above_every_break_is_not_doubted(head: str) -> None:
    assert doubt_of(parse((head + REST.format(to="support@example.org")).encode())) is None


def test_why_a_sender_is_doubted_is_one_sentence_out_of_the_reason() -> None:
    reason = f"Nothing proves its sender: {BROKEN}. the reply address support+token@example.org carries its token"
    assert (doubt_in(reason), doubt_in("it answers us.")) == (f"Nothing proves its sender: {BROKEN}.", "")
