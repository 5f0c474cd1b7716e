"""Runs the reading SQL of the pages in the tenant's session; it never writes and never commits."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import text

from crm_admin.extensions import db

Row = Mapping[Any, Any]


def rows(statement: str, **values: object) -> Sequence[Row]:
    """Return the rows of a statement; parameters are bound, never pasted."""
    return db.session.execute(text(statement), values).mappings().all()


def only(statement: str, **values: object) -> Row:
    """Return the one row of a statement that always has one, such as a count."""
    return db.session.execute(text(statement), values).mappings().one()


def first(statement: str, **values: object) -> Row | None:
    """Return the first row, or None."""
    return db.session.execute(text(statement), values).mappings().first()
