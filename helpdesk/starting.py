"""Starting fast: nothing is searched for garbage while modules load, and no driver loads that is not used."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def importing() -> Iterator[None]:
    """Import modules without looking for garbage, which would take a fifth of the start: what they make stays."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@contextmanager
def hidden(name: str) -> Iterator[None]:
    """Let modules that can do without a package do without it, though it is installed; unless it is loaded already."""
    is_hidden = name not in sys.modules
    if is_hidden:
        sys.modules[name] = None  # type: ignore[assignment]  # as the reference of import says
    try:
        yield
    finally:
        if is_hidden:
            del sys.modules[name]
