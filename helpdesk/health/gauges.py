"""What stands in the tables at the moment of a scrape, read in one statement."""

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import Any

from prometheus_client.core import GaugeMetricFamily as Gauge
from prometheus_client.registry import Collector
from sqlalchemy import Connection, Select, String, cast, func, literal, null, select, union_all
from sqlalchemy.exc import SQLAlchemyError

from helpdesk import clock
from helpdesk.columns import UtcDateTime
from helpdesk.health.probe import Probe
from helpdesk.inbound.models import InboundEmail, InboundState
from helpdesk.outbound.models import DeliveryState, OutboundRecipient
from helpdesk.tickets.models import Status, Ticket
from helpdesk.ticks import PeriodicTick

Row = tuple[str, str, int, datetime | None]


class Gauges(Collector):
    """The gauges of one scrape; without a database there is only the one that says so."""

    def __init__(self, probe: Probe) -> None:
        self.probe = probe

    def collect(self) -> Iterator[Gauge]:
        """Called by the registry for each scrape."""
        try:
            rows = self.probe.ask_database("gauges", partial(_read, statement=_statement()))
        except (SQLAlchemyError, OSError):
            yield Gauge("helpdesk_database_up", "1 when the database answers.", value=0)
            return
        yield Gauge("helpdesk_database_up", "1 when the database answers.", value=1)
        yield from _families(rows)


def _read(connection: Connection, *, statement: Any) -> list[Row]:
    return [(kind, label, number, moment) for kind, label, number, moment in connection.execute(statement)]


def _statement() -> Any:
    outbox, mail, nothing = OutboundRecipient, InboundEmail, cast(null(), UtcDateTime)
    return union_all(
        _part("outbox", outbox.state, func.min(outbox.queued_at)).group_by(outbox.state),
        _part("inbound", literal(""), func.min(mail.received_at)).where(mail.state == InboundState.RECEIVED),
        _part("tickets", Ticket.status, nothing).where(Ticket.status != Status.CLOSED).group_by(Ticket.status),
        _part("worker", literal(""), func.max(PeriodicTick.minute)),
    )


def _part(kind: str, label: Any, moment: Any) -> Select[Any]:
    # The moment as a column of its own type, since a union takes the types of its first part.
    return select(literal(kind), cast(label, String), func.count(), moment.label("moment"))


def _families(rows: list[Row]) -> Iterator[Gauge]:
    count = {(kind, label): number for kind, label, number, _ in rows}
    moment = {(kind, label): moment for kind, label, _, moment in rows}
    yield _by_state("helpdesk_outbox", "Mails to one recipient, by state.", "outbox", list(DeliveryState), count)
    yield _by_state("helpdesk_tickets_open", "Tickets that are not closed.", "tickets", list(Status), count)
    waiting = _age(moment.get(("outbox", DeliveryState.QUEUED.value)))
    yield Gauge("helpdesk_outbox_oldest_seconds", "Age of the oldest mail that waits to leave.", value=waiting)
    yield Gauge("helpdesk_inbound_unread", "Mails that wait to be read.", value=count["inbound", ""])
    if tick := moment["worker", ""]:
        yield Gauge("helpdesk_worker_last_tick", "When a worker was last seen, Unix time.", value=tick.timestamp())


def _by_state(name: str, told: str, kind: str, states: list[Any], count: dict[tuple[str, str], int]) -> Gauge:
    family = Gauge(name, told, labels=["state"])
    for state in states:
        if state is not Status.CLOSED:
            family.add_metric([state.value], count.get((kind, state.value), 0))
    return family


def _age(moment: datetime | None) -> float:
    return (clock.now() - moment).total_seconds() if moment else 0.0
