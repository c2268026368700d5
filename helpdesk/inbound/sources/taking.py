"""One look at a mailbox: every mail that we miss is taken, each committed before its mailbox hears of it."""

import logging
import re
from dataclasses import dataclass, field
from functools import partial

from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection

from helpdesk.database import db
from helpdesk.errors import Conflict
from helpdesk.inbound.models import Source
from helpdesk.inbound.receiving import receive, record_oversized
from helpdesk.inbound.sources.leases import claim_source, note_missing, note_success
from helpdesk.inbound.sources.ledger import NOT_WELL, Ledger, note_copied, open_ledger, taken_lately
from helpdesk.inbound.sources.mailbox import AS_READ, FAULTS, MailboxFailed, MailRefused, OpenMailbox
from helpdesk.inbound.stuck import forget_stuck, note_stuck

log = logging.getLogger(__name__)

MAX_BYTES = 50 * 1024 * 1024
MOST_UNMOVED = 10
MOST_MARKED = 100
KEPT_HEADERS = (
    b"from:", b"to:", b"cc:", b"subject:", b"date:", b"message-id:", b"in-reply-to:", b"references:", b"return-path:"
)  # fmt: skip


class LeaseLost(Exception):
    """Another worker has the mailbox now, since we were away for too long."""


@dataclass
class Visit:
    """One look: what is done in it, and what went wrong."""

    box: OpenMailbox
    source_id: int
    worker: str
    processed_folder: str
    validity: int
    new: int = 0
    has_moved: bool = False
    has_marked: bool = False
    unmoved: int = 0
    gone: set[int] = field(default_factory=set)
    kept: set[int] = field(default_factory=set)
    failures: dict[int, str] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)

    def take(self, uids: list[int]) -> None:
        """Take these mails, one after the other. Raises LeaseLost, or whatever ends the connection."""
        sizes = self.box.sizes(uids)
        for uid in uids:
            self._claim()
            size = sizes.get(uid, 0)
            if self._is_kept(uid, size) and size <= MAX_BYTES:
                self._after(uid, is_copied=False)

    def move_earlier(self, uids: dict[int, bool]) -> None:
        """Move what was taken earlier and is still there."""
        sizes = self.box.sizes(list(uids))
        for uid in [uid for uid in uids if 0 < sizes.get(uid, 0) <= MAX_BYTES]:
            self._claim()
            self._move(uid, is_copied=uids[uid])

    def mark_earlier(self, uids: set[int]) -> None:
        """Show as read what was taken earlier and is unread since the server refused; the first refusal ends it."""
        self.has_marked = True
        unread = sorted(uids & self.box.unread())
        if len(unread) > MOST_MARKED:
            self.complaints.append(f"{len(unread) - MOST_MARKED} mails are not yet shown {AS_READ}")
        for uid in unread[:MOST_MARKED]:
            self._claim()
            try:
                self.box.mark_seen(uid)
            except MailRefused as error:
                self._complain(uid, error)
                break

    def _claim(self) -> None:
        if not claim_source(self.source_id, worker=self.worker):
            raise LeaseLost

    def _is_kept(self, uid: int, size: int) -> bool:
        """Keep one mail for good, or note why that failed: the other mails must not wait for this one."""
        try:
            is_there = self._keep(uid, size)
        except MailRefused as error:
            self._fail(uid, error.message)
            return False
        if is_there:
            self.kept.add(uid)
        else:
            self._fail(uid, f"the server says nothing about mail {uid}")
        return is_there

    def _keep(self, uid: int, size: int) -> bool:
        """False when there is no such mail, or so it seems."""
        raw = self._ask_for(uid, size)
        if raw is None:
            return False
        number, source = (self.validity, uid), db.session.get_one(Source, self.source_id)
        try:
            if size > MAX_BYTES:
                record_oversized(_stub(raw, size), source=source, uid=number, size=size)
            else:
                receive(raw, source=source, uid=number)
            self.new += 1
        except Conflict:  # somebody else was faster
            pass
        except OSError as error:  # else it would look like the mail server's fault
            raise MailboxFailed(f"A mail could not be kept here and stays there: {error}") from error
        except (OperationalError, InterfaceError, NoConnection):  # nor is it this mail's
            raise
        except Exception as error:
            log.exception("mail %s of mailbox %s could not be kept", uid, self.source_id)
            raise MailRefused(f"mail {uid} could not be kept: {type(error).__name__}") from error
        return True

    def _ask_for(self, uid: int, size: int) -> bytes | None:
        try:
            return self.box.fetch_headers(uid) if size > MAX_BYTES else self.box.fetch(uid)
        except FAULTS as error:
            reason = f"the connection ended while mail {uid} was fetched: {error or type(error).__name__}"
            note_stuck(self.source_id, uid=(self.validity, uid), reason=reason)
            raise

    def _fail(self, uid: int, reason: str) -> None:
        db.session.rollback()
        if not self.box.has(uid):  # somebody removed it meanwhile, which is no failure
            self.gone.add(uid)
            return
        note_stuck(self.source_id, uid=(self.validity, uid), reason=reason)
        self.failures[uid] = reason

    def _after(self, uid: int, *, is_copied: bool) -> None:
        try:
            self.box.mark_seen(uid)
        except MailRefused as error:
            self._complain(uid, error)
        if self.processed_folder:
            self._move(uid, is_copied=is_copied)

    def _move(self, uid: int, *, is_copied: bool) -> None:
        """Move one mail, unless so many were refused that the rest had better wait for the next look."""
        if self.unmoved >= MOST_UNMOVED:
            return
        copied = partial(note_copied, self.source_id, uid=(self.validity, uid))
        try:
            self.box.move(uid, self.processed_folder, is_copied=is_copied, note_copied=copied)
            self.has_moved = True
        except MailRefused as error:
            self.unmoved += 1
            self._complain(uid, error)

    def _complain(self, uid: int, error: MailRefused) -> None:
        if self.box.has(uid):
            self.complaints.append(error.message)


