"""Operations: each planned or done write with its reason;
plans, history, time lines and undo read nothing else."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from crm_admin.ids import new_id
from crm_admin.models.base import Anything, Base, Count, Moment, No, Object, Owned, one_of
from crm_admin.sync.states import OperationAction, OperationState, Side


class Operation(Owned, Base):
    """One write to one record on one side. A run's operations share its time,
    and so lie in one partition."""

    __tablename__ = "operation"
    __table_args__ = (
        Index(None, "organization_id", "run_id", "run_at", "id"),
        Index("ix_operation_record", "organization_id", "record_id", text("at DESC")),
        Index(None, "organization_id", "run_id", "action", "state"),
        Index(
            "ix_operation_open",
            "organization_id",
            "state",
            "run_id",
            postgresql_where=text("state IN ('planned', 'sending')"),
        ),
        one_of("side", Side),
        one_of("action", OperationAction),
        one_of("state", OperationState),
        {"postgresql_partition_by": "RANGE (run_at)"},
    )

    run_at: Mapped[datetime] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    run_id: Mapped[UUID | None]
    record_id: Mapped[UUID | None]
    link_id: Mapped[UUID | None]
    stream_id: Mapped[UUID | None]
    remote_object: Mapped[str | None]
    remote_id: Mapped[str | None]
    side: Mapped[str]
    action: Mapped[str]
    fields: Mapped[Object]
    inputs: Mapped[Object]
    bases: Mapped[Anything | None]
    label: Mapped[str | None]
    reason: Mapped[str | None]
    reason_code: Mapped[str | None]
    state: Mapped[str]
    excluded: Mapped[No]
    attempts: Mapped[Count]
    error: Mapped[str | None]
    error_code: Mapped[str | None]
    error_field: Mapped[str | None]
    actor: Mapped[str | None]
    at: Mapped[Moment]
    done_at: Mapped[datetime | None]
