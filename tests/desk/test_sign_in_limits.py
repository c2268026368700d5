"""Guessing passwords ends soon, tells nothing, locks nobody out, and holds nobody up."""

import re
import statistics
import threading
import time
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, select

from helpdesk import clock, create_app
from helpdesk.agents import forgotten, tries
from helpdesk.agents.forgotten import answer_password_requests
from helpdesk.agents.models import Agent, PasswordRequest
from helpdesk.agents.operations import deactivate
from helpdesk.agents.tries import count_try
from helpdesk.config import Settings
from helpdesk.database import db, transactional
from helpdesk.extensions import security
from helpdesk.outbound.models import OutboundEmail
from helpdesk.sites.models import Site
from helpdesk.worker import Worker
from tests.cast import PASSWORD, Cast
from tests.desk.conftest import Desk, counted
from tests.factories import outbox

KNOWN, UNKNOWN = "ann@example.org", "bob@example.org"


class At:
    """A browser in some network that guesses; it reads its token once."""

    def __init__(self, app: Flask, address: str = "192.0.2.1") -> None:
        self.desk, self.address = Desk(app), address
        self.token = self.desk.token

    def guess(self, email: str, password: str = "wrong", path: str = "/desk/sign-in") -> Any:
        """One try."""
        form = {"email": email, "password": password, "csrf_token": self.token}
        return self.desk.client.post(path, data=form, environ_base={"REMOTE_ADDR": self.address})

    def forget(self, email: str) -> Any:
        """Ask for a new password."""
        return self.guess(email, path="/desk/password/forgotten")


def test_each_try_counts_though_it_failed_and_the_right_password_comes_too_late(app: Flask, cast: Cast) -> None:
    guesser = At(app)
    assert [guesser.guess(KNOWN).status_code for _ in range(10)] == [200] * 10
    late, wrong = guesser.guess(KNOWN, PASSWORD), guesser.guess(KNOWN)
    assert (late.status_code, wrong.status_code, late.text) == (429, 429, wrong.text)
    assert (late.headers["Retry-After"], wrong.headers["Retry-After"]) == ("150", "150")


