"""Agent, the account of one person of the staff, its sign-ins, and who asked for a new password."""

import secrets
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from flask_security import RoleMixin, UserMixin, WebAuthnMixin
from sqlalchemy import BigInteger, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from helpdesk import clock
from helpdesk.agents.roles import CAPABILITIES, Role
from helpdesk.columns import one_of
from helpdesk.database import Base

UNDO_SECONDS = 10


class AfterSend(StrEnum):
    """Where an agent wants to be after sending a reply."""

    STAY = "stay"
    NEXT = "next"
    LIST = "list"


class Agent(UserMixin, Base):
    """A staff account; the user class of Flask-Security."""

    __tablename__ = "agent"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    role: Mapped[Role] = mapped_column(one_of(Role, "role"), default=Role.AGENT)
    active: Mapped[bool] = mapped_column(default=True)
    password: Mapped[str | None]
    fs_uniquifier: Mapped[str] = mapped_column(unique=True, default=lambda: secrets.token_hex(32))
    timezone: Mapped[str] = mapped_column(default="UTC")
    keyboard: Mapped[bool] = mapped_column(default=True)
    after_send: Mapped[AfterSend] = mapped_column(one_of(AfterSend, "after_send"), default=AfterSend.STAY)
    undo_seconds: Mapped[int] = mapped_column(default=UNDO_SECONDS)
    created_at: Mapped[datetime]
    tf_primary_method: Mapped[str | None]
    tf_totp_secret: Mapped[str | None]
    tf_last_counter: Mapped[int | None]
    mf_recovery_codes: Mapped[list[str] | None]
    fs_webauthn_user_handle: Mapped[str | None] = mapped_column(unique=True)  # type: ignore[assignment]
    tf_phone_number: ClassVar[str | None] = None  # type: ignore[misc]  # taken away with the rest

    webauthn: Mapped[list["Passkey"]] = relationship(  # type: ignore[assignment]
        back_populates="agent", cascade="all, delete-orphan", order_by="Passkey.id"
    )
    sign_ins: Mapped[list["SignIn"]] = relationship(back_populates="agent", cascade="all, delete-orphan")

    @property
    def roles(self) -> list[RoleMixin]:  # type: ignore[override]
        """Flask-Security's own roles are not used: rights come from `can`."""
        return []

    @property
    def first_name(self) -> str:
        """How a reader is greeted by this person."""
        return self.name.split()[0] if self.name.split() else self.name

    @property
    def has_second_factor(self) -> bool:
        """True when a password alone does not let this person in."""
        return bool(self.tf_primary_method and self.tf_totp_secret)

    def is_locked(self, form_error: list[str] | None = None) -> bool:
        """True for a closed account, which Flask-Security would let in by passkey."""
        return not self.active

    def can(self, capability: str) -> bool:
        """True when this account may do `capability`, such as "tickets.reply"."""
        return self.active and capability in CAPABILITIES[self.role]

    def end_every_session(self) -> None:
        """Sign this account out on all devices at its next request there."""
        self.fs_uniquifier = secrets.token_hex(32)
        now = clock.now()
        for sign_in in self.sign_ins:
            sign_in.ended_at = sign_in.ended_at or now


class NoRole(RoleMixin):
    """Stands where Flask-Security wants a role class; never stored."""

    name = ""


class SignIn(Base):
    """One sign-in of one agent on one device, until it ends."""

    __tablename__ = "sign_in"

    id: Mapped[int] = mapped_column(primary_key=True)
    agent_id: Mapped[int] = mapped_column(ForeignKey("agent.id", ondelete="CASCADE"), index=True)
    device: Mapped[str]
    started_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]

    agent: Mapped[Agent] = relationship(back_populates="sign_ins")


class Passkey(WebAuthnMixin, Base):
    """A key in a device of one agent, which asks for finger, face or PIN: it signs in without password and code."""

    __tablename__ = "passkey"

    id: Mapped[int] = mapped_column(primary_key=True)
    agent_id: Mapped[int] = mapped_column(ForeignKey("agent.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    credential_id: Mapped[bytes] = mapped_column(unique=True)
    public_key: Mapped[bytes]
    sign_count: Mapped[int] = mapped_column(BigInteger, default=0)
    transports: Mapped[list[str] | None]
    backup_state: Mapped[bool] = mapped_column(default=False)
    device_type: Mapped[str]
    extensions: Mapped[str | None]
    usage: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    lastuse_datetime: Mapped[datetime]

    agent: Mapped[Agent] = relationship(back_populates="webauthn")

    def get_user_mapping(self) -> dict[str, Any]:
        """How Flask-Security finds whose it is."""
        return {"id": self.agent_id}


class DeskSetting(Base):
    """Something that admins decide for the whole desk."""

    __tablename__ = "desk_setting"

    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]


class PasswordRequest(Base):
    """Somebody typed this address to get a new password; it waits for the worker, for a second or so."""

    __tablename__ = "password_request"

    id: Mapped[int] = mapped_column(primary_key=True)
    address: Mapped[str]
    asked_at: Mapped[datetime]
