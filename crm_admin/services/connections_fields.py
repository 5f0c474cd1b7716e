"""What a CRM says of its objects: described fields with their age, and how many records a filter
would take in.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from crm_admin import clock
from crm_admin.errors import BadInput
from crm_admin.jsontypes import Json
from crm_admin.providers.base import Counts
from crm_admin.services import audit, remote
from crm_admin.services.access import Person
from crm_admin.services.connections_rows import locked, read
from crm_admin.services.engine.opening import describe
from crm_admin.services.sql import Cursor, Row, dumps, transaction
from crm_admin.sync import filter_lines
from crm_admin.sync.filter_lines import Line

SET_FILTER = """
UPDATE stream SET filter = %s, full_due = true WHERE id = %s AND connection_id = %s
"""


@dataclass(frozen=True, slots=True)
class Count:
    """How many records a filter takes in of how many, and when the CRM said so."""

    taken: int
    all: int
    at: datetime


def refresh(*, person: Person, connection_id: UUID) -> None:
    """Read the fields of a connection's objects anew; they are kept with their time."""
    with transaction() as cursor:
        row = read(cursor, connection_id)
        objects = _objects(cursor, connection_id)
    if not objects:
        raise BadInput("objects", "Choose at least one object first.")
    with remote.opened(row) as opened:
        describe(opened.provider, connection_id, objects)
    with transaction() as cursor:
        audit.write(
            cursor,
            person,
            "connection.fields_read",
            "connection",
            connection_id,
            after={"objects": objects},
        )


def _objects(cursor: Cursor, connection_id: UUID) -> list[str]:
    rows = cursor.execute(
        "SELECT DISTINCT remote_object FROM stream WHERE connection_id = %s ORDER BY 1",
        (connection_id,),
    ).fetchall()
    return [row["remote_object"] for row in rows]


def options_of(cursor: Cursor, connection_id: UUID, remote_object: str) -> dict[str, list[str]]:
    """Return every described field of an object with the values it allows, none for free text."""
    row = cursor.execute(
        "SELECT fields FROM remote_schema WHERE connection_id = %s AND object = %s",
        (connection_id, remote_object),
    ).fetchone()
    fields: Sequence[Mapping[str, Json]] = row["fields"] if row else ()
    return {str(field["name"]): _values(field) for field in fields}


def _values(field: Mapping[str, Json]) -> list[str]:
    options = field.get("options")
    found = options if isinstance(options, list) else []
    return [str(one.get("value")) for one in found if isinstance(one, dict)]


def set_filter(
    *, person: Person, connection_id: UUID, stream_id: UUID, lines: Sequence[Line]
) -> None:
    """Let a stream take in only records that hold every line; the next run reads all of them anew.

    Linked records that fall out stay linked and are left alone. BadInput names the line.
    """
    with transaction() as cursor:
        locked(cursor, connection_id)
        stream = _stream(cursor, connection_id, stream_id)
        options = options_of(cursor, connection_id, stream["remote_object"])
        new = filter_lines.stored(lines, options)
        if new == (stream["filter"] or []):
            return
        cursor.execute(SET_FILTER, (dumps(new), stream_id, connection_id))
        audit.write(
            cursor,
            person,
            "connection.filter",
            "stream",
            stream_id,
            before={"filter": stream["filter"]},
            after={"filter": new},
        )


def count(*, connection_id: UUID, stream_id: UUID, lines: Sequence[Line]) -> Count | None:
    """Ask the CRM how many records the lines take in; None where it cannot count.

    BadInput names a line that cannot be used.
    """
    with transaction() as cursor:
        row = read(cursor, connection_id)
        stream = _stream(cursor, connection_id, stream_id)
        options = options_of(cursor, connection_id, stream["remote_object"])
    wanted = filter_lines.stored(lines, options)
    name = stream["remote_object"]
    with remote.opened(row) as opened:
        provider = opened.provider
        if not isinstance(provider, Counts):
            return None
        everything = provider.count(name, ())
        taken = provider.count(name, wanted) if wanted else everything
    return Count(taken, everything, clock.now())


def _stream(cursor: Cursor, connection_id: UUID, stream_id: UUID) -> Row:
    row = cursor.execute(
        "SELECT * FROM stream WHERE id = %s AND connection_id = %s", (stream_id, connection_id)
    ).fetchone()
    if row is None:
        raise BadInput("stream", "This object is not synced any more. Load the page again.")
    return row
