"""Files people bring in: the file, the job that reads it, and the lines that need a look."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from crm_admin.models.base import (
    Base,
    Count,
    Int,
    Moment,
    Object,
    Owned,
    Tenant,
    of_organization,
    one_of,
    part_of,
)

JOB_STATES = (
    "uploaded",
    "mapped",
    "checked",
    "queued",
    "running",
    "succeeded",
    "partial",
    "failed",
    "cancelled",
)
ROW_STATES = ("rejected", "skipped", "duplicate", "warned", "retried")


class File(Tenant, Base):
    """A stored file: `place` is a random name in the storage, `name` what its owner called it."""

    __tablename__ = "file"
    __table_args__ = (of_organization(), UniqueConstraint("organization_id", "place"))

    place: Mapped[str]
    name: Mapped[str]
    media_type: Mapped[str]
    size: Mapped[int]
    sha256: Mapped[str]
    by_user: Mapped[UUID | None]
    created_at: Mapped[Moment]
    deleted_at: Mapped[datetime | None]


class ImportJob(Tenant, Base):
    """An import with its counts; `run_id` is the run whose undo takes it back."""

    __tablename__ = "import_job"
    __table_args__ = (
        part_of("file", "file_id"),
        Index("ix_import_job_created", "organization_id", text("created_at DESC"), text("id DESC")),
        Index("ix_import_job_due", "state", "start_at"),
        one_of("state", JOB_STATES),
    )

    file_id: Mapped[UUID]
    kind: Mapped[str]
    state: Mapped[str] = mapped_column(server_default=text("'uploaded'"))
    columns: Mapped[Object]
    options: Mapped[Object]
    counts: Mapped[Object]
    check_hash: Mapped[str | None]
    report: Mapped[Object]
    checkpoint: Mapped[Object]
    total: Mapped[Int | None]
    run_id: Mapped[UUID | None]
    once_key: Mapped[str | None]
    cancel_asked: Mapped[bool] = mapped_column(server_default=text("false"))
    lease_epoch: Mapped[Count]
    lease_until: Mapped[datetime | None]
    start_at: Mapped[datetime | None]
    reason: Mapped[str | None]
    by_user: Mapped[UUID | None]
    by_name: Mapped[str | None]
    created_at: Mapped[Moment]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class ImportRow(Owned, Base):
    """A line that was rejected, skipped, a duplicate, or taken with a warning;
    all others leave no row."""

    __tablename__ = "import_row"
    __table_args__ = (part_of("import_job", "import_job_id"), one_of("state", ROW_STATES))

    import_job_id: Mapped[UUID] = mapped_column(primary_key=True)
    line: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[str]
    values: Mapped[Object]
    field: Mapped[str | None]
    code: Mapped[str | None]
    reason: Mapped[str]
    record_id: Mapped[UUID | None]
