"""One transaction of the acting organisation over psycopg: how services write statements."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

import orjson
import psycopg
from psycopg.rows import dict_row

from crm_admin.extensions import db

Row = dict[str, Any]
Cursor = psycopg.Cursor[Row]


@contextmanager
def transaction() -> Iterator[Cursor]:
    """One transaction of the acting organisation: committed at the end, rolled back on any error.

    Yields a cursor whose rows are dicts. Transactions do not nest, and no call to a CRM belongs
    inside.
    """
    raw = cast("psycopg.Connection[Row]", db.session.connection().connection.driver_connection)
    try:
        with raw.cursor(row_factory=dict_row) as cursor:
            yield cursor
        db.session.commit()
    except BaseException:
        db.session.rollback()
        raise


def copy_rows(
    cursor: Cursor, table: str, columns: Sequence[str], rows: Sequence[Sequence[object]]
) -> None:
    """Fill a temporary table by COPY; `table` and `columns` are our own constants."""
    with cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def dumps(value: object) -> str:
    """Return JSON text for a jsonb parameter."""
    return orjson.dumps(value, default=str).decode()
