"""Act: all that one press of a button did, to one ticket or to many, so that it can be undone as one."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_act: ContextVar[str | None] = ContextVar("act", default=None)


@contextmanager
def in_one_act() -> Iterator[str]:
    """Whatever verbs do inside is one act; gives its name. An act within an act belongs to the outer one."""
    if (outer := _act.get()) is not None:
        yield outer
        return
    name = secrets.token_urlsafe(12)
    mark = _act.set(name)
    try:
        yield name
    finally:
        _act.reset(mark)


def current_act() -> str | None:
    """The act that is under way, None outside of any."""
    return _act.get()
