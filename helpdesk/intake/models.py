"""SeenSignature, a signed request that was taken, kept for as long as its signature would be believed."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from helpdesk.database import Base


class SeenSignature(Base):
    """One signature, hexadecimal, and when the time it was made for is over."""

    __tablename__ = "seen_signature"

    signature: Mapped[str] = mapped_column(primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)
