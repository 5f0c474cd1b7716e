"""One transaction of the acting organisation over psycopg: how services write statements."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, cast
from uuid import UUID

import orjson
import psycopg
from psycopg.rows import dict_row

from crm_admin.extensions import db

ROWS_AT_ONCE: Final = 1_000
COPY_ESCAPES: Final = str.maketrans({"\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"})

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
    """Fill a temporary table by COPY; `table` and `columns` are our own constants, values are text,
    numbers, truth, ids, dates or times.
    """
    with cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
        for start in range(0, len(rows), ROWS_AT_ONCE):
            part = rows[start : start + ROWS_AT_ONCE]
            copy.write("".join(["\t".join(map(cell, row)) + "\n" for row in part]))


def copy_lines(cursor: Cursor, table: str, lines: Sequence[str]) -> None:
    """Fill all columns of a temporary table with rows that are ready: cells between tabs, each row
    with its line end. `table` is our own constant.
    """
    with cursor.copy(f"COPY {table} FROM STDIN") as copy:
        copy.write("".join(lines))


def cell(value: object) -> str:
    """Return a value as COPY's text form has it: a few types only, because looking each up costs
    more.
    """
    if value is None:
        return "\\N"
    text = value if isinstance(value, str) else str(value)
    if "\\" in text or "\n" in text or "\t" in text or "\r" in text:
        return text.translate(COPY_ESCAPES)
    return text


def json_cell(text: str) -> str:
    """Return JSON text as COPY's text form has it: its control characters are written out
    already.
    """
    return text.replace("\\", "\\\\") if "\\" in text else text


def id_array(ids: Iterable[UUID]) -> str:
    """Return ids as one parameter for `%s::uuid[]`: adapting them one by one costs ten times
    that.
    """
    return f"{{{','.join(map(str, ids))}}}"


def text_array(texts: Iterable[str]) -> str:
    """Return texts as one parameter for `%s::text[]`, each of them quoted."""
    escaped = [text.replace("\\", "\\\\").replace('"', '\\"') for text in texts]
    return '{"' + '","'.join(escaped) + '"}' if escaped else "{}"


def dumps(value: object) -> str:
    """Return JSON text for a jsonb parameter."""
    return orjson.dumps(value, default=str).decode()
