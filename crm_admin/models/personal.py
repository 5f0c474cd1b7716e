"""What people set up for themselves and for each other."""

from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from crm_admin.models.base import Anything, Base, Moment, No, Object, Owned, Tenant, part_of


def of_member(column: str = "user_id") -> ForeignKeyConstraint:
    """Return the key to a person as a member of the same organisation;
    the row goes when they leave it."""
    return ForeignKeyConstraint(
        ["organization_id", column],
        ["membership.organization_id", "membership.user_id"],
        ondelete="CASCADE",
    )


class SavedView(Tenant, Base):
    """A list's filters under a name; shared ones are everybody's to use."""

    __tablename__ = "saved_view"
    __table_args__ = (of_member(), UniqueConstraint("organization_id", "user_id", "page", "name"))

    user_id: Mapped[UUID]
    page: Mapped[str]
    name: Mapped[str]
    filters: Mapped[Object]
    shared: Mapped[No]
    created_at: Mapped[Moment]


class Preference(Owned, Base):
    """One choice of a person in an organisation."""

    __tablename__ = "preference"
    __table_args__ = (of_member(),)

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[Anything | None]
    updated_at: Mapped[Moment]


class Share(Owned, Base):
    """A record that a person may see although they do not own it."""

    __tablename__ = "share"
    __table_args__ = (
        part_of("record", "record_id"),
        of_member(),
        Index(None, "organization_id", "user_id"),
    )

    record_id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    by_user: Mapped[UUID | None]
    created_at: Mapped[Moment] = mapped_column(server_default=text("now()"))
