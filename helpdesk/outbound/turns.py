"""Who of a worker's threads may send: one at a time, so that a sudden end leaves at most one mail in doubt."""

import threading
import time

SLOW_SECONDS = 2.0


class Turns:
    """One thread sends mail after mail; only when one of these takes long, the next thread goes ahead with the rest."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._since: dict[int, float] = {}

    def take(self) -> bool:
        """Begin a mail; False when another thread is at it and not slow."""
        now, own = time.monotonic(), threading.get_ident()
        with self._lock:
            others = [since for thread, since in self._since.items() if thread != own]
            if any(now - since < SLOW_SECONDS for since in others):
                return False
            self._since[own] = now
            return True

    def leave(self) -> None:
        """The mail is sent and recorded, or there was none."""
        with self._lock:
            self._since.pop(threading.get_ident(), None)
