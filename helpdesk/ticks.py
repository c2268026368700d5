"""Claiming periodic work: of many workers, one does each minute's task."""

from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Mapped, mapped_column

from helpdesk import clock
from helpdesk.database import Base, db, transactional


class PeriodicTick(Base):
    """One task in one minute, taken by the worker that wrote the row."""

    __tablename__ = "periodic_tick"

    task: Mapped[str] = mapped_column(primary_key=True)
    minute: Mapped[datetime] = mapped_column(primary_key=True)


@transactional
def claim_tick(task: str) -> bool:
    """True for the one caller that takes `task` in this minute; ticks of yesterday are forgotten."""
    minute = clock.now().replace(second=0, microsecond=0)
    db.session.execute(delete(PeriodicTick).where(PeriodicTick.minute < minute - timedelta(days=1)))
    insert = postgresql_insert if db.engine.dialect.name == "postgresql" else sqlite_insert
    statement = insert(PeriodicTick).values(task=task, minute=minute).on_conflict_do_nothing()
    return db.session.execute(statement.returning(PeriodicTick.task)).scalar() is not None
