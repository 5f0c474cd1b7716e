"""Rows that make a request count once or only in time:
idempotency keys, OAuth states, and amounts used."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from crm_admin.models.base import (
    Anything,
    Base,
    Int,
    Moment,
    Object,
    Owned,
    Tenant,
    of_organization,
    part_of,
)


class IdempotencyKey(Owned, Base):
    """A key a program sent with a request, and the answer it gets again."""

    __tablename__ = "idempotency_key"
    __table_args__ = (of_organization(), Index(None, "organization_id", "created_at"))

    token_id: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    request_hash: Mapped[str]
    status: Mapped[Int | None]
    answer: Mapped[Anything | None]
    created_at: Mapped[Moment]


class OauthState(Tenant, Base):
    """A way out to a CRM's consent page that may come back once, to the browser it left from."""

    __tablename__ = "oauth_state"
    __table_args__ = (
        part_of("connection", "connection_id"),
        UniqueConstraint("organization_id", "state_hash"),
    )

    state_hash: Mapped[str]
    connection_id: Mapped[UUID]
    session_hash: Mapped[str]
    verifier: Mapped[str]
    params: Mapped[Object]
    used_at: Mapped[datetime | None]
    expires_at: Mapped[datetime]
    created_at: Mapped[Moment]


class Usage(Owned, Base):
    """How much of something was used on a day."""

    __tablename__ = "usage"
    __table_args__ = (of_organization(),)

    day: Mapped[date] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    metric: Mapped[str] = mapped_column(primary_key=True)
    amount: Mapped[int] = mapped_column(server_default=text("0"))
