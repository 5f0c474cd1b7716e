"""Connections to CRMs and what is known of them: their fields and their people."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from crm_admin.models.base import (
    Array,
    Base,
    Count,
    Int,
    Moment,
    Object,
    Owned,
    Tenant,
    Yes,
    of_organization,
    one_of,
    part_of,
)
from crm_admin.sync.states import Health, Stance


class Connection(Tenant, Base):
    """One account at a provider. `credentials` are sealed for exactly this row,
    `credential_hints` are their ends."""

    __tablename__ = "connection"
    __table_args__ = (
        of_organization(),
        UniqueConstraint("organization_id", "name_key"),
        one_of("environment", ("production", "sandbox", "simulator")),
        one_of("stance", Stance),
        one_of("health", Health),
        one_of("marker", ("unknown", "present", "denied", "absent")),
    )

    provider: Mapped[str]
    name: Mapped[str]
    name_key: Mapped[str]
    environment: Mapped[str]
    endpoint: Mapped[str] = mapped_column(server_default=text("''"))
    credentials: Mapped[Object]
    credential_hints: Mapped[Object]
    secrets_set: Mapped[Object]
    settings: Mapped[Object]
    account: Mapped[Object]
    stance: Mapped[str] = mapped_column(server_default=text("'observe'"))
    health: Mapped[str] = mapped_column(server_default=text("'ok'"))
    health_reason: Mapped[str | None]
    health_at: Mapped[datetime | None]
    priority: Mapped[Int] = mapped_column(server_default=text("100"))
    limits: Mapped[Object]
    marker: Mapped[str] = mapped_column(server_default=text("'unknown'"))
    clock_offset: Mapped[float | None]
    people_read_at: Mapped[datetime | None]
    checks: Mapped[Object]
    created_by: Mapped[UUID | None]
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment]
    version: Mapped[Int] = mapped_column(server_default=text("1"))


class OauthToken(Owned, Base):
    """What a CRM gave out for a sign-in: sealed pairs, how far they go, and who renews them now."""

    __tablename__ = "oauth_token"
    __table_args__ = (part_of("connection", "connection_id"),)

    connection_id: Mapped[UUID] = mapped_column(primary_key=True)
    secrets: Mapped[Object]
    previous: Mapped[Object]
    scopes: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    generation: Mapped[Count]
    refusals: Mapped[Count]
    error: Mapped[str | None]
    claim: Mapped[UUID | None]
    claimed_until: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    signed_in_at: Mapped[Moment]
    signed_in_by: Mapped[UUID | None]
    renewed_at: Mapped[datetime | None]


class RemoteSchema(Owned, Base):
    """The fields a CRM described for one of its objects, and when."""

    __tablename__ = "remote_schema"
    __table_args__ = (part_of("connection", "connection_id"),)

    connection_id: Mapped[UUID] = mapped_column(primary_key=True)
    object: Mapped[str] = mapped_column(primary_key=True)
    fields: Mapped[Array]
    read_at: Mapped[Moment]


class RemotePerson(Owned, Base):
    """An owner in a CRM, and the person of ours who it is."""

    __tablename__ = "remote_person"
    __table_args__ = (part_of("connection", "connection_id"),)

    connection_id: Mapped[UUID] = mapped_column(primary_key=True)
    remote_id: Mapped[str] = mapped_column(primary_key=True)
    email: Mapped[str | None]
    name: Mapped[str | None]
    user_id: Mapped[UUID | None]
    active: Mapped[Yes]
