"""Runs the reading SQL of the pages in the tenant's session; it never writes and never commits."""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import RowMapping
from sqlalchemy.exc import DataError

from crm_admin.errors import NotFound
from crm_admin.extensions import db

Row = Mapping[Any, Any]
NAMED: Final = re.compile(r"(?<![:\w\\]):(\w+)(?!:)")


def rows(statement: str, **values: object) -> Sequence[Row]:
    """Return the rows of a statement; parameters are bound, never pasted."""
    return _run(statement, values)


def only(statement: str, **values: object) -> Row:
    """Return the one row of a statement that always has one, such as a count."""
    (row,) = _run(statement, values)
    return row


def first(statement: str, **values: object) -> Row | None:
    """Return the first row, or None."""
    found = _run(statement, values)
    return found[0] if found else None


def _run(statement: str, values: Mapping[str, object]) -> Sequence[RowMapping]:
    # Straight to the driver: working out again what a text means costs more than the answer.
    connection = db.session.connection()
    try:
        return connection.exec_driver_sql(_for_driver(statement), dict(values)).mappings().all()
    except DataError as error:
        # what a person can ask for is checked before; this is an address somebody made up
        raise NotFound("This is not there. Open the page from its start.") from error


@lru_cache(maxsize=1024)
def _for_driver(statement: str) -> str:
    """Return the statement with its parameters as the driver has them."""
    return NAMED.sub(r"%(\1)s", statement.replace("%", "%%"))
