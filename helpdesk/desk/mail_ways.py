"""The ways mail goes, in and out: for each when it last went well, what waits, and what failed and why."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Integer, Select, Subquery, and_, func, literal, null, or_, select, union_all
from sqlalchemy import cast as cast_to
from sqlalchemy.orm import joinedload

from helpdesk import clock
from helpdesk.agents.models import Agent
from helpdesk.database import db
from helpdesk.desk.mail_log import FAILURES, is_troubled, open_queue, outbound_seen_by
from helpdesk.inbound.models import InboundEmail, InboundState, Source
from helpdesk.inbound.troubles import patience_ends
from helpdesk.outbound.models import DeliveryState, DestinationWait, OutboundEmail, OutboundRecipient, Release
from helpdesk.outbound.waiting import AUTOMATIC, EVERYWHERE, LIMIT, RELAY
from helpdesk.sites.models import Queue
from helpdesk.sites.queries import is_open_to
from helpdesk.tickets.folders import COUNT_STOPS_AT

MOST_REASONS = 5
NO_REASON = "No reason was given."
OUT, IN = "out", "in"

Rows = Select[Any]


@dataclass(frozen=True)
class Counted:
    """How many there are, as far as they were counted; `more` when there are others."""

    number: int = 0
    more: bool = False

    def __str__(self) -> str:
        return f"{min(self.number, COUNT_STOPS_AT - 1)}{'+' if self.more else ''}"

    def __bool__(self) -> bool:
        return self.number > 0


@dataclass(frozen=True)
class Held:
    """Mail that waits by itself, until when and why: for one domain, for the relay, or for the hourly limit."""

    name: str
    reason: str
    number: int
    until: datetime

    @property
    def is_for_limit(self) -> bool:
        """True when nothing is wrong but that much has left already."""
        return self.name.startswith((LIMIT, AUTOMATIC))

    @property
    def is_for_relay(self) -> bool:
        """True when the mail server that sends takes nothing just now."""
        return self.name == RELAY


@dataclass
class Way:
    """One way mail comes or leaves: a mailbox, all other doors together, or the sender."""

    direction: str
    name: str = ""
    queue: str = ""
    active: bool = True
    last_success_at: datetime | None = None
    error: str = ""
    missing: int = 0
    waiting: Counted = field(default_factory=Counted)
    oldest_at: datetime | None = None
    failures: list[tuple[str, Counted]] = field(default_factory=list)
    other_reasons: int = 0
    held: list[Held] = field(default_factory=list)

    @property
    def is_limited(self) -> bool:
        """True while mail waits for the hourly limit."""
        return any(held.is_for_limit for held in self.held)

    @property
    def stands_still(self) -> bool:
        """True when what waits should long have gone on, or a mailbox is no longer looked into."""
        ends, last = patience_ends(), self.last_success_at
        waits_long = self.oldest_at is not None and self.oldest_at < ends
        if self.direction == OUT:
            return waits_long and (last is None or self.oldest_at is None or last < self.oldest_at)
        return waits_long or (self.active and last is not None and last < ends)

    def wait(self, number: int, oldest_at: datetime, *, more: bool) -> None:
        """Note what waits."""
        self.waiting, self.oldest_at = Counted(number, more), oldest_at

    def fail(self, reasons: Counter[str], *, more: bool) -> None:
        """Note what failed, the commonest reason first."""
        common = reasons.most_common()
        self.failures = [(reason, Counted(number, more)) for reason, number in common[:MOST_REASONS]]
        self.other_reasons = len(common[MOST_REASONS:])


def list_ways(agent: Agent) -> list[Way]:
    """The sender, each mailbox whose queue the agent may see, and what came by other doors if any of it stands."""
    ways = _mailboxes(agent)
    sender, others = Way(OUT), Way(IN)
    rows = db.session.execute(_standing(agent)).all()
    for source_id, own in _by_source(rows, "waiting", ways).items():
        way = ways.get(source_id, others)
        way.wait(sum(row[3] for row in own), min(row[4] for row in own), more=_is_cut(rows, "waiting"))
    for source_id, own in _by_source(rows, "failed", ways).items():
        ways.get(source_id, others).fail(_reasons(own), more=_is_cut(rows, "failed"))
    _fill_sender(sender, rows)
    return [sender, *ways.values(), *([others] if others.waiting or others.failures else [])]


def _fill_sender(sender: Way, rows: Sequence[Any]) -> None:
    for kind, _, reason, number, moment in rows:
        if kind == "sent":
            sender.last_success_at = moment
        elif kind == "held":
            name, _, why = reason.partition("\n")
            sender.held.append(Held(name, _without_addresses(why), number, moment))
        elif kind == "to send":
            sender.wait(number, moment, more=_is_cut(rows, kind))
    sender.fail(_reasons(row for row in rows if row[0] == "unsent"), more=_is_cut(rows, "unsent"))


def _mailboxes(agent: Agent) -> dict[int | None, Way]:
    open_to_him = select(Queue.id).where(is_open_to(agent))
    sources = select(Source).where(Source.queue_id.in_(open_to_him)).order_by(Source.name)
    return {
        source.id: Way(
            IN, name=source.name, queue=source.queue.name, active=source.active,
            last_success_at=source.last_success_at, error=source.last_error or "", missing=source.missing,
        )
        for source in db.session.scalars(sources.options(joinedload(Source.queue)))
    }  # fmt: skip


def _by_source(rows: Sequence[Any], kind: str, ways: dict[int | None, Way]) -> dict[int | None, list[Any]]:
    """The rows of each mailbox that has a line, and those of all the rest together."""
    found: dict[int | None, list[Any]] = {}
    for row in rows:
        if row[0] == kind:
            found.setdefault(row[1] if row[1] in ways else None, []).append(row)
    return found


def _is_cut(rows: Sequence[Any], kind: str) -> bool:
    counted: int = sum(row[3] for row in rows if row[0] == kind)
    return counted >= COUNT_STOPS_AT


def _reasons(rows: Iterable[Any]) -> Counter[str]:
    reasons: Counter[str] = Counter()
    for _, _, reason, number, _ in rows:
        reasons[_without_addresses(reason or "") or NO_REASON] += number
    return reasons


def _without_addresses(reason: str) -> str:
    """Servers name the address they refuse; the reason is the same for all of them."""
    return " ".join("…" if "@" in word else word for word in reason.split())


def _standing(agent: Agent) -> Any:
    """All that stands somewhere, in one statement: (kind, source, reason, how many, since when)."""
    nobody = cast_to(null(), Integer)
    mail, to = InboundEmail, OutboundRecipient
    columns: list[Any] = [mail.source_id.label("source"), mail.reason.label("reason"), mail.received_at.label("moment")]
    out = outbound_seen_by(agent, nobody.label("source"), to.error.label("reason"), to.queued_at.label("moment"))
    came = select(*columns).where(open_queue(agent))
    return union_all(
        _part("waiting", came.where(mail.state == InboundState.RECEIVED).order_by(mail.id), by_reason=False),
        _part("failed", came.where(mail.state.in_(FAILURES)).order_by(mail.id.desc())),
        _part("to send", out.where(_waits_to_leave()).order_by(to.queued_at), by_reason=False),
        _part("unsent", out.where(is_troubled()).order_by(to.id.desc())),
        _last_sent(nobody),
        _held_back(agent, nobody),
    )


def _part(kind: str, rows: Rows, *, by_reason: bool = True) -> Rows:
    some: Subquery = rows.limit(COUNT_STOPS_AT).subquery()
    groups = (some.c.source, some.c.reason) if by_reason else (some.c.source,)
    reason = some.c.reason if by_reason else literal("")
    counted = select(literal(kind), some.c.source, reason, func.count(), func.min(some.c.moment))
    return counted.group_by(*groups)


def _last_sent(nobody: Any) -> Rows:
    to = OutboundRecipient
    sent = select(to.settled_at.label("moment")).where(to.state == DeliveryState.SENT, to.settled_at.is_not(None))
    last = sent.order_by(to.settled_at.desc()).limit(1).subquery()
    return select(literal("sent"), nobody, literal(""), literal(1), last.c.moment)


def _held_back(agent: Agent, nobody: Any) -> Rows:
    """What waits for a destination, the relay or the limit, as far as the agent sees any of it."""
    wait = DestinationWait
    columns = OutboundRecipient.domain.label("domain"), OutboundRecipient.automatic.label("automatic")
    some = outbound_seen_by(agent, *columns).where(_waits_to_leave())
    mails = some.order_by(OutboundRecipient.queued_at).limit(COUNT_STOPS_AT).subquery().c
    of_all = and_(wait.name.startswith(EVERYWHERE), or_(mails.automatic, ~wait.name.startswith(AUTOMATIC)))
    is_meant = or_(wait.name == mails.domain, of_all)
    why = wait.name + "\n" + wait.reason
    held = select(literal("held"), nobody, why, func.count(), wait.until).join_from(wait, mails.domain.table, is_meant)
    return held.where(wait.until > clock.now()).group_by(wait.name, wait.reason, wait.until)


def _waits_to_leave() -> Any:
    may_leave = or_(OutboundEmail.release == Release.RELEASED, OutboundEmail.not_before <= clock.now())
    return and_(OutboundRecipient.state.in_((DeliveryState.QUEUED, DeliveryState.SENDING)), may_leave)
