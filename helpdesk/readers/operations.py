"""Recognising who writes."""

from sqlalchemy import select

from helpdesk import clock
from helpdesk.addresses import normalise
from helpdesk.database import db
from helpdesk.readers.models import Reader, ReaderAddress


def find_reader(address: str) -> Reader | None:
    """The reader known by this address, in whatever case it is written."""
    known = select(Reader).join(ReaderAddress).where(ReaderAddress.address == normalise(address))
    return db.session.scalar(known)


def recognise(address: str, *, name: str = "", language: str | None = None) -> Reader:
    """The reader known by this address, or a new one; a name is learned once and never overwritten.

    Called inside a verb's transaction; two at once lose the race to the unique address and are tried again.
    """
    return acquaint(find_reader(address), address=address, name=name, language=language)


def acquaint(known: Reader | None, *, address: str, name: str = "", language: str | None = None) -> Reader:
    """The `known` reader, who may have told his name by now, or a new one."""
    if known is None:
        reader = Reader(address=address, name=name, language=language, created_at=clock.now())
        reader.addresses = [ReaderAddress(address=normalise(address))]
        db.session.add(reader)
        return reader
    known.name = known.name or name
    return known
