"""kill -9 at every point where something could be lost: nothing is, and at most one mail leaves twice, as itself."""

from pathlib import Path

import pytest
from sqlalchemy import select

from helpdesk.database import db
from helpdesk.inbound.models import InboundEmail, InboundState
from helpdesk.outbound.deliveries import MOST_ABANDONED
from helpdesk.outbound.models import DeliveryState, OutboundRecipient
from helpdesk.tickets.models import Status, Then, Ticket
from helpdesk.tickets.replying import reply
from helpdesk.versions import newest
from tests.cast import PASSWORD, Cast
from tests.contact.posting import filled
from tests.factories import make_ticket
from tests.faults.ledgers import complaints
from tests.faults.rig import GROUP, SELF, Rig, Visitor, hidden
from tests.journeys.conftest import wait_until
from tests.letters import letter
from tests.servers.dovecot import Account
from tests.servers.smtp import SmtpServer
from tests.test_migrations import migrations_with_one_more
from tests.whole import fill_every_table, rows

MARKS = ("mark-1-", "mark-2-", "mark-3-")
AROUND_COMMIT = ("before", "in", "after")
MAY_REPEAT = {"after the final dot", "before record", "record_delivery before commit", "record_delivery in commit"}


@pytest.mark.parametrize("whom", [SELF, GROUP])
@pytest.mark.parametrize("moment", AROUND_COMMIT)
def test_web_killed_around_the_commit_of_a_form(
    rig: Rig, visitor: Visitor, smtp: SmtpServer, moment: str, whom: str
) -> None:
    point, form = f"receive_form {moment} commit", filled(message="mark-1- It opened in 1932.")
    web = rig.start_web()
    rig.arm(point, whom=whom)
    assert visitor.post("/contact", form) == (0, "")
    assert rig.was_reached(point)
    if whom == GROUP:
        rig.wait_for_death(web, point)
        rig.start_web()
    if moment != "in":
        assert len(all_of(Ticket)) == (moment == "after")
    status, page = visitor.post("/contact", form)
    assert (status, "number" in page or "#" in page) == (200, True), page
    rig.start_worker()
    wait_until(everything_left)
    assert complaints(taken=["mark-1-"], replied=[], caught=smtp.mails) == []
    assert len(all_of(Ticket)) == 1


@pytest.mark.parametrize("moment", AROUND_COMMIT)
def test_web_killed_around_the_commit_of_a_reply(
    rig: Rig, visitor: Visitor, cast: Cast, smtp: SmtpServer, moment: str
) -> None:
    point, number = f"reply {moment} commit", make_ticket(cast).number
    rig.start_web()
    visitor.sign_in("ann@example.org", PASSWORD)
    page, action = visitor.get(f"/desk/tickets/{number}"), f"/desk/tickets/{number}/reply"
    form = hidden(page, of=action) | {"body": "mark-1- You are right.", "then": "send"}
    rig.arm(point)
    assert visitor.post(action, form) == (0, "")
    assert rig.was_reached(point)
    status, page = visitor.post(action, form)
    assert status in (200, 409), page
    assert "mark-1-" in visitor.get(f"/desk/tickets/{number}")
    rig.start_worker()
    wait_until(everything_left)
    assert complaints(taken=[], replied=["mark-1-"], caught=smtp.mails) == []


@pytest.mark.parametrize(
    "point",
    [
        "claim_next before commit", "claim_next after commit", "before send", "mid data", "after the final dot",
        "before record", "record_delivery before commit", "record_delivery in commit", "record_delivery after commit",
    ],
)  # fmt: skip
def test_worker_killed_while_it_sends(rig: Rig, cast: Cast, smtp: SmtpServer, point: str) -> None:
    for mark in MARKS:
        reply(make_ticket(cast), body=f"{mark} You are right.", by=cast.ann)
    rig.arm(point, nth=2)
    rig.wait_for_death(rig.start_worker(), point)
    assert not everything_left()
    rig.let_leases_run_out()
    rig.start_worker()
    wait_until(everything_left)
    assert complaints(taken=[], replied=MARKS, caught=smtp.mails, twice=int(point in MAY_REPEAT)) == []


def test_a_mail_that_ends_every_worker_is_given_up_and_its_ticket_comes_back(
    rig: Rig, cast: Cast, smtp: SmtpServer
) -> None:
    ticket = make_ticket(cast, wants_answer=False)
    reply(ticket, body="mark-1- You are right.", by=cast.ann, then=Then.CLOSE)
    for nth in range(1, MOST_ABANDONED + 1):
        rig.arm("before record", nth=nth)
        rig.wait_for_death(rig.start_worker(), "before record")
        (rig.folder / "before record reached").unlink()
        rig.let_leases_run_out()
    rig.start_worker()
    wait_until(lambda: everything_is(DeliveryState.FAILED))
    assert ticket.status is Status.OPEN
    assert "ended 3 times" in ticket.events[-1].sentence
    assert len(smtp.mails) == MOST_ABANDONED
    assert len({mail.parsed["Message-ID"] for mail in smtp.mails}) == 1


@pytest.mark.parametrize(
    "point",
    [
        "before raw put", "after put", "_record before commit", "_record in commit", "_record after commit",
        "before seen", "_claim after commit", "after parse", "act before commit", "act in commit", "act after commit",
    ],
)  # fmt: skip
def test_worker_killed_while_it_reads_mail(rig: Rig, watched: Account, smtp: SmtpServer, point: str) -> None:
    for mark in MARKS:
        watched.deliver(letter(body=f"{mark} It opened in 1932.\r\n"))
    rig.arm(point, nth=1 if point.startswith("_claim") else 2)
    rig.wait_for_death(rig.start_worker(), point)
    rig.let_leases_run_out()
    rig.start_worker()
    wait_until(lambda: everything_read(len(MARKS)) and everything_left())
    assert complaints(taken=MARKS, replied=[], caught=smtp.mails) == []
    assert watched.flags().count(set()) <= 1  # what was kept and not yet marked is kept, that is enough


@pytest.mark.parametrize("nth", [2, 7])
def test_killed_during_a_migration(rig: Rig, cast: Cast, engine: str, tmp_path: Path, nth: int) -> None:
    fill_every_table(cast)
    before = rows()
    db.session.remove()
    ahead = migrations_with_one_more(tmp_path, recreate="always" if engine == "sqlite" else "never")
    rig.arm("before step", nth=nth)
    rig.wait_for_death(rig.start("migrate", MIGRATIONS=ahead), "before step")
    assert rows() == before
    db.session.remove()
    again = rig.start("migrate", MIGRATIONS=ahead)
    assert again.wait(timeout=90) == 0, rig.log()
    assert rows() == before
    with db.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalars().all() == ["next"]
    assert newest() != {"next"}


def all_of(noun: type) -> list[object]:
    """All rows, read afresh."""
    db.session.rollback()
    return list(db.session.scalars(select(noun)))


def everything_left() -> bool:
    """True when each mail of the outbox is with the mail server."""
    return everything_is(DeliveryState.SENT)


def everything_is(state: DeliveryState) -> bool:
    """True when each delivery has come this far."""
    db.session.rollback()
    db.session.expire_all()
    return all(row.state is state for row in db.session.scalars(select(OutboundRecipient)))


def everything_read(count: int) -> bool:
    """True when that many mails came and none waits."""
    db.session.rollback()
    db.session.expire_all()
    states = list(db.session.scalars(select(InboundEmail.state)))
    return len(states) >= count and InboundState.RECEIVED not in states
