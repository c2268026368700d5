"""Tries to sign in: how many are let through, and from where an account's owner is let in all the same."""

from helpdesk.addresses import check, normalise
from helpdesk.database import transactional
from helpdesk.errors import Invalid
from helpdesk.networks import network_of
from helpdesk.rate_limit import STEPS, Limit, count, is_used

QUARTER_HOUR = 15 * 60
RETRY_AFTER_SECONDS = QUARTER_HOUR // STEPS
NO_LIMIT = 1_000_000_000  # it only notes where somebody was
MONTH = 30 * 24 * 60 * 60
PER_PLACE = 10
PER_NETWORK = 100
PER_ACCOUNT = 100
CODES_PER_ACCOUNT = 20
CODES_PER_DAY = 100
DAY = 24 * 60 * 60
FOR_ALL = 1000


@transactional
def count_try(address: str, *, remote_address: str) -> bool:
    """Count one more try to prove who one is; False when it must be refused, even with the right password.

    Strict for one account from one network; loose for one account and for all together, since those limits hit
    people who did nothing. They do not hold for an account in a network it was signed in from lately: whoever
    guesses from many networks slows himself down, and locks no colleague out of the places he works at.
    """
    network = network_of(remote_address)
    limits: tuple[Limit, ...] = (
        Limit("sign-in at one place", _place(address, network), PER_PLACE, QUARTER_HOUR),
        Limit("sign-in from one network", network, PER_NETWORK, QUARTER_HOUR),
    )
    if not is_used(_signed_in_at(address, network)):
        limits += (
            Limit("sign-in to one account", address, PER_ACCOUNT, QUARTER_HOUR),
            Limit("all sign-ins", "", FOR_ALL, QUARTER_HOUR),
        )
    return count(*limits) is None


@transactional
def count_code(address: str, *, remote_address: str) -> bool:
    """Count one more code for an account whose password was right; False when it must be refused.

    Six digits can be guessed in time by somebody who has the password, so no network is let in more often than others.
    """
    place = Limit("codes at one place", _place(address, network_of(remote_address)), PER_PLACE, QUARTER_HOUR)
    account = Limit("codes for one account", address, CODES_PER_ACCOUNT, QUARTER_HOUR)
    day = Limit("codes for one account in a day", address, CODES_PER_DAY, DAY)
    return count(place, account, day) is None


@transactional
def count_passkey(remote_address: str) -> bool:
    """Count one more passkey; there is nothing to guess, and nobody needs that many."""
    return count(Limit("passkeys from one network", network_of(remote_address), PER_NETWORK, QUARTER_HOUR)) is None


def note_place(address: str, *, remote_address: str) -> None:
    """Remember for a month that an account was signed in from this network, in the transaction of the sign-in."""
    count(_signed_in_at(address, network_of(remote_address)))


def account_of(typed: str) -> str:
    """The address that a sign-in looks for, however it was typed; as it stands when it is none."""
    try:
        return normalise(check(typed))
    except Invalid:
        return normalise(typed)


def _signed_in_at(address: str, network: str) -> Limit:
    return Limit("signed in at one place", _place(address, network), NO_LIMIT, MONTH)


def _place(address: str, network: str) -> str:
    return f"{address} {network}"
