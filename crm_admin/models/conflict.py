"""Conflicts: one field that both sides changed to different values since they last agreed."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped

from crm_admin.models.base import Anything, Base, Moment, Object, Tenant, one_of, part_of
from crm_admin.sync.states import ConflictHow, ConflictState


class Conflict(Tenant, Base):
    """Values are wrapped as {"v": …}, so that absent, null and empty stay three things."""

    __tablename__ = "conflict"
    __table_args__ = (
        part_of("link", "link_id"),
        part_of("record", "record_id"),
        Index(
            "uq_conflict_open",
            "organization_id",
            "link_id",
            "rule_id",
            unique=True,
            postgresql_where=text("state = 'open'"),
        ),
        Index(
            "ix_conflict_state",
            "organization_id",
            "state",
            text("created_at DESC"),
            text("id DESC"),
        ),
        Index(None, "organization_id", "record_id"),
        Index(
            "ix_conflict_resolved",
            "organization_id",
            "resolved_at",
            postgresql_where=text("resolved_at IS NOT NULL"),
        ),
        Index(
            "ix_conflict_open_field",
            "organization_id",
            "connection_id",
            "field",
            text("created_at DESC"),
            postgresql_where=text("state = 'open'"),
        ),
        one_of("state", ConflictState),
        one_of("how", ConflictHow),
    )

    link_id: Mapped[UUID]
    stream_id: Mapped[UUID]
    record_id: Mapped[UUID]
    connection_id: Mapped[UUID]
    rule_id: Mapped[str]
    field: Mapped[str]
    base: Mapped[Anything | None]
    ours: Mapped[Anything | None]
    theirs: Mapped[Anything | None]
    ours_at: Mapped[datetime | None]
    theirs_at: Mapped[datetime | None]
    ours_by: Mapped[str | None]
    state: Mapped[str]
    how: Mapped[str | None]
    resolved_by: Mapped[UUID | None]
    resolved_at: Mapped[datetime | None]
    run_id: Mapped[UUID | None]
    seen: Mapped[Object]
    created_at: Mapped[Moment]
    claimed_by: Mapped[UUID | None]
    claimed_at: Mapped[datetime | None]
    result: Mapped[Anything | None]
    undo: Mapped[Anything | None]
