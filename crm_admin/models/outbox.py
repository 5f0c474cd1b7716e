"""What waits to be synced. It sits in the database because it must commit with the change it
tells of."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from crm_admin.models.base import Base, Count, Int, Moment, Owned, Small, Tenant, one_of, part_of


class Outbox(Owned, Base):
    """A record of ours that a stream has yet to send, with the version that asked for it."""

    __tablename__ = "outbox"
    __table_args__ = (
        part_of("stream", "stream_id"),
        part_of("record", "record_id"),
        Index(None, "organization_id", "stream_id", "rank", "not_before"),
        Index(None, "organization_id", "record_id"),
        Index(
            "ix_outbox_failed",
            "organization_id",
            "stream_id",
            "record_id",
            postgresql_where=text("error IS NOT NULL"),
        ),
    )

    stream_id: Mapped[UUID] = mapped_column(primary_key=True)
    record_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[Int]
    rank: Mapped[Small] = mapped_column(server_default=text("1"))
    not_before: Mapped[Moment]
    attempts: Mapped[Count]
    error: Mapped[str | None]
    created_at: Mapped[Moment]


class Wanted(Tenant, Base):
    """Something asked of a connection while a run is live;
    that run, or the next one, takes it up."""

    __tablename__ = "wanted"
    __table_args__ = (
        part_of("connection", "connection_id"),
        one_of("what", ("record", "webhook", "delta", "full")),
        Index(None, "organization_id", "connection_id", "created_at"),
        Index(None, "organization_id", "record_id"),
    )

    connection_id: Mapped[UUID]
    what: Mapped[str]
    stream_id: Mapped[UUID | None]
    record_id: Mapped[UUID | None]
    remote_object: Mapped[str | None]
    remote_id: Mapped[str | None]
    by_user: Mapped[UUID | None]
    run_id: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
