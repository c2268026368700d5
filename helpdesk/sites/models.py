"""Site, Queue with its members, and Topic."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from helpdesk.agents.models import Agent
from helpdesk.columns import one_of
from helpdesk.database import Base


class FormKind(StrEnum):
    """What the contact form asks for a topic."""

    MISTAKE = "mistake"
    QUESTION = "question"
    PAGE = "page"
    LEGAL = "legal"
    TIP = "tip"
    OTHER = "other"


class Priority(StrEnum):
    """How soon a ticket wants somebody."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    URGENT = "urgent"


class Site(Base):
    """One publication: where its articles live and how its readers are spoken to."""

    __tablename__ = "site"
    __table_args__ = (CheckConstraint("is_default", name="default_or_null"), UniqueConstraint("is_default"))

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    slug: Mapped[str] = mapped_column(unique=True)
    home_url: Mapped[str]
    url_prefixes: Mapped[list[str]]
    language: Mapped[str] = mapped_column(default="en")
    timezone: Mapped[str] = mapped_column(default="UTC")
    contact_text: Mapped[str] = mapped_column(default="")
    accent: Mapped[str] = mapped_column(default="")
    sitemap_url: Mapped[str | None]
    public_base_url: Mapped[str | None]
    is_default: Mapped[bool | None] = mapped_column(default=None)
    reopen_days: Mapped[int] = mapped_column(default=30)
    files_thanks: Mapped[bool] = mapped_column(default=False)
    answer_within: Mapped[str] = mapped_column(default="two working days")
    created_at: Mapped[datetime]

    topics: Mapped[list["Topic"]] = relationship(back_populates="site", order_by="Topic.position")
    queues: Mapped[list["Queue"]] = relationship(back_populates="site", order_by="Queue.id")


class Queue(Base):
    """Where tickets wait for the people who look after them; it has its own mail address."""

    __tablename__ = "queue"
    __table_args__ = (UniqueConstraint("site_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id", ondelete="CASCADE"))
    name: Mapped[str]
    intake_address: Mapped[str] = mapped_column(unique=True)
    sender_name: Mapped[str]
    signature: Mapped[str] = mapped_column(default="")
    restricted: Mapped[bool] = mapped_column(default=False)

    site: Mapped[Site] = relationship(back_populates="queues")
    members: Mapped[list[Agent]] = relationship(secondary="queue_member", order_by=Agent.name)


class QueueMember(Base):
    """An agent who sees a queue."""

    __tablename__ = "queue_member"

    queue_id: Mapped[int] = mapped_column(ForeignKey("queue.id", ondelete="CASCADE"), primary_key=True)
    agent_id: Mapped[int] = mapped_column(ForeignKey("agent.id", ondelete="CASCADE"), primary_key=True, index=True)


class Topic(Base):
    """What a message is about, as the reader chooses it; decides queue, priority and what the form asks."""

    __tablename__ = "topic"
    __table_args__ = (
        UniqueConstraint("site_id", "slug"),
        CheckConstraint("position >= 0", name="position"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id", ondelete="CASCADE"))
    queue_id: Mapped[int] = mapped_column(ForeignKey("queue.id"), index=True)
    slug: Mapped[str]
    label: Mapped[str]
    form_kind: Mapped[FormKind] = mapped_column(one_of(FormKind, "form_kind"), default=FormKind.OTHER)
    priority: Mapped[Priority] = mapped_column(one_of(Priority, "priority"), default=Priority.NORMAL)
    position: Mapped[int] = mapped_column(default=0)
    active: Mapped[bool] = mapped_column(default=True)

    site: Mapped[Site] = relationship(back_populates="topics")
    queue: Mapped[Queue] = relationship()
