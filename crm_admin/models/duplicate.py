"""Pairs of records that may be one; a dismissed pair stays dismissed."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from crm_admin.models.base import Base, Moment, Object, Tenant, one_of, part_of


class Duplicate(Tenant, Base):
    """A pair in a fixed order, so that it is found once;
    `score` is 0 to 1, `scores` the same by field."""

    __tablename__ = "duplicate"
    __table_args__ = (
        part_of("record", "record_a"),
        part_of("record", "record_b"),
        UniqueConstraint("organization_id", "record_a", "record_b"),
        CheckConstraint("record_a < record_b", name="order"),
        Index(
            "ix_duplicate_verdict", "organization_id", "kind", "verdict", text("score DESC"), "id"
        ),
        Index(None, "organization_id", "record_b"),
        one_of("verdict", ("open", "merged", "dismissed")),
    )

    kind: Mapped[str]
    record_a: Mapped[UUID]
    record_b: Mapped[UUID]
    score: Mapped[float]
    scores: Mapped[Object]
    verdict: Mapped[str] = mapped_column(server_default=text("'open'"))
    run_id: Mapped[UUID | None]
    decided_by: Mapped[UUID | None]
    decided_at: Mapped[datetime | None]
    found_at: Mapped[Moment]
