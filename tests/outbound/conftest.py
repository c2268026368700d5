"""A clock that stands still until told, and jobs that run at once."""

import threading
from datetime import timedelta

import pytest

from helpdesk import clock


class Later:
    """Lets time pass for the application."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._passed = timedelta()
        real = clock.now
        start = real()
        monkeypatch.setattr(clock, "now", lambda: start + self._passed)

    def __call__(self, **by: float) -> None:
        self._passed += timedelta(**by)


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Later:
    """A clock that stands still until told."""
    return Later(monkeypatch)


def together(jobs: list) -> None:  # type: ignore[type-arg]
    """Run all jobs at once, each in a thread of its own."""
    threads = [threading.Thread(target=job) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
