"""The tables above organisations: no policy guards them,
so nothing outside the people services reads them."""

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from crm_admin.ids import new_id
from crm_admin.models.base import Base, Count, Int, Moment, No, Object, one_of
from crm_admin.security.permissions import Role

GLOBAL: Final = frozenset(
    {
        "api_token",
        "app_user",
        "membership",
        "organization",
        "process",
        "session",
        "sign_in_attempt",
        "webhook_route",
    }
)


class Organization(Base):
    """Whose data it is; everything else belongs to one."""

    __tablename__ = "organization"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str]
    slug: Mapped[str] = mapped_column(unique=True)
    zone: Mapped[str] = mapped_column(server_default=text("'UTC'"))
    demo: Mapped[No]
    created_at: Mapped[Moment]


class AppUser(Base):
    """A person who can sign in; what they may do is said by their memberships."""

    __tablename__ = "app_user"
    __table_args__ = (
        one_of("theme", ("system", "light", "dark")),
        one_of("density", ("compact", "comfortable")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    email: Mapped[str]
    email_key: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    password_hash: Mapped[str | None]
    disabled_at: Mapped[datetime | None]
    zone: Mapped[str | None]
    theme: Mapped[str] = mapped_column(server_default=text("'system'"))
    density: Mapped[str] = mapped_column(server_default=text("'compact'"))
    created_at: Mapped[Moment]
    last_seen_at: Mapped[datetime | None]


class Membership(Base):
    """What a person is in an organisation."""

    __tablename__ = "membership"
    __table_args__ = (one_of("role", Role), Index(None, "user_id"))

    organization_id: Mapped[UUID] = mapped_column(
        ForeignKey("organization.id", ondelete="CASCADE"), primary_key=True
    )
    user_id: Mapped[UUID] = mapped_column(
        ForeignKey("app_user.id", ondelete="CASCADE"), primary_key=True
    )
    role: Mapped[str]


class ApiToken(Base):
    """A program's key to one organisation: stored as a hash, shown once."""

    __tablename__ = "api_token"
    __table_args__ = (Index(None, "organization_id", "user_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organization.id", ondelete="CASCADE"))
    user_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"))
    name: Mapped[str]
    token_hash: Mapped[str] = mapped_column(unique=True)
    hint: Mapped[str]
    scopes: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    created_at: Mapped[Moment]
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class Session(Base):
    """A signed-in browser; the cookie holds the id, this row only its hash."""

    __tablename__ = "session"
    __table_args__ = (Index(None, "user_id"), Index(None, "expires_at"))

    id_hash: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"))
    organization_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("organization.id", ondelete="CASCADE")
    )
    created_at: Mapped[Moment]
    seen_at: Mapped[Moment]
    expires_at: Mapped[datetime]
    fresh_at: Mapped[datetime | None]
    address: Mapped[str] = mapped_column(server_default=text("''"))
    agent: Mapped[str] = mapped_column(server_default=text("''"))
    data: Mapped[Object]


class SignInAttempt(Base):
    """Failures in a row under one key (account, network, or both),
    and until when the next try must wait."""

    __tablename__ = "sign_in_attempt"
    __table_args__ = (Index(None, "last_at"),)

    key: Mapped[str] = mapped_column(primary_key=True)
    failures: Mapped[Count]
    last_at: Mapped[Moment]
    until: Mapped[datetime | None]
    succeeded_at: Mapped[datetime | None]


class WebhookRoute(Base):
    """Whose event it is: a key in the address, or an account a CRM names, leads to a connection."""

    __tablename__ = "webhook_route"
    __table_args__ = (
        UniqueConstraint("provider", "route"),
        Index(None, "organization_id", "connection_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    provider: Mapped[str]
    route: Mapped[str]
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organization.id", ondelete="CASCADE"))
    connection_id: Mapped[UUID]
    created_at: Mapped[Moment]


class Process(Base):
    """A running part of the installation, known by its heart beat."""

    __tablename__ = "process"

    name: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    pid: Mapped[Int]
    host: Mapped[str]
    started_at: Mapped[Moment]
    seen_at: Mapped[Moment]
    info: Mapped[Object]
