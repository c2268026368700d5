"""Guessing ends soon: a body is not even read for whoever sent many, unless good ones came from there lately."""

from helpdesk.database import db, transactional
from helpdesk.errors import TooMany
from helpdesk.networks import host_of, network_of
from helpdesk.rate_limit import Limit, count, is_used, would_pass

QUARTER_HOUR = 15 * 60
MONTH = 30 * 24 * 60 * 60
NO_LIMIT = 1_000_000_000  # it only notes where good requests came from
PER_ADDRESS = 20
PER_NETWORK = 60
FOR_ALL = 600

GUESSED = "Too many wrong signatures or passwords came from there; try again later."


def refuse_guessers(remote_address: str) -> None:
    """Raise TooMany before the body is read; no program is locked out of a network it handed mail in from."""
    is_known = is_used(_known(remote_address))
    passed = None if is_known else would_pass(*_limits(remote_address))
    db.session.rollback()  # no transaction stays open while a slow body comes in
    if passed is not None:
        raise TooMany(GUESSED, retry_after=passed.pause)


@transactional
def count_wrong(remote_address: str) -> None:
    """Count one more wrong signature or password from an IP address, for good."""
    count(*_limits(remote_address))


def note_good(remote_address: str) -> None:
    """Remember for a month that a good request came from this network, in the transaction that takes it."""
    count(_known(remote_address))


def _limits(remote_address: str) -> tuple[Limit, ...]:
    """From narrow to wide."""
    return (
        Limit("wrong signatures from one address", host_of(remote_address), PER_ADDRESS, QUARTER_HOUR),
        Limit("wrong signatures from one network", network_of(remote_address), PER_NETWORK, QUARTER_HOUR),
        Limit("all wrong signatures", "", FOR_ALL, QUARTER_HOUR),
    )


def _known(remote_address: str) -> Limit:
    return Limit("good signatures from one network", network_of(remote_address), NO_LIMIT, MONTH)
