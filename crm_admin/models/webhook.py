"""The inbox of what CRMs tell us by themselves, and what we asked them to tell."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from crm_admin.models.base import Base, Count, Moment, Object, Tenant, one_of, part_of

EVENT_STATES = ("received", "observed", "done", "ignored", "failed")


class WebhookEvent(Tenant, Base):
    """One delivery, stored before it is answered; the same delivery id counts once."""

    __tablename__ = "webhook_event"
    __table_args__ = (
        part_of("connection", "connection_id"),
        UniqueConstraint("organization_id", "connection_id", "delivery_id"),
        Index("ix_webhook_event_state", "organization_id", "state", "received_at"),
        one_of("state", EVENT_STATES),
    )

    connection_id: Mapped[UUID]
    delivery_id: Mapped[str]
    event: Mapped[str | None]
    remote_object: Mapped[str | None]
    remote_id: Mapped[str | None]
    payload: Mapped[Object]
    state: Mapped[str] = mapped_column(server_default=text("'received'"))
    attempts: Mapped[Count]
    error: Mapped[str | None]
    occurred_at: Mapped[datetime | None]
    received_at: Mapped[Moment]
    done_at: Mapped[datetime | None]


class WebhookSubscription(Tenant, Base):
    """What is subscribed at the CRM, with the sealed secrets it signs with:
    two while they are rotated."""

    __tablename__ = "webhook_subscription"
    __table_args__ = (
        part_of("connection", "connection_id"),
        UniqueConstraint("organization_id", "connection_id", "remote_id"),
        one_of("state", ("wanted", "active", "failed", "gone")),
    )

    connection_id: Mapped[UUID]
    remote_id: Mapped[str | None]
    event: Mapped[str]
    state: Mapped[str] = mapped_column(server_default=text("'wanted'"))
    secrets: Mapped[Object]
    error: Mapped[str | None]
    checked_at: Mapped[datetime | None]
    created_at: Mapped[Moment]
