"""The database: the typed base of all models, and `@transactional`, the only place that commits."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from functools import cache, wraps
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from flask import Flask, current_app
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session as FlaskSession
from sqlalchemy import JSON, Connection, Engine, MetaData, Select, bindparam, event, inspect, make_url, select
from sqlalchemy.exc import DBAPIError, IntegrityError, InvalidatePoolError, OperationalError
from sqlalchemy.orm import DeclarativeBase, joinedload, registry
from sqlalchemy.orm.exc import ObjectDeletedError, StaleDataError
from sqlalchemy.pool import ConnectionPoolEntry

from helpdesk.columns import StorableText, UtcDateTime

log = logging.getLogger(__name__)

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
_JSON = (dict[str, Any], dict[str, str], list[str], list[dict[str, str]])
TRIES = 3
LOCK_SECONDS = 5
TURN_SECONDS = 1
CONNECT_SECONDS = 5
IDLE_SECONDS = 1
SERIALIZATION_FAILURES = ("40001", "40P01", "55P03")

P = ParamSpec("P")
S = TypeVar("S")
R = TypeVar("R")

_turn = threading.Lock()
_writing: ContextVar[bool] = ContextVar("writing", default=False)


class Base(DeclarativeBase):
    """All models: named constraints, aware times, text that can be kept."""

    registry = registry(
        metadata=MetaData(naming_convention=NAMES),
        type_annotation_map={datetime: UtcDateTime, str: StorableText, **dict.fromkeys(_JSON, JSON)},
    )


class Session(FlaskSession):
    """The session of a request. Only a verb needs a transaction on PostgreSQL: there, each statement of a read sees
    what is committed when it begins, in a transaction as well, and a ROLLBACK would make the driver forget every
    statement that it had prepared.
    """

    def get_bind(self, *_: Any, bind: Engine | Connection | None = None, **__: Any) -> Engine | Connection:
        """The one database; asked some thirty times by a post, and Flask-SQLAlchemy would look for others each time."""
        reading: Engine | None = current_app.extensions["reading"]
        if bind is not None or reading is None or _writing.get() or is_open_write():
            return bind or db.engine
        return reading


db = SQLAlchemy(model_class=Base, disable_autonaming=True, session_options={"class_": Session})


def init_app(app: Flask, wake: Callable[[str], None] | None = None) -> None:
    """Bind the database; `wake(name)` is called after a commit that asked for it."""
    db.init_app(app)
    app.extensions["wake"] = wake or (lambda name: None)
    with app.app_context():
        is_sqlite = db.engine.dialect.name == "sqlite"
        app.extensions["reading"] = None if is_sqlite else db.engine.execution_options(isolation_level="AUTOCOMMIT")
        (_prepare_sqlite if is_sqlite else _ask_the_idle)(db.engine)


def engine_options(uri: str) -> dict[str, Any]:
    """How to connect: nobody waits for ever, for a server or for a lock; no error quotes what people wrote."""
    if make_url(uri).get_backend_name() != "postgresql":
        return {"hide_parameters": True}
    options = f"-c lock_timeout={LOCK_SECONDS}s"
    return {
        "hide_parameters": True,
        "connect_args": {"connect_timeout": CONNECT_SECONDS, "options": options},
    }


def transactional(operation: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """Run a verb in one write transaction: begin, lock and reload the subject, do, commit.

    A verb called by a verb joins its transaction. Any exception rolls all of it back. Serialization failures,
    locks, stale rows and lost unique races are tried three times, because the second try reads what the winner wrote.
    """

    @wraps(operation)
    def run(subject: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        if _writing.get():
            _lock_joined(subject)
            return operation(subject, *args, **kwargs)
        for attempt in range(1, TRIES + 1):
            try:
                return _run_once(operation, subject, *args, **kwargs)
            except (OperationalError, IntegrityError, StaleDataError, DBAPIError) as error:
                if attempt == TRIES or not _is_worth_a_retry(error):
                    raise
                time.sleep(0.05 * attempt)
        raise AssertionError("unreachable")

    return run


def _run_once(operation: Callable[Concatenate[S, P], R], subject: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
    db.session.rollback()  # ends the read transaction: a snapshot cannot be upgraded to a write
    mark = _writing.set(True)
    try:
        with _own_turn():
            db.session.connection()
            _lock_first(subject)
            result = operation(subject, *args, **kwargs)
            db.session.commit()
    except BaseException:
        db.session.rollback()
        db.session.info.pop("wakes", None)
        db.session.info.pop("afterwards", None)
        raise
    finally:
        _writing.reset(mark)
    _do_afterwards()
    wake_workers()
    return result


@contextmanager
def _own_turn() -> Iterator[None]:
    """The threads of a process line up for SQLite's one lock, which else each asks for again and again, asleep between.

    Whoever waited in vain asks SQLite itself, which decides.
    """
    has_turn = db.engine.dialect.name == "sqlite" and _turn.acquire(timeout=TURN_SECONDS)
    try:
        yield
    finally:
        if has_turn:
            _turn.release()


def wake(name: str) -> None:
    """Note that worker task `name` has something to do, once this transaction is committed."""
    db.session.info.setdefault("wakes", set()).add(name)


def after_commit(work: Callable[[], None]) -> None:
    """Do something short once this transaction is committed, such as counting it; a rollback forgets it."""
    db.session.info.setdefault("afterwards", []).append(work)


def _do_afterwards() -> None:
    for work in db.session.info.pop("afterwards", ()):
        work()


def open_write() -> None:
    """Begin this request's transaction as a writing one, for a third party's page that commits by itself.

    Called again before that commit it changes nothing.
    """
    if is_open_write():
        return
    db.session.rollback()
    mark = _writing.set(True)
    try:
        db.session.connection()
    finally:
        _writing.reset(mark)
    db.session.info["open_write"] = db.session().get_transaction()


def is_open_write() -> bool:
    """True between `open_write` and the end of its transaction."""
    opened = db.session.info.get("open_write")
    return opened is not None and opened is db.session().get_transaction()


def wake_workers() -> None:
    """Hand what was noted with `wake` to the worker; called after a commit."""
    for name in db.session.info.pop("wakes", ()):
        try:
            current_app.extensions["wake"](name)
        except Exception:  # what was done stays done; the worker looks at the rows by itself
            log.exception("could not wake the worker for %s", name)


def lock(row: Base) -> None:
    """Let nobody else change a row until this transaction ends, then read it; rows may still refer to it.

    What its class names in `read_with_lock` is read along, and only once the lock is held: PostgreSQL joins the rows
    of before to one that it had to wait for. Raises ObjectDeletedError for a row that is gone.
    """
    (identity,) = inspect(row).identity or (None,)
    lock_row, read_row = _locking(type(row))
    if db.engine.dialect.name != "sqlite":
        db.session.execute(lock_row, {"identity": identity})
    if db.session.scalars(read_row, {"identity": identity}).unique().one_or_none() is None:
        raise ObjectDeletedError(inspect(row))


@cache
def _locking(noun: type[Base]) -> tuple[Select[Any], Select[Base]]:
    """How to lock a row, and how to read it."""
    (key,) = inspect(noun).primary_key
    is_this = key == bindparam("identity")
    along = (joinedload(getattr(noun, name)) for name in getattr(noun, "read_with_lock", ()))
    read_row = select(noun).where(is_this).options(*along).execution_options(populate_existing=True)
    return select(key).where(is_this).with_for_update(key_share=True), read_row


def _lock_first(subject: object) -> None:
    if _is_stored(subject):
        lock(cast("Base", subject))


def _lock_joined(subject: object) -> None:
    """A verb within a verb locks its own subject too; on SQLite the whole database is locked already."""
    is_locked_by_row = db.engine.dialect.name != "sqlite" and getattr(type(subject), "locked_by_verbs", False)
    if is_locked_by_row and _is_stored(subject):
        db.session.flush()
        lock(cast("Base", subject))


def _is_stored(subject: object) -> bool:
    state = inspect(subject, raiseerr=False)
    return state is not None and getattr(state, "persistent", False)


def _is_worth_a_retry(error: Exception) -> bool:
    if isinstance(error, (IntegrityError, StaleDataError)):
        return True
    code = getattr(getattr(error, "orig", None), "sqlstate", None)
    return code in SERIALIZATION_FAILURES or "database is locked" in str(error)


def _ask_the_idle(engine: Engine) -> None:
    """Ask a server's connection whether it is there still, unless it was a moment ago: a round trip each time."""

    @event.listens_for(engine, "checkin")
    def note(_connection: object, record: ConnectionPoolEntry) -> None:
        record.info["used_at"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def ask(connection: Any, record: ConnectionPoolEntry, _proxy: object) -> None:
        now = time.monotonic()
        if now - record.info.get("used_at", now) > IDLE_SECONDS:
            try:
                engine.dialect.do_ping(connection)
            except Exception as gone:
                raise InvalidatePoolError from gone


def _lowered(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _prepare_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def set_pragmas(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves
        for pragma in (f"busy_timeout={LOCK_SECONDS * 1000}", "foreign_keys=ON", "synchronous=FULL"):
            connection.execute(f"PRAGMA {pragma}")
        connection.create_function("lower", 1, _lowered, deterministic=True)  # SQLite's own knows a to z alone

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if _writing.get() else "BEGIN")
