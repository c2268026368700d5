"""Questions with a bounded wait: whoever asks has an answer in time, whatever hangs."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar, cast

from sqlalchemy import Connection, create_engine, make_url
from sqlalchemy.pool import NullPool

Answer = TypeVar("Answer")

SECONDS = 2.0


class Probe:
    """Asks in a thread of its own; what hangs is asked once, not once more for each request."""

    def __init__(self, database_uri: str) -> None:
        self._engine = create_engine(
            database_uri, poolclass=NullPool, hide_parameters=True, connect_args=_impatient(database_uri)
        )
        self._lock = threading.Lock()
        self._running: dict[str, Future[Any]] = {}

    def ask(self, name: str, question: Callable[[], Answer]) -> Answer:
        """The answer, or the exception that it ended with; TimeoutError after SECONDS.

        While a question called `name` is being asked, others wait for the same answer.
        """
        with self._lock:
            future = self._running.get(name)
            if future is None or future.done():
                future = self._running[name] = Future()
                threading.Thread(target=_answer, args=(future, question), name=f"probe-{name}", daemon=True).start()
        return cast("Answer", future.result(timeout=SECONDS))

    def ask_database(self, name: str, question: Callable[[Connection], Answer]) -> Answer:
        """Ask over a connection that waits no longer than we do, apart from those of the pages."""

        def connect_and_ask() -> Answer:
            with self._engine.connect() as connection:
                return question(connection)

        return self.ask(name, connect_and_ask)


def _answer(future: Future[Any], question: Callable[[], object]) -> None:
    try:
        future.set_result(question())
    except Exception as error:
        future.set_exception(error)


def _impatient(database_uri: str) -> dict[str, Any]:
    if make_url(database_uri).get_backend_name() != "postgresql":
        return {"timeout": SECONDS / 2}
    return {"connect_timeout": int(SECONDS), "options": f"-c statement_timeout={int(SECONDS * 1000)}"}
