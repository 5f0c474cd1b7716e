"""Writes records with all that hangs on them, inside the caller's transaction: keys, references,
outbox.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import orjson

from crm_admin.errors import Stale
from crm_admin.jsontypes import Json
from crm_admin.records.identity import Key, keys_of
from crm_admin.records.kinds import RecordKind
from crm_admin.records.values import promoted
from crm_admin.services import record_values
from crm_admin.services.sql import Cursor, copy_rows, id_array
from crm_admin.sync.drafts import PARKED

PEOPLE, BULK = 0, 1
"""Ranks of the outbox: what a person did goes before what came in bulk."""


@dataclass(frozen=True, slots=True)
class NewRecord:
    """A record to insert; references hold the target's id, or PARKED plus an id of `parked_on`.
    `keys` are its match keys where they were made before.
    """

    record_id: UUID
    kind: RecordKind
    data: Mapping[str, Json]
    references: Mapping[str, str | None] = field(default_factory=dict)
    external_id: str | None = None
    created_run: UUID | None = None
    created_row: int | None = None
    keys: tuple[Key, ...] | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """New values of a record's fields; None blanks one. `origin` goes to each changed field."""

    record_id: UUID
    kind: RecordKind
    version: int
    data: Mapping[str, Json]
    changes: Mapping[str, Json]
    references: Mapping[str, str | None]
    origin: Mapping[str, Json]


STAGES = """
CREATE TEMP TABLE IF NOT EXISTS stage_record (id uuid, kind text, data jsonb, external_id text,
       created_run uuid, created_row bigint, title text, status text, owner_id uuid, amount bigint,
       due_on date) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS stage_key (record_id uuid, kind text, key_type text, value text,
       strong bool) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS stage_reference (record_id uuid, field text, target_id uuid,
       remote_object text, remote_id text) ON COMMIT DELETE ROWS;
DELETE FROM stage_record;
DELETE FROM stage_key;
DELETE FROM stage_reference
"""
"""Emptied by DELETE: TRUNCATE would give each table a new file, thousands of times a pull."""


def insert_records(
    cursor: Cursor,
    organization_id: UUID,
    records: Sequence[NewRecord],
    *,
    parked_on: UUID | None = None,
    parked_objects: Mapping[tuple[str, str], str] | None = None,
) -> None:
    """Insert records at version 1 with keys and references.

    `parked_objects` names the remote object of a parked reference by (kind, field).
    """
    if not records:
        return
    cursor.execute(STAGES)
    rows, keys, references = [], [], []
    objects = parked_objects or {}
    for record in records:
        plain = promoted(record.kind, record.data)
        rows.append(
            (
                record.record_id,
                record.kind.name,
                orjson.dumps(record.data).decode(),
                record.external_id,
                record.created_run,
                record.created_row,
                plain.title,
                plain.status,
                plain.owner_id,
                plain.amount,
                plain.due_on,
            )
        )
        known = keys_of(record.kind, record.data) if record.keys is None else record.keys
        keys += _key_rows(record.record_id, record.kind, known)
        references += _reference_rows(record.record_id, record.kind, record.references, objects)
    columns = ("id", "kind", "data", "external_id", "created_run", "created_row")
    copy_rows(
        cursor, "stage_record", (*columns, "title", "status", "owner_id", "amount", "due_on"), rows
    )
    cursor.execute(
        "INSERT INTO record (organization_id, id, kind, data, external_id, created_run,"
        " created_row, title, status,"
        " owner_id, amount, due_on, version, created_at, updated_at)"
        " SELECT %s, id, kind, data, external_id, created_run, created_row, title, status,"
        " owner_id, amount, due_on,"
        " 1, now(), now() FROM stage_record",
        (organization_id,),
    )
    _store_keys(cursor, organization_id, keys)
    _store_references(cursor, organization_id, references, parked_on)
    made = ((record.record_id, record.kind.name, record.data) for record in records)
    record_values.store(cursor, organization_id, made, are_new=True)