def take_new(box: OpenMailbox, source_id: int, worker: str, *, mailbox: str, processed_folder: str) -> int:
    """Take every mail of a mailbox that is not in our ledger; returns how many those were.

    `mailbox` names it, `processed_folder` is where mail goes then, "" for nowhere. Raises MailboxFailed or one of
    FAULTS; what was taken before stays.
    """
    validity, uids = box.look()
    ledger = open_ledger(source_id, validity, mailbox=mailbox)
    missing = ledger.missing_of(uids)
    if len(missing) != ledger.missing:
        note_missing(source_id, missing=len(missing))
    visit = Visit(box, source_id, worker, processed_folder, validity)
    try:
        if AS_READ in (ledger.complaint or ""):
            visit.mark_earlier(taken_lately(source_id, validity))
        visit.take(ledger.in_turn(missing))
        if processed_folder:
            visit.move_earlier({uid: ledger.taken[uid] for uid in uids if uid in ledger.taken})
    except LeaseLost:
        return visit.new
    _settle(visit, ledger, uids, missing)
    return visit.new


def _settle(visit: Visit, ledger: Ledger, uids: list[int], missing: list[int]) -> None:
    """Compare what the server has with what we have now, and say what is still missing and why."""
    still = [uid for uid in missing if uid not in visit.kept | visit.gone]
    if ledger.stuck or ledger.has_old:
        there = set(uids) - visit.gone - visit.kept - set(ledger.taken)
        forget_stuck(visit.source_id, but=(visit.validity, there))
    reasons = [*visit.failures.values(), *ledger.reasons(still), *visit.complaints]
    told = reasons[:1]
    if not any(AS_READ in reason for reason in told):  # else nothing would be marked by the next look
        told += [reason for reason in visit.complaints if AS_READ in reason][:1]
    complaint = f"{NOT_WELL}{'; '.join(told)}" if told else None
    if not (missing or visit.has_moved or visit.has_marked or ledger.stuck or ledger.has_old):
        complaint = complaint or ledger.complaint  # a look in which nothing was tried is no proof that all is well
    note_success(visit.source_id, complaint=complaint, missing=len(still))


def _stub(headers: bytes, size: int) -> bytes:
    """A mail that names sender and subject of one that was not fetched, and says so."""
    kept = [line for line in re.split(rb"\r?\n(?![ \t])", headers) if line.lower().startswith(KEPT_HEADERS)]
    sentence = f"This mail has {size // 1024 // 1024} MB, so it was not fetched. It is still in the mailbox."
    body = b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + sentence.encode() + b"\r\n"
    return b"".join(line + b"\r\n" for line in kept) + body
