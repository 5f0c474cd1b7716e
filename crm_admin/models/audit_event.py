"""The audit log: rows are only ever added, and sealed into a chain of hashes per organisation."""

from uuid import UUID

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped

from crm_admin.models.base import Anything, Base, Moment, Tenant, of_organization


class AuditEvent(Tenant, Base):
    """Who did what to which setting. `sealed_as` is the place in the chain,
    `seal` the hash of all up to here."""

    __tablename__ = "audit_event"
    __table_args__ = (
        of_organization(),
        Index("ix_audit_event_newest", "organization_id", text("at DESC"), text("id DESC")),
        Index("ix_audit_event_object", "organization_id", "object_type", "object_id"),
        Index("uq_audit_event_sealed_as", "organization_id", "sealed_as", unique=True),
    )

    at: Mapped[Moment]
    actor_id: Mapped[UUID | None]
    actor_name: Mapped[str | None]
    action: Mapped[str]
    object_type: Mapped[str]
    object_id: Mapped[str | None]
    before: Mapped[Anything | None]
    after: Mapped[Anything | None]
    address: Mapped[str | None]
    request_id: Mapped[str | None]
    sealed_as: Mapped[int | None]
    seal: Mapped[str | None]
