"""Records as people change them: saved with their version, noted in the history, put into the
outbox.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from crm_admin import clock
from crm_admin.errors import BadInput, NotFound, Stale
from crm_admin.ids import new_id
from crm_admin.jsontypes import Json
from crm_admin.packs.registry import kinds
from crm_admin.records.kinds import Field, FieldType, RecordKind
from crm_admin.records.values import ValueRefused, canonical, is_blank, same
from crm_admin.services import record_scope, save_trigger
from crm_admin.services.access import Person
from crm_admin.services.engine.gather import load_ours
from crm_admin.services.record_store import PEOPLE, Change, fan_out, update_records
from crm_admin.services.sql import Cursor, dumps, transaction

NO_CONNECTION = UUID(int=0)
EDITED = "edited"
MEANWHILE = (
    "Someone changed this record since you opened it. Look at the new values, then save again."
)


@dataclass(frozen=True, slots=True)
class Note:
    """What the history says of a person's write; `fields` hold [before, after, reason, rule]."""

    action: str
    fields: Mapping[str, list[Json]]
    reason: str = ""


def save(
    *,
    person: Person,
    record_id: UUID,
    changes: Mapping[str, Json],
    seen_version: int,
    reason: str = "",
) -> int:
    """Save changed fields of a record, note them in its history, put it into the outbox; return its
    version.

    Values are text as typed or JSON; "" and None blank a field, a reference takes the id of its
    target. BadInput names the field that cannot be saved and nothing is; Stale when the record
    changed since `seen_version`. `reason` is the sentence the time line gives for the change.
    """
    with transaction() as cursor:
        record_scope.require_record(cursor, person, record_id)
        row = cursor.execute(
            "SELECT kind, version, title FROM record WHERE id = %s AND deleted_at IS NULL FOR"
            " UPDATE",
            (record_id,),
        ).fetchone()
        if row is None:
            raise NotFound("There is no such record.")
        if row["version"] != seen_version:
            raise Stale(MEANWHILE)
        kind = kinds()[row["kind"]]
        ours = load_ours(cursor, NO_CONNECTION, [record_id])[record_id]
        values = {name: accepted(cursor, kind, name, value) for name, value in changes.items()}
        names = {field.name for field in kind.references}
        plain = {
            n: v for n, v in values.items() if n not in names and not same(ours.data.get(n), v)
        }
        references = {
            n: None if v is None else str(v)
            for n, v in values.items()
            if n in names and not same(ours.references.get(n), v)
        }
        if not plain and not references:
            return seen_version
        fields: dict[str, list[Json]] = {
            n: [ours.data.get(n), v, EDITED, ""] for n, v in plain.items()
        }
        fields |= {n: [ours.references.get(n), v, EDITED, ""] for n, v in references.items()}
        note = Note("update", fields, reason)
        operation_id = write_note(cursor, person, record_id, row["title"], note)
        origin: dict[str, Json] = {"by": person.name, "operation": str(operation_id)}
        change = Change(record_id, kind, row["version"], ours.data, plain, references, origin)
        update_records(cursor, person.organization_id, [change], clock.now())
        fan_out(cursor, [record_id], rank=PEOPLE)
    save_trigger.after_save(person=person, record_id=record_id)
    return seen_version + 1


def problems(kind: RecordKind, values: Mapping[str, Json]) -> dict[str, str]:
    """Return, by field, why a value cannot be saved: all of them at once, for a form."""
    found: dict[str, str] = {}
    for name, value in values.items():
        try:
            _canonical(kind, name, value)
        except BadInput as error:
            found[error.field] = error.sentence
    return found


def accepted(cursor: Cursor, kind: RecordKind, name: str, value: Json) -> Json:
    """Return a value as its field keeps it; a reference must name a living record of its kind."""
    held = _canonical(kind, name, value)
    field = kind.field(name)
    if held is not None and field.type is FieldType.REFERENCE:
        _require_target(cursor, field, str(held))
    return held


def _require_target(cursor: Cursor, field: Field, value: str) -> None:
    try:
        target = UUID(value)
    except ValueError:
        raise BadInput(field.name, f"Choose a {field.label} from the list.") from None
    row = cursor.execute(
        "SELECT 1 FROM record WHERE id = %s AND kind = %s AND deleted_at IS NULL",
        (target, field.target),
    ).fetchone()
    if row is None:
        raise BadInput(field.name, f"This {field.label} is not there any more. Choose another.")


def _canonical(kind: RecordKind, name: str, value: Json) -> Json:
    try:
        field = kind.field(name)
    except KeyError:
        raise BadInput(name, f"{kind.label} has no field {name}.") from None
    if is_blank(value):
        if field.required:
            raise BadInput(name, f"{field.label} is required. Enter a value.")
        return None
    if field.type is FieldType.REFERENCE:
        return value
    try:
        return canonical(field, value)
    except ValueRefused as refused:
        raise BadInput(name, refused.reason) from refused


def write_note(
    cursor: Cursor, person: Person, record_id: UUID, title: str | None, note: Note
) -> UUID:
    """Write what a person did to a record into its history and return the entry's id."""
    operation_id = new_id()
    cursor.execute(
        "INSERT INTO operation (organization_id, id, run_at, record_id, side, action, fields,"
        " inputs, label, reason, reason_code, state, actor, at, done_at, attempts, excluded)"
        " VALUES (%s, %s, now(), %s, 'ours', %s, %s, '{}', %s, %s, %s, 'done', %s, now(),"
        " now(), 0, false)",
        (
            person.organization_id,
            operation_id,
            record_id,
            note.action,
            dumps(note.fields),
            title,
            note.reason or None,
            EDITED,
            person.name,
        ),
    )
    return operation_id
