"""Streams: which object of a connection meets which kind of ours,
and how far it is known to be complete."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from crm_admin.mapping.rules import FirstAgreement, Policy
from crm_admin.models.base import Array, Base, Count, Int, No, Object, Tenant, Yes, one_of, part_of
from crm_admin.sync.states import Creates, DeletedHere, GoneThere, StreamDirection


class Stream(Tenant, Base):
    """A remote object of a connection paired with a kind;
    one stream per kind is the organisation's primary."""

    __tablename__ = "stream"
    __table_args__ = (
        part_of("connection", "connection_id"),
        UniqueConstraint("organization_id", "connection_id", "remote_object", "kind"),
        UniqueConstraint("organization_id", "connection_id", "id"),
        Index(
            "uq_stream_primary",
            "organization_id",
            "kind",
            unique=True,
            postgresql_where=text("is_primary"),
        ),
        one_of("direction", StreamDirection),
        one_of("creates", Creates),
        one_of("policy", Policy),
        one_of("first_agreement", FirstAgreement),
        one_of("gone_there", GoneThere),
        one_of("deleted_here", DeletedHere),
    )

    connection_id: Mapped[UUID]
    remote_object: Mapped[str]
    kind: Mapped[str]
    position: Mapped[Count]
    filter: Mapped[Array]
    direction: Mapped[str] = mapped_column(server_default=text("'both'"))
    creates: Mapped[str] = mapped_column(server_default=text("'both'"))
    policy: Mapped[str] = mapped_column(server_default=text("'newest_wins'"))
    first_agreement: Mapped[str] = mapped_column(server_default=text("'ask'"))
    trigger: Mapped[Object]
    enabled: Mapped[Yes]
    is_primary: Mapped[No]
    watermark: Mapped[datetime | None]
    full_due: Mapped[Yes]
    full_done_at: Mapped[datetime | None]
    mapping_version: Mapped[Int | None]
    gone_there: Mapped[str] = mapped_column(server_default=text("'keep'"))
    deleted_here: Mapped[str] = mapped_column(server_default=text("'keep'"))
    associations_after: Mapped[str | None]
    archived_after: Mapped[str | None]
    remap_due: Mapped[No]
    swept_at: Mapped[datetime | None]
