"""The ledger of a mailbox: which of its UIDs we have, which are stuck, and whose they are."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select, update

from helpdesk import clock
from helpdesk.database import db, transactional
from helpdesk.inbound.models import InboundEmail, Source, StuckEmail
from helpdesk.inbound.stuck import is_due

LATELY = timedelta(days=1)
NOT_WELL = "Not everything went well: "


@dataclass(frozen=True)
class Ledger:
    """What is known of a mailbox under one UIDVALIDITY. `taken` says of each UID that we have whether it was copied,
    `complaint` what did not go well when the mailbox was looked at last.
    """

    taken: dict[int, bool]
    stuck: dict[int, StuckEmail]
    has_old: bool
    missing: int
    complaint: str | None

    def missing_of(self, uids: Iterable[int]) -> list[int]:
        """The UIDs that we should have, and have not."""
        return [uid for uid in uids if uid not in self.taken and not self._is_left(uid)]

    def in_turn(self, missing: Iterable[int]) -> list[int]:
        """Those to be tried now, oldest first; what has failed comes last, so that it keeps no other waiting."""
        due = [uid for uid in missing if uid not in self.stuck or is_due(self.stuck[uid])]
        return sorted(due, key=lambda uid: (self.stuck[uid].attempts if uid in self.stuck else 0, uid))

    def reasons(self, missing: Iterable[int]) -> list[str]:
        """Why the missing ones are stuck, as far as that is known."""
        return [self.stuck[uid].reason for uid in missing if uid in self.stuck]

    def _is_left(self, uid: int) -> bool:
        return uid in self.stuck and self.stuck[uid].left_at is not None


def open_ledger(source_id: int, validity: int, *, mailbox: str) -> Ledger:
    """What we know of this mailbox. Ends with no transaction, since the mail server is asked next."""
    source = db.session.get_one(Source, source_id)
    if source.ledger_of != mailbox:
        begin_ledger(source, mailbox=mailbox)
    taken = select(InboundEmail.uid, InboundEmail.copied_at.is_not(None)).where(
        InboundEmail.source_id == source_id, InboundEmail.uidvalidity == validity
    )
    rows = {uid: copied for uid, copied in db.session.execute(taken) if uid is not None}
    stuck = db.session.scalars(select(StuckEmail).where(StuckEmail.source_id == source_id)).all()
    own = {mail.uid: mail for mail in stuck if mail.uidvalidity == validity}
    complaint = source.last_error if (source.last_error or "").startswith(NOT_WELL) else None
    ledger = Ledger(rows, own, len(own) < len(stuck), source.missing, complaint)
    for mail in stuck:
        db.session.expunge(mail)
    db.session.rollback()
    return ledger


def taken_lately(source_id: int, validity: int) -> set[int]:
    """The UIDs that we took within a day; ends with no transaction. What is older somebody else may have marked."""
    lately = select(InboundEmail.uid).where(
        InboundEmail.source_id == source_id,
        InboundEmail.uidvalidity == validity,
        InboundEmail.received_at > clock.now() - LATELY,
    )
    found = {uid for uid in db.session.scalars(lately) if uid is not None}
    db.session.rollback()
    return found


@transactional
def begin_ledger(source: Source, *, mailbox: str) -> None:
    """Note whose UIDs are taken down from now on; those of another mailbox mean nothing in this one.

    Many servers give every mailbox the same UIDVALIDITY. What is seen twice then is recognised by its Message-ID.
    """
    if source.ledger_of is not None:
        of_source = update(InboundEmail).where(InboundEmail.source_id == source.id)
        db.session.execute(of_source.values(uidvalidity=None, uid=None).execution_options(synchronize_session=False))
    source.ledger_of = mailbox


@transactional
def note_copied(source_id: int, /, *, uid: tuple[int, int]) -> None:
    """Remember that a copy is in the folder for processed mail, so that there is never a second one."""
    same = (InboundEmail.source_id == source_id, InboundEmail.uidvalidity == uid[0], InboundEmail.uid == uid[1])
    copy = update(InboundEmail).where(*same).values(copied_at=clock.now())
    db.session.execute(copy.execution_options(synchronize_session=False))
