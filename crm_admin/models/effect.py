"""Effects: writes to a CRM that are not settled yet;
committed before they are sent, deleted when they are known."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Identity, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from crm_admin.models.base import (
    Anything,
    Base,
    Count,
    Int,
    Moment,
    Object,
    Tenant,
    one_of,
    part_of,
)
from crm_admin.sync.states import EffectState, OperationAction


class Effect(Tenant, Base):
    """One open write. `seq` is the order of sending,
    `sent_epoch` the lease under which it went out."""

    __tablename__ = "effect"
    __table_args__ = (
        part_of("connection", "connection_id"),
        UniqueConstraint("organization_id", "connection_id", "stream_id", "record_id", "action"),
        Index(None, "organization_id", "connection_id", "state", "seq"),
        Index(None, "organization_id", "link_id"),
        one_of("state", EffectState),
        one_of("action", OperationAction),
    )

    connection_id: Mapped[UUID]
    stream_id: Mapped[UUID | None]
    run_id: Mapped[UUID]
    operation_id: Mapped[UUID]
    run_at: Mapped[datetime]
    record_id: Mapped[UUID | None]
    link_id: Mapped[UUID | None]
    remote_object: Mapped[str]
    remote_id: Mapped[str | None]
    action: Mapped[str]
    marker: Mapped[str | None]
    fields: Mapped[Object]
    associations: Mapped[Object]
    expected: Mapped[Anything | None]
    seq: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    state: Mapped[str]
    attempts: Mapped[Count]
    sent_at: Mapped[datetime | None]
    sent_epoch: Mapped[Int | None]
    not_before: Mapped[datetime | None]
    error: Mapped[str | None]
    created_at: Mapped[Moment]
