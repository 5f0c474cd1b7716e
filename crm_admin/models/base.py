"""What tables share: the organisation in every key, closed lists of states,
and column types that indexes can use."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKeyConstraint,
    Integer,
    SmallInteger,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from crm_admin.extensions import Base
from crm_admin.ids import new_id

Int = Annotated[int, mapped_column(Integer)]
Small = Annotated[int, mapped_column(SmallInteger)]
Count = Annotated[int, mapped_column(Integer, server_default=text("0"))]
Yes = Annotated[bool, mapped_column(server_default=text("true"))]
No = Annotated[bool, mapped_column(server_default=text("false"))]
Moment = Annotated[datetime, mapped_column(server_default=func.now())]
Object = Annotated[dict[str, object], mapped_column(JSONB, server_default=text("'{}'"))]
Array = Annotated[list[object], mapped_column(JSONB, server_default=text("'[]'"))]
Key = Annotated[str, mapped_column(Text(collation="C"))]
Anything = Annotated[object, mapped_column(JSONB(none_as_null=True))]


class Owned:
    """A row of one organisation; its policies show it to nobody else."""

    organization_id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-20)


class Tenant(Owned):
    """A row of one organisation that is known by an id."""

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id, sort_order=-10)


def of_organization() -> ForeignKeyConstraint:
    """Return the key of a table that hangs on nothing but its organisation;
    it is emptied with it."""
    return ForeignKeyConstraint(["organization_id"], ["organization.id"], ondelete="CASCADE")


def part_of(
    table: str, *columns: str, to: tuple[str, ...] = ("id",), keep: bool = False
) -> ForeignKeyConstraint:
    """Return the foreign key to a table of the same organisation;
    its rows go with their parent, or `keep` it."""
    return ForeignKeyConstraint(
        ["organization_id", *columns],
        [f"{table}.organization_id", *(f"{table}.{column}" for column in to)],
        ondelete=None if keep else "CASCADE",
    )


def one_of(column: str, values: type[StrEnum] | tuple[str, ...]) -> CheckConstraint:
    """Return the check that a column holds one of a closed list,
    or nothing where it may be null."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


__all__ = [
    "Anything",
    "Array",
    "Base",
    "Count",
    "Int",
    "Key",
    "Moment",
    "No",
    "Object",
    "Owned",
    "Small",
    "Tenant",
    "Yes",
    "of_organization",
    "one_of",
    "part_of",
]
