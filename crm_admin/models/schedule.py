"""Recurring work, and what waits for a person."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from crm_admin.models.base import (
    Anything,
    Array,
    Base,
    Int,
    Moment,
    No,
    Object,
    Owned,
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
        one_of("overlap", ("skip", "queue")),
        one_of("catch_up", ("once", "none")),
        CheckConstraint("late_minutes > 0", name="late"),
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
    overlap: Mapped[str] = mapped_column(server_default=text("'queue'"))
    catch_up: Mapped[str] = mapped_column(server_default=text("'once'"))
    staged: Mapped[No]
    quiet: Mapped[Anything | None]
    paused_until: Mapped[datetime | None]
    late_minutes: Mapped[Int | None]
    owner_id: Mapped[UUID | None]
    asked_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    outcomes: Mapped[Array]
    version: Mapped[Int] = mapped_column(server_default=text("1"))


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


class NeedMark(Owned, Base):
    """What people said about a piece of work: whose it is, until when it may wait, or never mind.

    `key` names the work however it was found, so that a mark outlives the rows behind it.
    """

    __tablename__ = "need_mark"
    __table_args__ = (of_organization(), one_of("snooze_rule", ("day", "worse", "run")))

    key: Mapped[str] = mapped_column(primary_key=True)
    assigned_to: Mapped[UUID | None]
    snoozed_until: Mapped[datetime | None]
    snooze_rule: Mapped[str | None]
    snoozed_amount: Mapped[Int | None]
    muted_reason: Mapped[str | None]
    muted_at: Mapped[datetime | None]
    by_user: Mapped[UUID | None]
    by_name: Mapped[str | None]
    updated_at: Mapped[Moment]
