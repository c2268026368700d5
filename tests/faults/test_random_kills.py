"""kill -9 of real web and worker processes at any moment, while forms, mails and replies come in."""

import contextlib
import os
import random
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial

from sqlalchemy import select

from helpdesk import clock
from helpdesk.database import db
from helpdesk.inbound.models import Source
from helpdesk.tickets.replying import reply
from tests.cast import Cast
from tests.contact.posting import filled
from tests.factories import make_ticket
from tests.faults.ledgers import complaints
from tests.faults.rig import Rig, Visitor
from tests.faults.test_kills import everything_left, everything_read
from tests.journeys.conftest import wait_until
from tests.letters import letter
from tests.processes import descendants
from tests.servers.dovecot import Account
from tests.servers.smtp import SmtpServer

ROUNDS, MAILS = 9, 3
WEB_KILLS = 2  # in each round, beside the one of the worker
AT_WORK_SECONDS = 1.2


def test_processes_killed_at_any_moment_lose_and_double_nothing(
    rig: Rig, visitor: Visitor, cast: Cast, watched: Account, smtp: SmtpServer
) -> None:
    dice, taken, replied, killed = random.Random(), list[str](), list[str](), 0
    web = rig.start_web()
    with ThreadPoolExecutor(1) as reader:
        for number in range(ROUNDS):
            began, worker = clock.now(), rig.start_worker()
            taken.append(f"mark-form{number}-")
            form = filled(message=f"{taken[-1]} It opened in 1932.", email=f"form{number}@example.com")
            sending = reader.submit(keep_sending, visitor, form)
            killed += sum(kill_web(web.pid, dice) for _ in range(WEB_KILLS))
            wait_until(partial(is_at_work, began))
            for each in range(MAILS):
                taken.append(f"mark-{number}.{each}-")
                watched.deliver(letter(body=f"{taken[-1]} It opened in 1932.\r\n", from_=f"{taken[-1]}@example.com"))
            replied.append(f"mark-reply{number}-")
            reply(make_ticket(cast), body=f"{replied[-1]} You are right.", by=cast.ann)
            time.sleep(dice.uniform(0, AT_WORK_SECONDS))
            worker.kill()
            assert worker.wait(timeout=30) == -signal.SIGKILL
            assert sending.result(timeout=60)
            rig.let_leases_run_out()
            killed += 1
    rig.start_worker()
    wait_until(lambda: everything_read(ROUNDS * MAILS) and everything_left(), 120)
    assert complaints(taken=taken, replied=replied, caught=smtp.mails, twice=ROUNDS) == []
    assert killed == ROUNDS * (WEB_KILLS + 1)


def is_at_work(began: datetime) -> bool:
    """True when the worker has looked into the mailbox."""
    db.session.rollback()
    last = db.session.scalar(select(Source.last_success_at))
    return last is not None and last > began


def keep_sending(visitor: Visitor, form: dict[str, str]) -> int:
    """Press Send until there is an answer; returns how often."""
    for count in range(1, 100):
        status, page = visitor.post("/contact", form)
        if status:
            assert status == 200, page
            return count
        time.sleep(0.05)
    raise AssertionError("the form was never taken")


def kill_web(pid: int, dice: random.Random) -> bool:
    """End one of the processes that answer, a moment from now; another takes its place."""
    time.sleep(dice.uniform(0, 0.1))
    return wait_until(lambda: _killed(dice.choice(descendants(pid) or [0])))


def _killed(pid: int) -> bool:
    """False when there is nobody, or he has just ended by himself."""
    if pid == 0:
        return False
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
        return True
    return False
