"""Who stands on a ticket's page besides its reader: those whom a mail names, and those who wrote from elsewhere."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from helpdesk.addresses import bare_spellings, normalise
from helpdesk.tickets.messages import Message, MessageKind
from helpdesk.tickets.models import Ticket
from helpdesk.tickets.ours import own_by_setting


class Standing(StrEnum):
    """What somebody is to a ticket: gets copies, is one of us, or could get copies."""

    PARTICIPANT = "participant"
    OWN = "own"
    OTHER = "other"


@dataclass(frozen=True)
class Person:
    """An address, and what it is to the ticket."""

    address: str
    standing: Standing


@dataclass
class People:
    """By message: who wrote it, when that is not the reader, and whom else it names; whose sender nothing proves."""

    sender: dict[int, Person] = field(default_factory=dict)
    named: dict[int, list[Person]] = field(default_factory=dict)
    unproven: set[int] = field(default_factory=set)


def addresses_on(messages: Sequence[Message], ticket: Ticket) -> list[str]:
    """Every address besides the reader's that these messages name, as our rows may spell it, the latest first."""
    found = (address for one in reversed(messages) for address in _addresses(one, ticket))
    return list(dict.fromkeys(spelling for address in found for spelling in bare_spellings(address)))


def people_on(messages: Sequence[Message], ticket: Ticket, *, own: Collection[str]) -> People:
    """Who stands on the page; `own` are the addresses among them that are the desk's or its staff's."""
    people, ours = People(), own_by_setting() | set(own)
    joined = {one.address for one in ticket.participants}
    for message in messages:
        sender = normalise(message.from_address)
        persons = [Person(address, _standing(address, joined, ours)) for address in _addresses(message, ticket)]
        for person in persons:
            if person.address == sender:
                people.sender[message.id] = person
            elif not _is_intake(person, ticket):
                people.named.setdefault(message.id, []).append(person)
        if message.kind is MessageKind.READER and not message.verified:
            people.unproven.add(message.id)
    return people


def _addresses(message: Message, ticket: Ticket) -> list[str]:
    """Whom a reader's message comes from and names, but for the reader."""
    if message.kind is not MessageKind.READER:
        return []
    reader = {one.address for one in ticket.reader.addresses} if ticket.reader else set()
    named = dict.fromkeys(normalise(address) for address in (message.from_address, *message.recipients) if address)
    return [address for address in named if address not in reader]


def _standing(address: str, joined: set[str], own: set[str]) -> Standing:
    if address in joined:
        return Standing.PARTICIPANT
    return Standing.OTHER if own.isdisjoint(bare_spellings(address)) else Standing.OWN


def _is_intake(person: Person, ticket: Ticket) -> bool:
    """True for the address that the mail came to, which needs no mention."""
    return normalise(ticket.queue.intake_address) in bare_spellings(person.address)
