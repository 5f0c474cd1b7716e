"""The log of calls to CRMs, written beside the work and never in its transactions."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from crm_admin.ids import new_id
from crm_admin.models.base import Base, Count, Int, Owned


class ApiCall(Owned, Base):
    """One call: what was asked, what came back, how long it took; bodies are masked and cut."""

    __tablename__ = "api_call"
    __table_args__ = (
        Index("ix_api_call_run", "organization_id", "run_id", text("at DESC")),
        Index("ix_api_call_connection", "organization_id", "connection_id", text("at DESC")),
        {"postgresql_partition_by": "RANGE (at)"},
    )

    at: Mapped[datetime] = mapped_column(primary_key=True, server_default=func.now())
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    connection_id: Mapped[UUID]
    run_id: Mapped[UUID | None]
    method: Mapped[str]
    path: Mapped[str]
    status: Mapped[Int | None]
    ms: Mapped[Count]
    request_id: Mapped[str | None]
    sent_bytes: Mapped[int | None]
    received_bytes: Mapped[int | None]
    request_body: Mapped[str | None]
    answer_body: Mapped[str | None]
    error: Mapped[str | None]
    rank: Mapped[str | None]
