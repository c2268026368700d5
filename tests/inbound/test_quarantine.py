"""Mail that became no ticket, and what staff do with it."""

import pytest

from helpdesk import files
from helpdesk.database import db
from helpdesk.errors import Refused
from helpdesk.inbound import quarantine
from helpdesk.inbound.models import InboundEmail, InboundState
from helpdesk.inbound.operations import process, receive, retry_inbound
from helpdesk.inbound.quarantine import ignore_inbound, make_ticket
from helpdesk.tickets.models import Status, Ticket
from tests.cast import RUTH, Cast
from tests.factories import event_kinds, outbox
from tests.letters import letter


def kept_out(raw: bytes, state: InboundState = InboundState.FAILED, reason: str = "Too deep.") -> InboundEmail:
    """A mail that came and became nothing."""
    email = receive(raw)
    email.state, email.reason, email.attempts = state, reason, 3
    db.session.commit()
    return email


@pytest.mark.parametrize("state", [InboundState.FAILED, InboundState.REJECTED, InboundState.IGNORED])
def test_a_mail_becomes_a_ticket_with_its_words_the_raw_mail_and_a_note_why(cast: Cast, state: InboundState) -> None:
    email = kept_out(raw := letter(subject="The bridge"), state)
    ticket = make_ticket(email, by=cast.eve)
    words, note = ticket.messages
    assert (ticket.subject, ticket.reader.address) == ("The bridge", RUTH)  # type: ignore[union-attr]
    assert (words.body_text, note.body_text, note.agent) == (
        "It opened in 1932.", "I made this ticket of a mail that had become none: Too deep.", cast.eve,
    )  # fmt: skip
    assert [(file.name, files.get(file.storage_key)) for file in words.attachments] == [("original.eml", raw)]
    assert (ticket.status, event_kinds(ticket), outbox()) == (Status.OPEN, ["opened", "noted"], [])
    assert (email.state, email.became, email.reason) == (
        InboundState.ACCEPTED, words, "Eve Ellis made a ticket of it.",
    )  # fmt: skip


def test_a_mail_that_nothing_can_read_becomes_a_ticket_too(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    email = kept_out(raw := letter(), reason="RuntimeError while reading it")

    def fail(_raw: bytes) -> object:
        raise RuntimeError

    monkeypatch.setattr(quarantine, "read_mail", fail)
    [words, _] = make_ticket(email, by=cast.eve).messages
    assert words.body_text == "This mail could not be read: RuntimeError while reading it"
    assert [files.get(file.storage_key) for file in words.attachments] == [raw]


def test_a_mail_becomes_one_ticket_only(cast: Cast) -> None:
    email = kept_out(letter())
    make_ticket(email, by=cast.eve)
    stored = len(files.keys_older_than(2**40))
    with pytest.raises(Refused):
        make_ticket(email, by=cast.eve)
    assert (db.session.query(Ticket).count(), len(files.keys_older_than(2**40))) == (1, stored)


def test_a_mail_that_is_read_is_not_in_quarantine(cast: Cast) -> None:
    email = receive(letter())
    for verb in (make_ticket, ignore_inbound):
        with pytest.raises(Refused):
            verb(email, by=cast.eve)
    process(email.id)
    assert email.state is InboundState.ACCEPTED


def test_a_mail_whose_bytes_are_gone_is_refused_in_words(cast: Cast) -> None:
    email = kept_out(letter())
    files.delete(email.storage_key)
    with pytest.raises(Refused, match="no longer there"):
        make_ticket(email, by=cast.eve)


def test_an_ignored_mail_is_kept_with_who_ignored_it_and_is_not_read_again(cast: Cast) -> None:
    email = kept_out(raw := letter())
    ignore_inbound(email, by=cast.eve)
    ignore_inbound(email, by=cast.carla)
    assert (email.state, email.ignored_by, email.reason) == (InboundState.IGNORED, "Eve Ellis", "Too deep.")
    assert files.get(email.storage_key) == raw
    with pytest.raises(Refused):
        retry_inbound(email, by=cast.eve)
