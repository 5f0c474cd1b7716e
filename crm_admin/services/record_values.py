"""The values of filterable fields, kept beside their records inside the caller's transaction."""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from crm_admin.jsontypes import Json
from crm_admin.packs.registry import kinds
from crm_admin.records.sortable import sortable
from crm_admin.services.sql import Cursor, id_array, text_array

FILTERABLE = "SELECT kind, name, type FROM field_def WHERE filterable"

FORGET = "DELETE FROM record_value WHERE record_id = ANY(%s::uuid[])"

STORE = """
INSERT INTO record_value (organization_id, record_id, kind, field, value)
SELECT %s, v.* FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::text[])
       AS v (record_id, kind, field, value)
ON CONFLICT (organization_id, record_id, field) DO UPDATE SET value = excluded.value
"""

Made = tuple[UUID, str, Mapping[str, Json]]
"""A record's id, its kind and its data."""


def filterable(cursor: Cursor) -> Mapping[str, Mapping[str, str]]:
    """Return the types of the filterable fields by kind and name."""
    found: dict[str, dict[str, str]] = {}
    for row in cursor.execute(FILTERABLE).fetchall():
        found.setdefault(row["kind"], {})[row["name"]] = row["type"]
    return found


def store(
    cursor: Cursor, organization_id: UUID, records: Iterable[Made], *, are_new: bool = False
) -> None:
    """Let the values of these records be what their data says; nothing where no field of their
    kinds is filterable.
    """
    fields = filterable(cursor)
    kept = [record for record in records if record[1] in fields]
    if not kept:
        return
    if not are_new:
        cursor.execute(FORGET, (id_array(record_id for record_id, _, _ in kept),))
    write(cursor, organization_id, kept, fields)


def write(
    cursor: Cursor,
    organization_id: UUID,
    records: Sequence[Made],
    fields: Mapping[str, Mapping[str, str]],
) -> None:
    """Add the values of these fields; a blank has none."""
    rows = [
        (record_id, kind, name, text)
        for record_id, kind, data in records
        for name, type_name in fields.get(kind, {}).items()
        if (text := sortable(type_of(kind, name, type_name), data.get(name)))
    ]
    if rows:
        ids, *texts = zip(*rows, strict=True)
        columns = [id_array(ids), *(text_array(map(str, column)) for column in texts)]
        cursor.execute(STORE, (organization_id, *columns))


def type_of(kind: str, name: str, own: str) -> str:
    """Return the type of a field: a pack's declaration counts before what was noted."""
    found = kinds().get(kind)
    declared = {field.name: field.type.value for field in found.fields} if found else {}
    return declared.get(name, own)
