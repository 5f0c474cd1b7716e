"""Which fields of a kind lists can be filtered by, however many records there are."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from crm_admin import clock
from crm_admin.errors import BadInput
from crm_admin.ids import new_id
from crm_admin.packs.registry import kinds
from crm_admin.records.kinds import FieldType, RecordKind
from crm_admin.records.sortable import UNSORTABLE
from crm_admin.security.permissions import Permission
from crm_admin.services import audit, record_values
from crm_admin.services.access import Person, require
from crm_admin.services.sql import Cursor, Row, transaction

MOST: Final = 5
"""So many fields of a kind may be filterable: each costs a row per record."""
SLICE: Final = 2_000
START: Final = UUID(int=0)

KNOWN = "SELECT id, label, type, filterable FROM field_def WHERE kind = %s AND name = %s FOR UPDATE"

# A row for a declared field is not enabled, so that it does not look like one of people's own.
ADD = """
INSERT INTO field_def (organization_id, id, kind, name, label, type, filterable, enabled)
VALUES (%s, %s, %s, %s, %s, %s, true, false)
"""

NEXT = """
SELECT id, data FROM record
 WHERE kind = %s AND deleted_at IS NULL AND id > %s AND updated_at >= %s
 ORDER BY id LIMIT %s FOR SHARE
"""


@dataclass(frozen=True, slots=True)
class Marked:
    """A field that lists can be filtered by, and how many records have a value for it."""

    kind: str
    field: str
    records: int


def mark_filterable(*, person: Person, kind: str, field: str) -> Marked:
    """Let lists of the kind be filtered by the field; its values are kept from now on.

    Returns when the values of all records are there; they are written in slices, so syncs go on
    beside it. Marking a field twice writes its values anew.
    """
    require(person, Permission.MAPPING_PUBLISH)
    found = _kind(kind)
    type_name = _checked(found, field)
    started = clock.now()
    amount = _backfill(person, kind, field, type_name, since=None)
    with transaction() as cursor:
        _mark(cursor, person, found, field, type_name)
    # What was written while the first pass ran did not know of the mark yet.
    _backfill(person, kind, field, type_name, since=started)
    return Marked(kind, field, amount)


def unmark_filterable(*, person: Person, kind: str, field: str) -> None:
    """Keep the field's values no longer; nothing happens when it was not filterable."""
    require(person, Permission.MAPPING_PUBLISH)
    _kind(kind)
    with transaction() as cursor:
        changed = cursor.execute(
            "UPDATE field_def SET filterable = false WHERE kind = %s AND name = %s AND filterable",
            (kind, field),
        ).rowcount
        if changed:
            audit.write(cursor, person, "field.not_filterable", "field", f"{kind}.{field}")
    while changed:
        with transaction() as cursor:
            changed = cursor.execute(
                "DELETE FROM record_value WHERE field = %s AND record_id IN (SELECT record_id"
                " FROM record_value WHERE kind = %s AND field = %s LIMIT %s)",
                (field, kind, field, SLICE),
            ).rowcount


def filterable(kind: str) -> tuple[str, ...]:
    """Return the names of a kind's filterable fields."""
    with transaction() as cursor:
        return tuple(sorted(record_values.filterable(cursor).get(kind, {})))


def _kind(name: str) -> RecordKind:
    found = kinds().get(name)
    if found is None:
        raise BadInput("kind", f"There are no records of the type {name}.")
    return found


def _checked(kind: RecordKind, field: str) -> str:
    """Return the field's type, or say why lists cannot be filtered by it."""
    plain = kind.promoted
    if field in {*plain.title, plain.status, plain.owner, plain.amount, plain.due_on}:
        raise BadInput("field", f"Lists can be sorted or filtered by {field} already.")
    declared = {one.name: one.type for one in kind.fields}
    with transaction() as cursor:
        known = cursor.execute(KNOWN, (kind.name, field)).fetchone()
        marked = set(record_values.filterable(cursor).get(kind.name, {})) - {field}
    if field not in declared and known is None:
        raise BadInput("field", f"{kind.label} has no field {field}.")
    type_name = declared[field].value if field in declared else str(_row(known)["type"])
    if type_name in {one.value for one in UNSORTABLE}:
        raise BadInput("field", f"{field} holds more than one short value.")
    if len(marked) >= MOST:
        raise BadInput(
            "field",
            f"{MOST} fields of {kind.plural} are filterable already: {', '.join(sorted(marked))}."
            " Take one of them off first.",
        )
    return type_name


def _row(row: Row | None) -> Row:
    return row if row is not None else {"type": FieldType.STRING.value}


def _mark(cursor: Cursor, person: Person, kind: RecordKind, field: str, type_name: str) -> None:
    known = cursor.execute(KNOWN, (kind.name, field)).fetchone()
    if known is None:
        label = kind.field(field).label
        values = (person.organization_id, new_id(), kind.name, field, label, type_name)
        cursor.execute(ADD, values)
    else:
        cursor.execute("UPDATE field_def SET filterable = true WHERE id = %s", (known["id"],))
    audit.write(cursor, person, "field.filterable", "field", f"{kind.name}.{field}")


def _backfill(
    person: Person, kind: str, field: str, type_name: str, *, since: object | None
) -> int:
    last, amount = START, 0
    while True:
        with transaction() as cursor:
            values = (kind, last, since or "-infinity", SLICE)
            rows = cursor.execute(NEXT, values).fetchall()
            records = [(row["id"], kind, row["data"]) for row in rows]
            record_values.write(cursor, person.organization_id, records, {kind: {field: type_name}})
        amount += sum(1 for row in rows if row["data"].get(field) not in (None, ""))
        if len(rows) < SLICE:
            return amount
        last = rows[-1]["id"]
