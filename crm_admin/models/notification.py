"""Who hears of what, and what programs are told by us."""

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
    Tenant,
    Yes,
    of_organization,
    one_of,
    part_of,
)
from crm_admin.models.personal import of_member


class NotificationRule(Tenant, Base):
    """An event that a person wants to hear of, how, and how often."""

    __tablename__ = "notification_rule"
    __table_args__ = (
        of_member(),
        UniqueConstraint("organization_id", "user_id", "event", "channel"),
        one_of("channel", ("page", "mail")),
        one_of("digest", ("none", "hourly", "daily")),
    )

    user_id: Mapped[UUID]
    event: Mapped[str]
    channel: Mapped[str] = mapped_column(server_default=text("'page'"))
    digest: Mapped[str] = mapped_column(server_default=text("'none'"))
    created_at: Mapped[Moment]


class OutgoingWebhook(Tenant, Base):
    """An address of somebody else's that is told of events,
    with the sealed secrets we sign with."""

    __tablename__ = "outgoing_webhook"
    __table_args__ = (of_organization(), UniqueConstraint("organization_id", "name"))

    name: Mapped[str]
    url: Mapped[str]
    events: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    secrets: Mapped[Object]
    enabled: Mapped[Yes]
    by_user: Mapped[UUID | None]
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment]


class Delivery(Tenant, Base):
    """One event for one address, with how often it was tried."""

    __tablename__ = "delivery"
    __table_args__ = (
        part_of("outgoing_webhook", "outgoing_webhook_id"),
        Index("ix_delivery_due", "organization_id", "state", "not_before"),
        Index(
            "ix_delivery_newest", "organization_id", "outgoing_webhook_id", text("created_at DESC")
        ),
        one_of("state", ("waiting", "sending", "done", "failed")),
    )

    outgoing_webhook_id: Mapped[UUID]
    event: Mapped[str]
    payload: Mapped[Object]
    state: Mapped[str] = mapped_column(server_default=text("'waiting'"))
    attempts: Mapped[Count]
    not_before: Mapped[Moment]
    status: Mapped[Int | None]
    error: Mapped[str | None]
    created_at: Mapped[Moment]
    done_at: Mapped[datetime | None]
