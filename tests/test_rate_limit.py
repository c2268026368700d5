"""Counting against limits: exact, sliding, given back by a rollback, and without keeping who it was."""

import random
import threading
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import inspect, select

from helpdesk import clock
from helpdesk.database import db, transactional
from helpdesk.rate_limit import STEPS, Limit, RateCount, count, forget_expired, is_used, would_pass
from helpdesk.sites.models import Site
from tests.cast import Cast

HOURLY = Limit("form", "203.0.113.7", 2, 3600)
DAILY = Limit("form-day", "203.0.113.7", 10, 86400)
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@transactional
def spend(site: Site, *limits: Limit, fail: bool = False) -> Limit | None:
    passed = count(*(limits or (HOURLY, DAILY)))
    if fail:
        raise ValueError("no")
    return passed


def used(limit: Limit) -> int:
    """What all steps of a limit hold."""
    return sum(db.session.scalars(select(RateCount.count).where(RateCount.key == limit.key)))


def test_a_limit_is_passed_by_the_one_too_many(cast: Cast) -> None:
    assert [spend(cast.site) for _ in range(4)] == [None, None, HOURLY, HOURLY]


def test_what_passes_a_narrow_limit_costs_nothing_in_a_wider_one(cast: Cast) -> None:
    for _ in range(7):
        spend(cast.site)
    assert (used(HOURLY), used(DAILY)) == (7, 2)


def test_the_wider_limit_is_the_one_that_is_passed_when_the_narrow_one_is_not(cast: Cast) -> None:
    people = [Limit("form", str(number), 2, 3600) for number in range(12)]
    assert [spend(cast.site, person, DAILY) for person in people] == [None] * 10 + [DAILY] * 2


def test_what_failed_costs_nothing(cast: Cast) -> None:
    for _ in range(5):
        with pytest.raises(ValueError, match="no"):
            spend(cast.site, fail=True)
    assert spend(cast.site) is None
    assert used(HOURLY) == 1


def test_who_it_was_is_not_kept(cast: Cast) -> None:
    spend(cast.site)
    assert [key for key in db.session.scalars(select(RateCount.key)) if "203.0.113" in key] == []


def test_one_persons_limit_is_not_anothers(cast: Cast) -> None:
    other = Limit("form", "198.51.100.9", 2, 3600)
    for _ in range(3):
        spend(cast.site)
    assert count(other) is None


def test_a_try_can_cost_more_than_one(cast: Cast) -> None:
    heavy = Limit("kilobytes", "203.0.113.7", 100, 3600, amount=40)
    assert [spend(cast.site, heavy) for _ in range(3)] == [None, None, heavy]
    assert used(heavy) == 120


def test_asking_first_counts_nothing(cast: Cast) -> None:
    assert (is_used(HOURLY), [would_pass(HOURLY, DAILY) for _ in range(5)]) == (False, [None] * 5)
    spend(cast.site)
    spend(cast.site)
    assert (is_used(HOURLY), would_pass(HOURLY, DAILY), used(HOURLY)) == (True, HOURLY, 2)


@pytest.mark.parametrize("minutes", [10, 60, 24 * 60])
def test_a_boundary_gives_no_second_helping(cast: Cast, minutes: int) -> None:
    boundary = NOON.replace(hour=0) + timedelta(minutes=minutes)
    with clock.at(boundary - timedelta(seconds=1)):
        assert [spend(cast.site, HOURLY) for _ in range(2)] == [None, None]
    with clock.at(boundary + timedelta(seconds=1)):
        assert spend(cast.site, HOURLY) == HOURLY


def test_whoever_was_silent_for_the_time_and_a_sixth_begins_anew(cast: Cast) -> None:
    with clock.at(NOON):
        assert [spend(cast.site, HOURLY) for _ in range(3)] == [None, None, HOURLY]
    with clock.at(NOON + timedelta(seconds=3600 * (1 + 1 / STEPS) - 1)):
        assert would_pass(HOURLY) == HOURLY
    with clock.at(NOON + timedelta(seconds=3600 * (1 + 1 / STEPS))):
        assert [spend(cast.site, HOURLY) for _ in range(3)] == [None, None, HOURLY]


@pytest.mark.parametrize("seed", range(5))
def test_no_hour_whenever_it_begins_lets_more_through_than_the_limit(cast: Cast, seed: int) -> None:
    limit, moment, let_through, chance = Limit("form", "x", 5, 3600), NOON, [], random.Random(seed)
    for _ in range(120):
        moment += timedelta(seconds=chance.choice([1, 30, 300, 900, 3600]) * chance.random())
        with clock.at(moment):
            if would_pass(limit) is None and spend(cast.site, limit) is None:
                let_through.append(moment)
    busiest = max(sum(start <= other < start + timedelta(hours=1) for other in let_through) for start in let_through)
    assert (busiest, len(let_through) > 5) == (5, True)


def test_threads_that_try_at_once_get_exactly_the_limit(app: Flask, cast: Cast) -> None:
    limit, passed, gate = Limit("form", "x", 7, 86400), [], threading.Barrier(6)

    def try_it() -> None:
        with app.app_context():
            site = db.session.scalars(select(Site)).one()
            gate.wait(30)
            passed.extend(spend(site, limit) for _ in range(5))
            db.session.remove()

    threads = [threading.Thread(target=try_it) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    db.session.rollback()
    assert (passed.count(None), passed.count(limit), used(limit)) == (7, 23, 30)


def test_the_sweep_forgets_what_counts_no_longer_and_nothing_else(cast: Cast) -> None:
    with clock.at(NOON):
        spend(cast.site, HOURLY, DAILY)
    with clock.at(NOON + timedelta(minutes=69)):
        forget_expired()
        assert (used(HOURLY), used(DAILY)) == (1, 1)
    with clock.at(NOON + timedelta(minutes=71)):
        forget_expired()
        assert (used(HOURLY), used(DAILY)) == (0, 1)


def test_the_sweep_has_an_index_to_find_them_by(app: Flask) -> None:
    indexes = inspect(db.engine).get_indexes("rate_count")
    assert [index["column_names"] for index in indexes] == [["expires_at"]]