def _key_rows(record_id: UUID, kind: RecordKind, keys: Sequence[Key]) -> list[tuple[object, ...]]:
    return [(record_id, kind.name, key.type.value, key.value, key.strong) for key in keys]


def _reference_rows(
    record_id: UUID,
    kind: RecordKind,
    references: Mapping[str, str | None],
    objects: Mapping[tuple[str, str], str],
) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for name, value in references.items():
        if value is None:
            continue
        if value.startswith(PARKED):
            rows.append(
                (record_id, name, None, objects[kind.name, name], value.removeprefix(PARKED))
            )
        else:
            rows.append((record_id, name, UUID(value), None, None))
    return rows


def _store_keys(cursor: Cursor, organization_id: UUID, rows: Sequence[tuple[object, ...]]) -> None:
    if rows:
        copy_rows(cursor, "stage_key", ("record_id", "kind", "key_type", "value", "strong"), rows)
        cursor.execute(
            "INSERT INTO record_key (organization_id, record_id, kind, key_type, value, strong)"
            " SELECT %s, record_id, kind, key_type, value, strong FROM stage_key",
            (organization_id,),
        )


def insert_references(
    cursor: Cursor,
    organization_id: UUID,
    kind: RecordKind,
    references: Mapping[str, Mapping[str, str | None]],
    *,
    parked_on: UUID,
    parked_objects: Mapping[tuple[str, str], str],
) -> None:
    """Insert the references of records that were just inserted, by their ids."""
    rows = [
        row
        for record_id, held in references.items()
        for row in _reference_rows(UUID(record_id), kind, held, parked_objects)
    ]
    if rows:
        cursor.execute(STAGES)
        _store_references(cursor, organization_id, rows, parked_on)


def _store_references(
    cursor: Cursor,
    organization_id: UUID,
    rows: Sequence[tuple[object, ...]],
    parked_on: UUID | None,
) -> None:
    if rows:
        copy_rows(
            cursor,
            "stage_reference",
            ("record_id", "field", "target_id", "remote_object", "remote_id"),
            rows,
        )
        cursor.execute(
            "INSERT INTO reference (organization_id, record_id, field, position, target_id,"
            " connection_id,"
            " remote_object, remote_id)"
            " SELECT %s, record_id, field, 0, target_id, CASE WHEN target_id IS NULL THEN %s::uuid"
            " END,"
            " remote_object, remote_id FROM stage_reference",
            (organization_id, parked_on),
        )


UPDATE = """
UPDATE record r
   SET data = v.data, origin = r.origin || v.origin, title = v.title, status = v.status,
       owner_id = v.owner_id, amount = v.amount, due_on = v.due_on, version = r.version + 1,
       updated_at = now()
  FROM unnest(%s::uuid[], %s::int[], %s::jsonb[], %s::jsonb[], %s::text[], %s::text[],
              %s::uuid[], %s::bigint[], %s::date[])
       AS v (id, version, data, origin, title, status, owner_id, amount, due_on)
 WHERE r.id = v.id AND r.version = v.version
"""

FORGET = """
DELETE FROM reference r USING unnest(%s::uuid[], %s::text[]) AS v (record_id, field)
 WHERE r.record_id = v.record_id AND r.field = v.field
"""


def update_records(
    cursor: Cursor,
    organization_id: UUID,
    changes: Sequence[Change],
    now: datetime,
    *,
    parked_on: UUID | None = None,
    parked_objects: Mapping[tuple[str, str], str] | None = None,
) -> None:
    """Apply changes and raise each record's version by one; keys and references follow.

    Stale, with nothing written, when a record is no longer at the version its change was made for.
    """
    if not changes:
        return
    cursor.execute(STAGES)
    made = [(change, _data_after(change)) for change in changes]
    rows = [_update_row(change, data, now) for change, data in made]
    cursor.execute(UPDATE, [list(column) for column in zip(*rows, strict=True)])
    if cursor.rowcount != len(changes):
        raise Stale("A record changed while it was being written.")
    cursor.execute("DELETE FROM record_key WHERE record_id = ANY(%s)", ([row[0] for row in rows],))
    keys = [
        row
        for change, data in made
        for row in _key_rows(change.record_id, change.kind, keys_of(change.kind, data))
    ]
    _store_keys(cursor, organization_id, keys)
    moved = [(change.record_id, name) for change in changes for name in change.references]
    if moved:
        cursor.execute(FORGET, ([record_id for record_id, _ in moved], [name for _, name in moved]))
    references = [
        row
        for change in changes
        for row in _reference_rows(
            change.record_id, change.kind, change.references, parked_objects or {}
        )
    ]
    _store_references(cursor, organization_id, references, parked_on)
    after = ((change.record_id, change.kind.name, data) for change, data in made)
    record_values.store(cursor, organization_id, after)


