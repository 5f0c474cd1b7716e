"""Runs: one execution with its lease, its checkpoint and its counts;
a plan is a run that waits for approval."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Uuid

from crm_admin.models.base import (
    Base,
    Count,
    Int,
    Moment,
    No,
    Object,
    Tenant,
    of_organization,
    one_of,
    part_of,
)
from crm_admin.sync.states import RunMode, RunPhase, RunState

LIVE = "state IN ('queued', 'running', 'waiting') AND connection_id IS NOT NULL"


class SyncRun(Tenant, Base):
    """At most one run per connection is live, and the lease on it is here alone."""

    __tablename__ = "sync_run"
    __table_args__ = (
        of_organization(),
        part_of("connection", "connection_id"),
        Index(
            "uq_sync_run_live",
            "organization_id",
            "connection_id",
            unique=True,
            postgresql_where=text(LIVE),
        ),
        Index(
            "uq_sync_run_once_key",
            "organization_id",
            "once_key",
            unique=True,
            postgresql_where=text("once_key IS NOT NULL"),
        ),
        Index("ix_sync_run_created", "organization_id", text("created_at DESC"), text("id DESC")),
        Index(
            "ix_sync_run_connection", "organization_id", "connection_id", text("created_at DESC")
        ),
        Index("ix_sync_run_due", "state", "wake_at"),
        Index("ix_sync_run_state", "organization_id", "state", "created_at", "id"),
        Index(
            "ix_sync_run_approved",
            "organization_id",
            "approved_at",
            postgresql_where=text("approved_at IS NOT NULL"),
        ),
        Index(
            "ix_sync_run_undo_of",
            "organization_id",
            "undo_of",
            postgresql_where=text("undo_of IS NOT NULL"),
        ),
        Index(
            "ix_sync_run_planned",
            "organization_id",
            "expires_at",
            postgresql_where=text("state = 'planned'"),
        ),
        one_of("mode", RunMode),
        one_of("state", RunState),
        one_of("phase", RunPhase),
    )

    connection_id: Mapped[UUID | None]
    stream_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid()), server_default=text("'{}'"))
    mode: Mapped[str]
    trigger: Mapped[str] = mapped_column(server_default=text("'manual'"))
    by_user: Mapped[UUID | None]
    by_name: Mapped[str | None]
    mapping_versions: Mapped[Object]
    state: Mapped[str] = mapped_column(server_default=text("'queued'"))
    phase: Mapped[str | None]
    staged: Mapped[No]
    checkpoint: Mapped[Object]
    decisions: Mapped[Object]
    counts: Mapped[Object]
    total: Mapped[Int | None]
    lease_epoch: Mapped[Count]
    lease_until: Mapped[datetime | None]
    attempt: Mapped[Count]
    stalled: Mapped[Count]
    wake_at: Mapped[datetime | None]
    reason: Mapped[str | None]
    reason_code: Mapped[str | None]
    cancel_asked: Mapped[No]
    pause_by: Mapped[str | None]
    plan_hash: Mapped[str | None]
    plan_of: Mapped[UUID | None]
    undo_of: Mapped[UUID | None]
    undone_by: Mapped[UUID | None]
    once_key: Mapped[str | None]
    created_at: Mapped[Moment]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    approved_by: Mapped[UUID | None]
    approved_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
