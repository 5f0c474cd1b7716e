"""Records with what is derived from them for look-ups, and the references between them."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from crm_admin.models.base import (
    Anything,
    Array,
    Base,
    Count,
    Int,
    Key,
    Moment,
    No,
    Object,
    Owned,
    Tenant,
    Yes,
    of_organization,
    part_of,
)


class Record(Tenant, Base):
    """A row of ours. Lists sort and page by the plain columns only,
    which a kind's declaration fills from `data`."""

    __tablename__ = "record"
    __table_args__ = (
        of_organization(),
        ForeignKeyConstraint(
            ["organization_id", "merged_into"], ["record.organization_id", "record.id"]
        ),
        Index(
            "uq_record_external_id",
            "organization_id",
            "kind",
            "external_id",
            unique=True,
            postgresql_where=text("external_id IS NOT NULL"),
        ),
        Index(
            "ix_record_updated",
            "organization_id",
            "kind",
            "updated_at",
            "id",
            postgresql_where=text("deleted_at IS NULL AND merged_into IS NULL"),
        ),
        Index("ix_record_amount", "organization_id", "kind", "amount", "id"),
        Index("ix_record_title", "organization_id", "kind", "title", "id"),
        Index("ix_record_owner", "organization_id", "kind", "owner_id", "updated_at", "id"),
        Index("ix_record_status", "organization_id", "kind", "status", "updated_at", "id"),
        Index(
            "ix_record_due",
            "organization_id",
            "kind",
            "due_on",
            "id",
            postgresql_where=text("due_on IS NOT NULL"),
        ),
        Index(
            "ix_record_words",
            text("to_tsvector('simple'::regconfig, COALESCE(title, ''::text))"),
            postgresql_using="gin",
        ),
        Index("ix_record_ending", "organization_id", text('"right"(id::text, 8)')),
        Index("ix_record_created_run", "organization_id", "created_run"),
        Index(
            "ix_record_deleted",
            "organization_id",
            "id",
            postgresql_where=text("deleted_at IS NOT NULL"),
        ),
        Index(
            "ix_record_merged_into",
            "organization_id",
            "merged_into",
            postgresql_where=text("merged_into IS NOT NULL"),
        ),
    )

    kind: Mapped[str]
    data: Mapped[Object]
    external_id: Mapped[str | None]
    version: Mapped[Int] = mapped_column(server_default=text("1"))
    origin: Mapped[Object]
    created_run: Mapped[UUID | None]
    created_row: Mapped[int | None]
    hub_only: Mapped[No]
    merged_into: Mapped[UUID | None]
    deleted_at: Mapped[datetime | None]
    title: Mapped[str | None]
    status: Mapped[str | None]
    owner_id: Mapped[UUID | None]
    amount: Mapped[int | None]
    due_on: Mapped[date | None]
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment]


class RecordKey(Owned, Base):
    """A normalised match key; derived from the record's data, and rebuilt with it."""

    __tablename__ = "record_key"
    __table_args__ = (
        part_of("record", "record_id"),
        # With the organisation first it would be taken for looking up values in small tables.
        Index("ix_record_key_record", "record_id", "organization_id"),
    )

    kind: Mapped[str] = mapped_column(primary_key=True)
    key_type: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[Key] = mapped_column(primary_key=True)
    record_id: Mapped[UUID] = mapped_column(primary_key=True)
    strong: Mapped[bool]


class RecordValue(Owned, Base):
    """A filterable field of a record as text that sorts like the value."""

    __tablename__ = "record_value"
    __table_args__ = (
        part_of("record", "record_id"),
        Index(None, "organization_id", "kind", "field", "value", "record_id"),
    )

    record_id: Mapped[UUID] = mapped_column(primary_key=True)
    field: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    value: Mapped[Key]


class Reference(Owned, Base):
    """A record's pointer to another one. Without a target it is parked under the id a CRM knows
    it by."""

    __tablename__ = "reference"
    __table_args__ = (
        part_of("record", "record_id"),
        part_of("record", "target_id"),
        part_of("connection", "connection_id"),
        Index(None, "organization_id", "target_id"),
        Index(
            "ix_reference_parked",
            "organization_id",
            "connection_id",
            "remote_object",
            "remote_id",
            postgresql_where=text("target_id IS NULL"),
        ),
    )

    record_id: Mapped[UUID] = mapped_column(primary_key=True)
    field: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[Count] = mapped_column(primary_key=True)
    target_id: Mapped[UUID | None]
    connection_id: Mapped[UUID | None]
    remote_object: Mapped[str | None]
    remote_id: Mapped[str | None]
    label: Mapped[str | None]


class FieldDef(Tenant, Base):
    """A field an organisation added to a kind; built-in fields are declared in packs."""

    __tablename__ = "field_def"
    __table_args__ = (
        of_organization(),
        Index("uq_field_def_name", "organization_id", "kind", "name", unique=True),
    )

    kind: Mapped[str]
    name: Mapped[str]
    label: Mapped[str]
    type: Mapped[str]
    required: Mapped[No]
    filterable: Mapped[No]
    enabled: Mapped[Yes]
    options: Mapped[Array]
    default_value: Mapped[Anything | None]
    position: Mapped[Count]
    created_at: Mapped[Moment]