def _data_after(change: Change) -> dict[str, Json]:
    values = {**change.data, **change.changes}
    return {name: value for name, value in values.items() if value is not None}


def _update_row(change: Change, data: Mapping[str, Json], now: datetime) -> tuple[object, ...]:
    plain = promoted(change.kind, data)
    origin = {**change.origin, "at": now.isoformat()}
    changed = dict.fromkeys((*change.changes, *change.references), origin)
    return (
        change.record_id,
        change.version,
        orjson.dumps(data).decode(),
        orjson.dumps(changed).decode(),
        plain.title,
        plain.status,
        plain.owner_id,
        plain.amount,
        plain.due_on,
    )


OUTBOX = """
INSERT INTO outbox (organization_id, stream_id, record_id, version, rank, not_before, attempts,
created_at)
SELECT r.organization_id, s.id, r.id, r.version, %(rank)s, now(), 0, now()
  FROM record r
  JOIN stream s ON s.organization_id = r.organization_id AND s.kind = r.kind
 WHERE r.id = ANY(%(ids)s::uuid[]) AND NOT r.hub_only AND s.enabled AND s.direction <> 'from_crm'
   AND (%(but)s::uuid IS NULL OR s.connection_id <> %(but)s::uuid)
ON CONFLICT (organization_id, stream_id, record_id) DO UPDATE
   SET version = excluded.version, rank = least(outbox.rank, excluded.rank), not_before =
   excluded.not_before,
       attempts = 0, error = NULL
"""


def fan_out(
    cursor: Cursor, record_ids: Iterable[UUID], *, rank: int, but: UUID | None = None
) -> None:
    """Put records into the outbox of every stream of their kind that sends, except those of
    connection `but`.
    """
    ids = id_array(record_ids)
    if ids != "{}":
        cursor.execute(OUTBOX, {"ids": ids, "rank": rank, "but": but})


PARKED_ENDS = """
UPDATE reference r SET target_id = f.record_id, connection_id = NULL, remote_object = NULL,
       remote_id = NULL
  FROM (SELECT l.organization_id, l.remote_object, l.remote_id, l.record_id FROM link l
         WHERE l.connection_id = %(connection)s AND l.status = 'linked'
         UNION ALL
        SELECT a.organization_id, a.remote_object, a.remote_id, l.record_id
          FROM link_alias a
          JOIN link l ON l.organization_id = a.organization_id AND l.id = a.link_id
         WHERE a.connection_id = %(connection)s AND l.status = 'linked') AS f
 WHERE r.connection_id = %(connection)s AND r.target_id IS NULL
   AND f.organization_id = r.organization_id AND f.remote_object = r.remote_object
   AND f.remote_id = r.remote_id
RETURNING r.record_id
"""


def resolve_parked(cursor: Cursor, connection_id: UUID) -> None:
    """Give every parked reference of a connection whose link has appeared its target, and send the
    change on.
    """
    rows = cursor.execute(PARKED_ENDS, {"connection": connection_id}).fetchall()
    ids = list({row["record_id"] for row in rows})
    if ids:
        cursor.execute("UPDATE record SET version = version + 1 WHERE id = ANY(%s)", (ids,))
        fan_out(cursor, ids, rank=BULK, but=connection_id)
