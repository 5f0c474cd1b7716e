"""Links: which record is which record of a CRM, and what both sides last agreed on."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from crm_admin.models.base import Base, Count, Int, Moment, Object, Owned, Tenant, one_of, part_of
from crm_admin.sync.states import LinkStatus


class Link(Tenant, Base):
    """A record paired with a remote id; `base_ours` and `base_theirs` hold the last agreed values
    per rule."""

    __tablename__ = "link"
    __table_args__ = (
        part_of("stream", "connection_id", "stream_id", to=("connection_id", "id")),
        part_of("record", "record_id"),
        UniqueConstraint("organization_id", "connection_id", "remote_object", "remote_id"),
        Index(
            "uq_link_record",
            "organization_id",
            "stream_id",
            "record_id",
            unique=True,
            postgresql_where=text("status <> 'shadow'"),
        ),
        Index(None, "organization_id", "record_id"),
        Index(
            "ix_link_linked",
            "organization_id",
            "connection_id",
            postgresql_where=text("status = 'linked'"),
        ),
        Index(
            "ix_link_error",
            "organization_id",
            "connection_id",
            "record_id",
            postgresql_where=text("error IS NOT NULL"),
        ),
        one_of("status", LinkStatus),
    )

    connection_id: Mapped[UUID]
    stream_id: Mapped[UUID]
    record_id: Mapped[UUID]
    remote_object: Mapped[str]
    remote_id: Mapped[str | None]
    status: Mapped[str] = mapped_column(server_default=text("'linked'"))
    base_ours: Mapped[Object]
    base_theirs: Mapped[Object]
    mapping_version: Mapped[Int | None]
    declined: Mapped[Object]
    error: Mapped[str | None]
    ours_version: Mapped[Count]
    remote_updated_at: Mapped[datetime | None]
    agreed_at: Mapped[datetime | None]
    missing_at: Mapped[datetime | None]
    remote_read_at: Mapped[datetime | None]
    created_run: Mapped[UUID | None]
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment]


class LinkAlias(Owned, Base):
    """An id a link had before the CRM merged or converted the record."""

    __tablename__ = "link_alias"
    __table_args__ = (part_of("link", "link_id"), Index(None, "organization_id", "link_id"))

    connection_id: Mapped[UUID] = mapped_column(primary_key=True)
    remote_object: Mapped[str] = mapped_column(primary_key=True)
    remote_id: Mapped[str] = mapped_column(primary_key=True)
    link_id: Mapped[UUID]
