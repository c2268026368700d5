"""Article and the other addresses it is known by."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from helpdesk.agents.models import Agent
from helpdesk.columns import one_of
from helpdesk.database import Base
from helpdesk.sites.models import Site


class ArticleState(StrEnum):
    """What we know of the page: nothing yet, there, or gone."""

    UNKNOWN = "unknown"
    LIVE = "live"
    GONE = "gone"


class Article(Base):
    """One published page of a site."""

    __tablename__ = "article"
    __table_args__ = (UniqueConstraint("site_id", "canonical_url"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id", ondelete="CASCADE"))
    canonical_url: Mapped[str]
    title: Mapped[str] = mapped_column(default="")
    authors: Mapped[list[str]] = mapped_column(default=list)
    section: Mapped[str] = mapped_column(default="")
    published_at: Mapped[datetime | None]
    language: Mapped[str | None]
    picture: Mapped[str | None]
    state: Mapped[ArticleState] = mapped_column(one_of(ArticleState, "state"), default=ArticleState.UNKNOWN)
    checked_at: Mapped[datetime | None]
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("agent.id", ondelete="SET NULL"), index=True)
    created_at: Mapped[datetime]

    site: Mapped[Site] = relationship()
    owner: Mapped[Agent | None] = relationship()
    aliases: Mapped[list["ArticleAlias"]] = relationship(back_populates="article", cascade="all, delete-orphan")

    @property
    def display_title(self) -> str:
        """The title, else the path of the address."""
        return title_of(self.title, self.canonical_url)


def title_of(title: str | None, canonical_url: str) -> str:
    """How an article is called: its title, else the path of its address."""
    return title or canonical_url.split("//", 1)[-1].partition("/")[2].strip("/") or canonical_url


class ArticleAlias(Base):
    """Another address that leads to an article."""

    __tablename__ = "article_alias"
    __table_args__ = (UniqueConstraint("site_id", "url"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id", ondelete="CASCADE"))
    article_id: Mapped[int] = mapped_column(ForeignKey("article.id", ondelete="CASCADE"), index=True)
    url: Mapped[str]

    article: Mapped[Article] = relationship(back_populates="aliases")
