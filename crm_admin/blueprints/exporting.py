"""Lists as files: exactly what a page shows under its filters, with cells no spreadsheet runs."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final
from uuid import UUID

import orjson
from flask import Response, request, stream_with_context

from crm_admin import tenancy
from crm_admin.blueprints.access import signed_in
from crm_admin.clock import now
from crm_admin.extensions import db
from crm_admin.services import audit

LINES_AT_ONCE: Final = 500

FORMULA: Final = (
    "=",
    "+",
    "-",
    "@",
    "\t",
    "\r",
    "\n",
    "\0",
    "\uff1d",
    "\uff0b",
    "\uff0d",
    "\uff20",
)
"""What makes a spreadsheet take a cell for a formula when it stands in front."""


def cell(value: object) -> str:
    """Return a value as one cell: what would be a formula gets one apostrophe in front."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULA) else text


def csv_file(name: str, header: Sequence[str], lines: Iterable[Sequence[object]]) -> Response:
    """Send rows as CSV while they are read; the name gets the day in front of its ending."""
    return _sent(_csv(header, lines), "text/csv; charset=utf-8", f"{name}.csv")


def json_file(name: str, items: Iterable[object]) -> Response:
    """Send objects as one JSON list while they are read."""
    return _sent(_json(items), "application/json", f"{name}.json")


def _csv(header: Sequence[str], lines: Iterable[Sequence[object]]) -> Iterator[str]:
    yield "\ufeff" + _line(header)
    for line in lines:
        yield _line(line)


def _line(cells: Sequence[object]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow([cell(value) for value in cells])
    return text.getvalue()


def _json(items: Iterable[object]) -> Iterator[str]:
    before = "["
    for item in items:
        yield before + orjson.dumps(item, default=str).decode()
        before = ",\n"
    yield "[]" if before == "[" else "]\n"


def _pieces(parts: Iterator[str], organization_id: UUID) -> Iterator[str]:
    """Read on for the organisation while the answer is sent: its request is over by then."""
    more = True
    while more:
        with tenancy.acting_for(organization_id):
            lines = list(islice(parts, LINES_AT_ONCE))
        more = len(lines) == LINES_AT_ONCE
        yield "".join(lines)
    db.session.rollback()


def _sent(parts: Iterator[str], kind: str, name: str) -> Response:
    stem, _, ending = name.rpartition(".")
    audit.note(signed_in(), "export", ending, request.full_path.rstrip("?")[:500])
    pieces = _pieces(parts, tenancy.organization())
    response = Response(stream_with_context(pieces), content_type=kind)
    response.headers["Content-Disposition"] = (
        f'attachment; filename="{stem}-{now():%Y-%m-%d}.{ending}"'
    )
    return response
