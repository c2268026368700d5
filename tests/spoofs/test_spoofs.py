"""Whoever pretends by mail joins no ticket, has no mail sent to anybody else, and learns nothing of other tickets.

Each mail is handed to the desk's own LMTP door and read as any other. Then staff answer every ticket there is, and
what leaves the desk is looked at.
"""

from collections import Counter

import pytest

from helpdesk.inbound.models import InboundState
from helpdesk.tickets.messages import MessageKind
from helpdesk.tickets.queries import public_messages_of
from tests.cast import RUTH
from tests.servers.smtp import CaughtMail
from tests.spoofs.addresses import ADDRESSES
from tests.spoofs.conftest import Door, Tickets, take_in
from tests.spoofs.machines import MACHINES
from tests.spoofs.senders import SENDERS
from tests.spoofs.spoof import BEN, Spoof, words_about
from tests.spoofs.threads import THREADS

SPOOFS = [*SENDERS, *THREADS, *ADDRESSES, *MACHINES]
OUR_HEADERS = {
    "Content-Type", "MIME-Version", "Subject", "From", "To", "Date", "Message-ID", "Reply-To", "In-Reply-To",
    "References", "X-Helpdesk-Loop", "Auto-Submitted", "X-Auto-Response-Suppress", "Precedence",
}  # fmt: skip


def name_of(spoof: Spoof) -> str:
    return f"class_{spoof.klass}_{spoof.name}".replace(" ", "_")


def test_there_are_enough_spoofs_and_no_two_alike() -> None:
    assert len(SPOOFS) >= 60
    assert [name for name, times in Counter(map(name_of, SPOOFS)).items() if times > 1] == []


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize("spoof", SPOOFS, ids=name_of)
def test_a_spoof_joins_nothing_relays_nothing_and_leaks_nothing(door: Door, tickets: Tickets, spoof: Spoof) -> None:
    words = words_about(tickets.ruths, tickets.bens)
    to = tuple(address.format_map(words) for address in spoof.to)
    raw = spoof.raw(words)
    door.hand_over(raw, sender=spoof.sender.format_map(words), to=to)
    came = take_in()
    assert came.state is (InboundState.IGNORED if spoof.ignored else InboundState.ACCEPTED), came.reason
    assert tickets.added() == ([f"{spoof.joins}s"] if spoof.joins else [])
    opened = tickets.opened()
    assert len(opened) == (0 if spoof.ignored or spoof.joins else 1)
    for ticket in opened:
        assert (ticket.reader.address if ticket.reader else None) == spoof.reader
        assert ticket.events[0].data["receipt"] is (not spoof.silent)
    mails = tickets.answer_all()
    readers = {tickets.ruths.id: RUTH, tickets.bens.id: BEN, **{one.id: spoof.reader for one in opened if one.reader}}
    assert tickets.recipients() == {number: {address} for number, address in readers.items()}
    assert [leak for mail in mails for leak in tickets.leaks(mail, known=raw.decode())] == []
    assert [odd_headers(mail) for mail in mails] == [set()] * len(mails)
    if spoof.joins:
        assert_a_stranger_is_kept_apart(tickets, spoof, mails)


def test_all_spoofs_one_after_the_other_join_nothing(door: Door, tickets: Tickets) -> None:
    words = words_about(tickets.ruths, tickets.bens)
    for spoof in SPOOFS:
        to = tuple(address.format_map(words) for address in spoof.to)
        door.hand_over(spoof.raw(words), sender=spoof.sender.format_map(words), to=to)
    take_in()
    expected = [1 for spoof in SPOOFS if not spoof.ignored and not spoof.joins]
    assert (len(tickets.opened()), {len(one.messages) for one in tickets.opened()}) == (len(expected), {1})
    assert len(tickets.ruths.messages) == 3 + len([spoof for spoof in SPOOFS if spoof.joins])
    assert len(tickets.bens.messages) == 3


def assert_a_stranger_is_kept_apart(tickets: Tickets, spoof: Spoof, mails: list[CaughtMail]) -> None:
    """He had the token, so that his words are in the ticket: flagged, and the reader neither sees nor gets them."""
    [added] = [message for message in tickets.ruths.messages if message.body_text == spoof.body]
    assert added.kind is MessageKind.AUTO or (added.kind, added.verified) == (MessageKind.READER, False)
    assert added not in public_messages_of(tickets.ruths)
    assert [mail.recipients for mail in mails if spoof.body.encode() in mail.raw] == []


def odd_headers(mail: CaughtMail) -> set[str]:
    """Headers of a mail that we never write, or write twice."""
    names = Counter(mail.parsed.keys())
    return {name for name, times in names.items() if times > 1 or name not in OUR_HEADERS}
