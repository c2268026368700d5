"""Counting against limits: exact, given back by a rollback, and without keeping who it was."""

import pytest
from sqlalchemy import select

from helpdesk.database import db, transactional
from helpdesk.rate_limit import Limit, RateCount, count
from helpdesk.sites.models import Site
from tests.cast import Cast

HOURLY = Limit("form", "203.0.113.7", 2, 3600)
DAILY = Limit("form-day", "203.0.113.7", 10, 86400)


@transactional
def spend(site: Site, *, fail: bool = False) -> list[Limit]:
    passed = count(HOURLY, DAILY)
    if fail:
        raise ValueError("no")
    return passed


def test_a_limit_is_passed_by_the_one_too_many(cast: Cast) -> None:
    assert [spend(cast.site) for _ in range(4)] == [[], [], [HOURLY], [HOURLY]]


def test_what_failed_costs_nothing(cast: Cast) -> None:
    for _ in range(5):
        with pytest.raises(ValueError, match="no"):
            spend(cast.site, fail=True)
    assert spend(cast.site) == []


def test_who_it_was_is_not_kept(cast: Cast) -> None:
    spend(cast.site)
    assert [key for key in db.session.scalars(select(RateCount.key)) if "203.0.113" in key] == []


def test_one_persons_limit_is_not_anothers(cast: Cast) -> None:
    other = Limit("form", "198.51.100.9", 2, 3600)
    for _ in range(3):
        spend(cast.site)
    assert count(other) == []
