"""Mappings: published versions never change, and a rule keeps its id over all of them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from crm_admin.mapping.rules import Direction, FirstAgreement, Policy
from crm_admin.models.base import (
    Anything,
    Array,
    Base,
    Count,
    Int,
    Moment,
    No,
    Object,
    Owned,
    Tenant,
    of_organization,
    one_of,
    part_of,
)
from crm_admin.sync.states import MappingState


class MappingVersion(Tenant, Base):
    """One numbered mapping of a stream; at most one of them is a draft."""

    __tablename__ = "mapping_version"
    __table_args__ = (
        part_of("stream", "stream_id"),
        UniqueConstraint("organization_id", "stream_id", "number"),
        Index(
            "uq_mapping_version_draft",
            "organization_id",
            "stream_id",
            unique=True,
            postgresql_where=text("state = 'draft'"),
        ),
        one_of("state", MappingState),
    )

    stream_id: Mapped[UUID]
    number: Mapped[Int]
    state: Mapped[str]
    percent: Mapped[Int] = mapped_column(server_default=text("100"))
    note: Mapped[str | None]
    by_user: Mapped[UUID | None]
    created_at: Mapped[Moment]
    published_at: Mapped[datetime | None]


class FieldRule(Owned, Base):
    """One line of a mapping version."""

    __tablename__ = "field_rule"
    __table_args__ = (
        part_of("mapping_version", "mapping_version_id"),
        one_of("direction", Direction),
        one_of("policy", Policy),
        one_of("first_agreement", FirstAgreement),
    )

    mapping_version_id: Mapped[UUID] = mapped_column(primary_key=True)
    rule_id: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[Count]
    ours: Mapped[str]
    theirs: Mapped[str]
    direction: Mapped[str] = mapped_column(server_default=text("'both'"))
    required: Mapped[No]
    default_value: Mapped[Anything | None]
    steps: Mapped[Array]
    validation: Mapped[Object]
    policy: Mapped[str | None]
    first_agreement: Mapped[str | None]
    on_change: Mapped[str | None]


class MappingTemplate(Tenant, Base):
    """A set of rules to start other mappings from."""

    __tablename__ = "mapping_template"
    __table_args__ = (of_organization(), UniqueConstraint("organization_id", "name"))

    name: Mapped[str]
    provider: Mapped[str]
    remote_object: Mapped[str]
    kind: Mapped[str]
    rules: Mapped[Array]
    by_user: Mapped[UUID | None]
    created_at: Mapped[Moment]