def test_a_new_quarter_of_an_hour_lets_in_again(app: Flask, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    guesser = At(app)
    assert [guesser.guess(KNOWN).status_code for _ in range(11)][-1] == 429
    later = clock.now() + timedelta(minutes=17.5)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert guesser.guess(KNOWN, PASSWORD).status_code == 302


def test_limits_of_sign_in_survive_a_restart(app: Flask, cast: Cast, settings: Settings) -> None:
    guesser = At(app)
    assert [guesser.guess(KNOWN).status_code for _ in range(10)] == [200] * 10
    again = create_app(settings)
    again.test_client_class = app.test_client_class
    assert At(again).guess(KNOWN, PASSWORD).status_code == 429


def test_spellings_of_an_address_share_its_limit(app: Flask, cast: Cast) -> None:
    spellings = ["ann@example.org", "ANN@Example.ORG", " ann@example.org ", "ann@\uff45xample.org", "aNN@example.org"]
    guesser = At(app)
    assert [guesser.guess(spellings[n % 5]).status_code for n in range(12)] == [200] * 10 + [429] * 2


def test_guesses_at_many_accounts_from_one_network_end_too(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tries, "PER_NETWORK", 6)
    places = [At(app, f"192.0.2.{number}") for number in range(2)]
    codes = [places[n % 2].guess(f"agent{n}@example.org").status_code for n in range(8)]
    assert codes == [200] * 6 + [429] * 2


def test_a_botnet_is_slowed_down_and_locks_nobody_out_of_the_place_he_works_at(app: Flask, cast: Cast) -> None:
    office = "198.51.100.7"
    assert At(app, office).guess(KNOWN, PASSWORD).status_code == 302
    let_through = sum(count_try(KNOWN, remote_address=f"10.{number}.0.1") for number in range(300))
    assert let_through == tries.PER_ACCOUNT - 1  # Ann's own sign-in was the first
    assert At(app, "10.9.9.9").guess(KNOWN, PASSWORD).status_code == 429
    assert At(app, "198.51.100.8").guess(KNOWN, PASSWORD).status_code == 302
    assert At(app, "10.9.9.9").guess(cast.eve.email, PASSWORD).status_code == 302


def test_one_network_alone_uses_up_no_accounts_limit(app: Flask, cast: Cast) -> None:
    for _ in range(200):
        count_try(KNOWN, remote_address="10.0.0.1")
    assert At(app, "192.0.2.1").guess(KNOWN, PASSWORD).status_code == 302


def test_all_guesses_together_have_a_limit_that_known_places_do_not_feel(
    app: Flask, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert At(app).guess(KNOWN, PASSWORD).status_code == 302
    monkeypatch.setattr(tries, "FOR_ALL", 20)
    let_through = [count_try(f"a{n}@example.org", remote_address=f"10.{n}.0.1") for n in range(30)]
    assert Counter(let_through) == {True: 19, False: 11}
    assert At(app).guess(KNOWN, PASSWORD).status_code == 302


@pytest.mark.parametrize("path", ["/desk/password/change", "/desk/verify"])
def test_whoever_found_an_open_desk_cannot_guess_its_password(ann: Desk, path: str) -> None:
    form = {"password": "wrong", "new_password": "x" * 12, "new_password_confirm": "x" * 12}
    codes = [ann.post(path, **form).status_code for _ in range(12)]
    assert codes == [200] * 9 + [429] * 3  # the sign-in itself was the first


@pytest.mark.parametrize("path", ["/desk/sign-in", "/desk/password/forgotten"])
def test_only_forms_are_read_since_only_forms_are_counted(app: Flask, cast: Cast, path: str) -> None:
    guesser = At(app)
    words = {"email": KNOWN, "password": PASSWORD}
    answer = guesser.desk.client.post(path, json=words, headers={"X-CSRFToken": guesser.token})
    assert answer.status_code == 415


def accounts(cast: Cast) -> list[str]:
    """One address of each kind, all of the same length: known, unknown, closed, without a password."""
    deactivate(cast.eve)
    cast.sam.password = None
    db.session.commit()
    return [KNOWN, UNKNOWN, cast.eve.email, cast.sam.email]


@pytest.mark.parametrize("password", ["wrong", PASSWORD + "!"])
def test_class_58_a_refused_sign_in_looks_the_same_for_every_kind_of_account(
    app: Flask, cast: Cast, password: str
) -> None:
    answers = [At(app).guess(email, password) for email in accounts(cast)]
    assert len({(answer.status_code, answer.headers["Content-Length"]) for answer in answers}) == 1
    assert len({tuple(sorted(answer.headers.keys())) for answer in answers}) == 1
    assert len({plain(answer.text) for answer in answers}) == 1


def test_class_58_a_closed_account_says_nothing_to_the_right_password(app: Flask, cast: Cast) -> None:
    closed = accounts(cast)[2]
    assert plain(At(app).guess(closed, PASSWORD).text) == plain(At(app).guess(UNKNOWN, PASSWORD).text)


def test_class_58_a_forgotten_password_looks_the_same_for_every_kind_of_account(app: Flask, cast: Cast) -> None:
    answers = [At(app).forget(email) for email in [*accounts(cast), "no address"]]
    assert len({(answer.status_code, tuple(sorted(answer.headers.keys()))) for answer in answers}) == 1
    assert len({answer.headers["Content-Length"] for answer in answers[:4]}) == 1
    assert len({plain(answer.text) for answer in answers}) == 1


def test_class_58_the_same_work_is_done_for_every_kind_of_account(
    app: Flask, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed = spy_on_hashing(monkeypatch)
    done = []
    for email in accounts(cast):
        guesser = At(app)
        hashed.clear()
        with counted() as statements:
            guesser.guess(email)
        done.append((len(hashed), [shape(statement) for statement in statements]))
    assert [hashes for hashes, _ in done] == [1] * 4
    assert done[1:] == [done[0]] * 3


def test_class_58_a_forgotten_password_looks_nobody_up(app: Flask, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed = spy_on_hashing(monkeypatch)
    done = []
    for email in accounts(cast):
        guesser = At(app)
        hashed.clear()
        with counted() as statements:
            guesser.forget(email)
        done.append((len(hashed), [shape(statement) for statement in statements]))
    assert done == [done[0]] * 4
    assert [statement for statement in done[0][1] if " agent" in statement] == []
    assert outbox() == []


def test_class_58_known_and_unknown_take_the_same_time(app: Flask, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PER_PLACE", "PER_NETWORK", "PER_ACCOUNT"):
        monkeypatch.setattr(tries, name, 10_000)
    guesser, took = At(app), {KNOWN: [], UNKNOWN: []}
    for turn in range(60):
        email = (KNOWN, UNKNOWN)[turn % 2]
        began = time.perf_counter()
        guesser.guess(email)
        took[email].append(time.perf_counter() - began)
    ratio = statistics.median(took[KNOWN]) / statistics.median(took[UNKNOWN])
    assert 0.6 < ratio < 1.6


def test_class_28_a_thousand_requests_from_everywhere_send_three_mails_and_answer_the_same(
    app: Flask, cast: Cast
) -> None:
    guesser, pages = At(app), set()
    for number in range(100):
        guesser.address = f"10.{number}.0.1"
        answer = guesser.forget(KNOWN)
        pages.add((answer.status_code, plain(answer.text)))
    for number in range(900):
        forgotten.note_password_request(KNOWN, remote_address=f"10.{number % 250}.{number // 250}.1")
    answer_password_requests()
    assert ([mail.recipients[0].address for mail in outbox()], len(pages)) == ([KNOWN] * 3, 1)


def test_class_28_one_network_cannot_flood_many_accounts(app: Flask, cast: Cast) -> None:
    for number in range(60):
        forgotten.note_password_request(f"agent{number}@example.org", remote_address=f"192.0.2.{number}")
    assert len(db.session.scalars(select(PasswordRequest)).all()) == forgotten.PER_NETWORK


def test_a_request_is_answered_once_and_then_forgotten(app: Flask, cast: Cast) -> None:
    for email in accounts(cast):
        At(app).forget(email)
    look = Worker(app).look
    look()
    look()
    assert sorted(mail.recipients[0].address for mail in outbox()) == [KNOWN, cast.sam.email]
    assert db.session.scalars(select(PasswordRequest)).all() == []


def test_a_request_is_not_lost_when_the_worker_dies_before_the_mail_is_kept(
    app: Flask, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    At(app).forget(KNOWN)

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    event.listen(OutboundEmail, "before_insert", die)
    with pytest.raises(KeyboardInterrupt):
        answer_password_requests()
    event.remove(OutboundEmail, "before_insert", die)
    assert (outbox(), len(db.session.scalars(select(PasswordRequest)).all())) == ([], 1)
    answer_password_requests()
    assert len(outbox()) == 1


def test_two_workers_at_once_answer_once(app: Flask, cast: Cast) -> None:
    At(app).forget(KNOWN)
    gate = threading.Barrier(4)

    def work() -> None:
        with app.app_context():
            db.session.execute(select(PasswordRequest)).all()
            gate.wait(30)
            answer_password_requests()
            db.session.remove()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    db.session.rollback()
    assert len(outbox()) == 1


@pytest.mark.parametrize("what", ["guess", "sign in", "forget", "change"])
def test_while_a_password_is_hashed_others_can_write(
    app: Flask, cast: Cast, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    browser = At(app)
    if what == "change":
        browser.guess(KNOWN, PASSWORD)
        browser.token = browser.desk.token
    written: list[bool] = []
    spy_on_hashing(monkeypatch, meanwhile=lambda: written.append(write_elsewhere(app)))
    if what == "change":
        words = {"password": PASSWORD, "new_password": "x" * 12 + "!aZ", "new_password_confirm": "x" * 12 + "!aZ"}
        form = words | {"csrf_token": browser.token}
        answer = browser.desk.client.post("/desk/password/change", data=form)
    elif what == "forget":
        answer = browser.forget(KNOWN)
    else:
        answer = browser.guess(KNOWN, PASSWORD if what == "sign in" else "wrong")
    assert answer.status_code == (302 if what in ("sign in", "change") else 200)
    assert (len(written) > 0, all(written)) == (True, True)


def test_a_hash_of_an_older_kind_is_renewed_at_the_sign_in(
    app: Flask, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = cast.ann.password
    monkeypatch.setattr(security.pwd_context, "needs_update", lambda _hash: True)
    assert At(app).guess(KNOWN, PASSWORD).status_code == 302
    monkeypatch.undo()
    db.session.rollback()
    assert db.session.scalars(select(Agent.password).where(Agent.email == KNOWN)).one() != before
    assert At(app).guess(KNOWN, PASSWORD).status_code == 302


def spy_on_hashing(monkeypatch: pytest.MonkeyPatch, *, meanwhile: Any = None) -> list[str]:
    """Note each password hash that is made or compared; `meanwhile` happens in the middle of it."""
    done: list[str] = []
    for name in ("hash", "verify"):
        real = getattr(security.pwd_context, name)

        def spy(*args: Any, real: Any = real, name: str = name, **options: Any) -> Any:
            done.append(name)
            if meanwhile is not None:
                meanwhile()
            return real(*args, **options)

        monkeypatch.setattr(security.pwd_context, name, spy)
    return done


@transactional
def rename(site: Site) -> None:
    site.name += "!"


def write_elsewhere(app: Flask) -> bool:
    """Write on another connection; False when it had to wait for the one that hashes."""
    wrote = threading.Event()

    def write() -> None:
        with app.app_context():
            rename(db.session.scalars(select(Site)).one())
            wrote.set()
            db.session.remove()

    threading.Thread(target=write, daemon=True).start()
    return wrote.wait(10)


def shape(statement: str) -> str:
    """A statement without what differs by itself."""
    return re.sub(r"\s+", " ", statement)


def plain(page: str) -> str:
    """A page without what differs by itself: its token and the address that was typed."""
    return re.sub(r'value="[^"]*"', "", page)
