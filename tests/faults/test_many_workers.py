"""Several workers at once: each mail is read once, sent once and counted once."""

from pathlib import Path

from prometheus_client import CollectorRegistry
from prometheus_client.multiprocess import MultiProcessCollector

from helpdesk.config import Settings
from helpdesk.metrics import folder_in
from helpdesk.tickets.replying import reply
from tests.cast import Cast
from tests.factories import make_ticket
from tests.faults.ledgers import complaints
from tests.faults.rig import Rig
from tests.faults.test_kills import everything_left, everything_read
from tests.journeys.conftest import wait_until
from tests.letters import letter
from tests.servers.dovecot import Account
from tests.servers.smtp import SmtpServer

WORKERS, MAILS = 3, 60


def test_three_workers_share_the_mail_of_both_directions(
    rig: Rig, cast: Cast, watched: Account, smtp: SmtpServer, settings: Settings
) -> None:
    incoming, outgoing = ([f"mark-{way}{number}-" for number in range(MAILS)] for way in ("in", "out"))
    ticket = make_ticket(cast)
    for mark in outgoing:
        reply(ticket, body=f"{mark} You are right.", by=cast.ann)
    half = MAILS // 2
    for mark in incoming[:half]:
        watched.deliver(letter(body=f"{mark} It opened in 1932.\r\n", from_=f"{mark}@example.com"))
    for _ in range(WORKERS):
        rig.start_worker()
    for mark in incoming[half:]:
        watched.deliver(letter(body=f"{mark} It opened in 1932.\r\n", from_=f"{mark}@example.com"))
    wait_until(lambda: everything_read(MAILS) and everything_left(), 180)
    assert complaints(taken=incoming, replied=outgoing, caught=smtp.mails) == []
    told = counted(folder_in(settings.data_dir))
    assert (told["helpdesk_mails_in", "accepted"], told["helpdesk_mails_out", "sent"]) == (MAILS, len(smtp.mails))


def test_one_of_them_stops_and_the_others_go_on(rig: Rig, cast: Cast, smtp: SmtpServer) -> None:
    first = rig.start_worker()
    reply(make_ticket(cast), body="mark-1- You are right.", by=cast.ann)
    wait_until(everything_left)
    second = rig.start_worker()
    first.terminate()
    assert first.wait(timeout=60) == 0
    reply(make_ticket(cast), body="mark-2- You are right.", by=cast.ann)
    wait_until(everything_left)
    assert second.poll() is None
    assert complaints(taken=[], replied=["mark-1-", "mark-2-"], caught=smtp.mails) == []


def counted(folder: Path) -> dict[tuple[str, str], float]:
    """What all processes together counted, by name and outcome."""
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=str(folder))  # type: ignore[no-untyped-call]
    return {
        (metric.name, sample.labels["outcome"]): sample.value
        for metric in registry.collect()
        for sample in metric.samples
        if sample.name.endswith("_total") and "outcome" in sample.labels
    }
