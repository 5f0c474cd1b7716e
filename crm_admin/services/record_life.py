"""How a record of ours begins and ends: made by hand, taken out of the lists, and brought back."""

from collections.abc import Mapping
from uuid import UUID
from zlib import crc32

from crm_admin import tenancy
from crm_admin.errors import BadInput, NotFound
from crm_admin.ids import new_id
from crm_admin.jsontypes import Json
from crm_admin.packs.registry import kinds
from crm_admin.records.identity import Key, keys_of
from crm_admin.records.kinds import RecordKind
from crm_admin.records.values import promoted
from crm_admin.security.permissions import Permission
from crm_admin.services import audit, record_scope
from crm_admin.services.access import Person, require
from crm_admin.services.engine.matching import KEY_LOCK_SPACE, KEY_LOCKS
from crm_admin.services.record_store import PEOPLE, NewRecord, fan_out, insert_records
from crm_admin.services.records import EDITED, Note, accepted, write_note
from crm_admin.services.sql import Cursor, transaction

TAKEN = """
SELECT r.id, r.title FROM record_key k
  JOIN record r ON r.organization_id = k.organization_id AND r.id = k.record_id
 WHERE k.kind = %s AND k.key_type = %s AND k.value = %s AND k.strong AND r.deleted_at IS NULL
   AND r.id <> %s LIMIT 1
"""

REMOVE = """
UPDATE record SET deleted_at = now(), version = version + 1, updated_at = now()
 WHERE id = %s AND deleted_at IS NULL RETURNING kind, title
"""

RESTORE = """
UPDATE record SET deleted_at = NULL, version = version + 1, updated_at = now()
 WHERE id = %s AND deleted_at IS NOT NULL AND merged_into IS NULL RETURNING kind, title, data
"""

UNLINK = """
UPDATE link SET status = 'local_gone', updated_at = now()
 WHERE record_id = %s AND status = 'linked'
"""

RELINK = """
UPDATE link SET status = 'linked', error = NULL, updated_at = now()
 WHERE record_id = %s AND status = 'local_gone'
"""


def create(*, person: Person, kind_name: str, values: Mapping[str, Json]) -> UUID:
    """Make a record by hand and put it into the outbox; return its id.

    BadInput names the field that cannot be saved, and the one whose value another record has
    already: two records with one strong key would be one person twice. A record that nobody could
    tell from others is refused.
    """
    kind = kinds().get(kind_name)
    if kind is None:
        raise NotFound("There are no records of this type.")
    with transaction() as cursor:
        required = {field.name: None for field in kind.fields if field.required}
        held = {
            name: accepted(cursor, kind, name, value)
            for name, value in {**required, **values}.items()
        }
        filled = {name: value for name, value in held.items() if value is not None}
        _require_name(kind, filled)
        references = {
            field.name: str(filled.pop(field.name))
            for field in kind.references
            if field.name in filled
        }
        record_id = new_id()
        _require_new(cursor, kind, filled, record_id)
        insert_records(
            cursor, person.organization_id, [NewRecord(record_id, kind, filled, references)]
        )
        fields: dict[str, list[Json]] = {
            name: [None, value, EDITED, ""] for name, value in {**filled, **references}.items()
        }
        title = promoted(kind, filled).title
        write_note(cursor, person, record_id, title, Note("create", fields))
        fan_out(cursor, [record_id], rank=PEOPLE)
    return record_id


def _require_name(kind: RecordKind, filled: Mapping[str, Json]) -> None:
    telling = {name for rule in kind.keys for name in rule.fields} | set(kind.promoted.title)
    if telling & filled.keys():
        return
    labels = [field.label for field in kind.fields if field.name in telling]
    words = f"{', '.join(labels[:-1])} or {labels[-1]}" if len(labels) > 1 else labels[0]
    raise BadInput(
        next(field.name for field in kind.fields if field.name in telling),
        f"Fill in {words}: without one of them nobody could tell this {kind.label.lower()} from"
        " another.",
    )


def _require_new(
    cursor: Cursor, kind: RecordKind, filled: Mapping[str, Json], record_id: UUID
) -> None:
    strong = [key for key in keys_of(kind, filled) if key.strong]
    _lock(cursor, strong)
    for key in strong:
        row = cursor.execute(TAKEN, (kind.name, key.type.value, key.value, record_id)).fetchone()
        if row is not None:
            rule = next(rule for rule in kind.keys if rule.type is key.type)
            name = next((name for name in rule.fields if name in filled), rule.fields[0])
            raise BadInput(
                name,
                f"{row['title'] or 'Another record'} has this {kind.field(name).label} already."
                f" Open that {kind.label.lower()} and edit it instead.",
            )


def _lock(cursor: Cursor, keys: list[Key]) -> None:
    """Take the same locks as a sync that creates records with these keys."""
    mine = tenancy.organization()
    numbers = sorted({crc32(f"{mine}:{key.type}:{key.value}".encode()) % KEY_LOCKS for key in keys})
    cursor.execute(
        "SELECT pg_advisory_xact_lock(%s, n) FROM unnest(%s::int[]) AS n", (KEY_LOCK_SPACE, numbers)
    )


def archive(*, person: Person, record_id: UUID) -> str:
    """Take a record out of the lists and out of every sync; return its title.

    What the CRMs hold stays there, unless a stream's policy has it archived, and no twin is made of
    it. It can be restored as it was.
    """
    with transaction() as cursor:
        record_scope.require_record(cursor, person, record_id)
        row = cursor.execute(REMOVE, (record_id,)).fetchone()
        if row is None:
            raise NotFound("There is no such record.")
        cursor.execute("DELETE FROM outbox WHERE record_id = %s", (record_id,))
        cursor.execute(UNLINK, (record_id,))
        # A stream may have the CRM archive its record too.
        fan_out(cursor, [record_id], rank=PEOPLE)
        write_note(cursor, person, record_id, row["title"], Note("delete", {}))
        audit.write(cursor, person, "record.archive", row["kind"], record_id)
    return str(row["title"] or "Untitled")


def restore(*, person: Person, record_id: UUID) -> str:
    """Bring an archived record back into the lists and into its syncs; return its title.

    BadInput when another record has taken one of its strong keys meanwhile.
    """
    require(person, Permission.RECORD_EDIT)
    with transaction() as cursor:
        row = cursor.execute(RESTORE, (record_id,)).fetchone()
        if row is None:
            raise NotFound("There is no such record to bring back.")
        _require_new(cursor, kinds()[row["kind"]], row["data"], record_id)
        cursor.execute(RELINK, (record_id,))
        write_note(cursor, person, record_id, row["title"], Note("create", {}, "Brought back."))
        audit.write(cursor, person, "record.restore", row["kind"], record_id)
        fan_out(cursor, [record_id], rank=PEOPLE)
    return str(row["title"] or "Untitled")
