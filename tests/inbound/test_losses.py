"""Ways in which other desks lose mail between the mailbox and the ticket, each as a test: outcomes, scope, the ledger."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask_migrate import downgrade, upgrade

from helpdesk.database import db
from helpdesk.errors import Refused
from helpdesk.inbound import operations
from helpdesk.inbound.models import InboundEmail, InboundState
from helpdesk.inbound.operations import TRIES, note_failure, process, process_received, retry_inbound
from helpdesk.inbound.quarantine import ignore_inbound
from helpdesk.inbound.receiving import receive
from helpdesk.inbound.sources.ledger import open_ledger
from tests.cast import Cast
from tests.inbound.mailbox_sources import emails, make_source, subjects
from tests.letters import letter

RECEIVED, ACCEPTED, IGNORED, REJECTED, FAILED, SELFTEST = InboundState
Verb = Callable[[InboundEmail, Cast], object]

VERBS: dict[str, Verb] = {
    "process": lambda email, _: process(email.id),
    "fail": lambda email, _: note_failure(email, reason="no"),
    "fail for the last time": lambda email, _: fail_for_the_last_time(email),
    "retry": lambda email, cast: retry_inbound(email, by=cast.eve),
    "ignore": lambda email, cast: ignore_inbound(email, by=cast.eve),
}
BECOMES = {
    ("process", RECEIVED): ACCEPTED, ("process", FAILED): ACCEPTED,
    ("fail for the last time", RECEIVED): FAILED,
    ("retry", FAILED): RECEIVED,
    ("ignore", FAILED): IGNORED, ("ignore", REJECTED): IGNORED,
}  # fmt: skip


@pytest.mark.parametrize("state", list(InboundState))
@pytest.mark.parametrize("verb", VERBS)
def test_l17_every_verb_leads_each_state_to_one_other_or_leaves_it(cast: Cast, verb: str, state: InboundState) -> None:
    email = receive(letter())
    email.state = state
    db.session.commit()
    try:
        VERBS[verb](email, cast)
    except Refused:
        assert (verb, state) not in BECOMES
    db.session.refresh(email)
    assert email.state is BECOMES.get((verb, state), state)


def test_l17_from_every_state_there_is_a_way_to_an_end() -> None:
    ends = {ACCEPTED, IGNORED, REJECTED, SELFTEST}
    leads = {state: {after for (_, before), after in BECOMES.items() if before is state} for state in InboundState}
    assert all(leads[state] & ends for state in (RECEIVED, FAILED))
    assert leads[ACCEPTED] == leads[IGNORED] == leads[SELFTEST] == set()


@pytest.mark.parametrize("place", ["read_mail", "_as_delivered", "letter_of", "act"])
@pytest.mark.parametrize("position", [1, 2, 3])
def test_l16_a_mail_that_breaks_off_anywhere_changes_no_other(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, place: str, position: int
) -> None:
    real, calls = getattr(operations, place), []

    def break_off(*args: object, **how: object) -> object:
        calls.append(args)
        if len(calls) == position:
            raise RuntimeError("it broke off")
        return real(*args, **how)

    for number in (1, 2, 3):
        receive(letter(subject=f"Mail {number}", from_=f"reader{number}@example.com"))
    monkeypatch.setattr(operations, place, break_off)
    process_received()
    others = [number for number in (1, 2, 3) if number != position]
    assert subjects() == [f"Mail {number}" for number in others]
    for number, email in enumerate(emails(), 1):
        said = (email.state, email.attempts, email.became and email.became.from_address)
        broken = (RECEIVED, 1, None)
        assert said == (broken if number == position else (ACCEPTED, 1, f"reader{number}@example.com"))


def test_l19_no_step_of_the_database_forgets_which_mail_was_taken(app: Flask, cast: Cast) -> None:
    boxes = [make_source(app, cast, {}, name=name) for name in ("One", "Two")]
    for box in boxes:
        for uid in (7, 8, 4_294_967_295):
            receive(letter(), source=box, uid=(4_294_967_295, uid))
    numbers = [box.id for box in boxes]
    before = ledgers(numbers)
    db.session.remove()
    downgrade(revision="20261125")
    upgrade()
    assert ledgers(numbers) == before == [{7, 8, 4_294_967_295}] * 2


def test_l18_the_ledger_outlives_what_was_read_ignored_and_failed(app: Flask, cast: Cast) -> None:
    box = make_source(app, cast, {})
    for uid, state in enumerate(InboundState):
        receive(letter(), source=box, uid=(1, uid)).state = state
        db.session.commit()
    assert ledgers([box.id]) == [set(range(len(InboundState)))]


# The rest prepares.


def fail_for_the_last_time(email: InboundEmail) -> None:
    email.attempts = TRIES - 1
    db.session.commit()
    note_failure(email, reason="no")


def ledgers(source_ids: list[int]) -> list[set[int]]:
    """The UIDs that each mailbox's ledger holds, under the only UIDVALIDITY that it was given."""
    validity = db.session.query(InboundEmail.uidvalidity).distinct().scalar()
    return [set(open_ledger(number, validity, mailbox="the same").taken) for number in source_ids]
