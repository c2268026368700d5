"""CannedReply, a prepared text for a site's replies."""

from datetime import datetime

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from helpdesk.database import Base
from helpdesk.sites.models import Site


class CannedReply(Base):
    """A text with placeholders, found by its name."""

    __tablename__ = "canned_reply"
    __table_args__ = (UniqueConstraint("site_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id", ondelete="CASCADE"))
    name: Mapped[str]
    body: Mapped[str]
    updated_at: Mapped[datetime]

    site: Mapped[Site] = relationship()
