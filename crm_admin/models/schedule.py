"""Recurring work, and what waits for a person."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from crm_admin.models.base import (
    Anything,
    Base,
    Int,
    Moment,
    Object,
    Tenant,
    Yes,
    of_organization,
    one_of,
    part_of,
)


class Schedule(Tenant, Base):
    """A job and when it is due next: every so many seconds, or by a cron line in a zone."""

    __tablename__ = "schedule"
    __table_args__ = (
        of_organization(),
        part_of("connection", "connection_id"),
        CheckConstraint("num_nonnulls(every_seconds, cron) = 1", name="when"),
        Index("ix_schedule_due", "next_at", postgresql_where=text("enabled")),
        Index(None, "organization_id", "connection_id"),
    )

    connection_id: Mapped[UUID | None]
    name: Mapped[str]
    job: Mapped[str]
    every_seconds: Mapped[Int | None]
    cron: Mapped[str | None]
    zone: Mapped[str] = mapped_column(server_default=text("'UTC'"))
    params: Mapped[Object]
    enabled: Mapped[Yes]
    next_at: Mapped[datetime | None]
    last_at: Mapped[datetime | None]
    last_outcome: Mapped[str | None]
    last_run: Mapped[UUID | None]


class Attention(Tenant, Base):
    """Something for a person to do; the same kind and subject is one item,
    however often it comes up."""

    __tablename__ = "attention"
    __table_args__ = (
        of_organization(),
        UniqueConstraint("organization_id", "kind", "subject"),
        one_of("state", ("open", "done", "dismissed")),
        Index("ix_attention_state", "organization_id", "state", text("last_at DESC")),
    )

    kind: Mapped[str]
    subject: Mapped[str]
    sentence: Mapped[str]
    fix: Mapped[Anything | None]
    count: Mapped[Int] = mapped_column(server_default=text("1"))
    first_at: Mapped[Moment]
    last_at: Mapped[Moment]
    state: Mapped[str] = mapped_column(server_default=text("'open'"))
    snoozed_until: Mapped[datetime | None]
    assigned_to: Mapped[UUID | None]
