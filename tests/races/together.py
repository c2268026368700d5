"""Several hands at the same row in the same moment."""

import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

from flask import Flask

from helpdesk.database import db
from helpdesk.errors import HelpdeskError

Result = TypeVar("Result")


def together(app: Flask, works: Sequence[Callable[[], Result]]) -> list[Result | HelpdeskError]:
    """Begin all works at once, each in its own thread and session; what each returned or was refused with, in order."""
    gate, results = threading.Barrier(len(works)), dict[int, Result | HelpdeskError]()
    failed: list[BaseException] = []

    def run(place: int, work: Callable[[], Result]) -> None:
        with app.app_context():
            try:
                gate.wait(timeout=60)
                results[place] = work()
            except HelpdeskError as refusal:
                results[place] = refusal
            except BaseException as error:  # told by the test's own thread
                failed.append(error)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run, args=(place, work)) for place, work in enumerate(works)]
    db.session.rollback()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    if failed:
        raise failed[0]
    db.session.rollback()
    db.session.expire_all()
    return [results[place] for place in range(len(works))]
