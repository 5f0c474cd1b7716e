"""Writes operation rows: what was planned or done to one record on one side, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from crm_admin.ids import new_id
from crm_admin.services.engine.work import Work
from crm_admin.services.sql import Cursor, copy_rows, dumps
from crm_admin.sync.drafts import Draft, Pair
from crm_admin.sync.states import OperationState

COLUMNS = [
    "id",
    "run_id",
    "run_at",
    "record_id",
    "link_id",
    "stream_id",
    "remote_object",
    "remote_id",
    "side",
    "action",
    "fields",
    "inputs",
    "bases",
    "label",
    "reason",
    "reason_code",
    "state",
    "error",
    "error_code",
    "error_field",
    "actor",
]

STAGE = """
CREATE TEMP TABLE IF NOT EXISTS stage_operation (id uuid, run_id uuid, run_at timestamptz,
       record_id uuid, link_id uuid, stream_id uuid, remote_object text, remote_id text, side text,
       action text, fields jsonb, inputs jsonb, bases jsonb, label text, reason text,
       reason_code text, state text, error text, error_code text, error_field text, actor text)
       ON COMMIT DELETE ROWS;
DELETE FROM stage_operation
"""


INSERT = """
INSERT INTO operation (organization_id, id, run_id, run_at, record_id, link_id, stream_id,
       remote_object, remote_id, side, action, fields, inputs, bases, label, reason, reason_code,
       state, error, error_code, error_field, actor, at, attempts, excluded, done_at)
SELECT %s, id, run_id, run_at, record_id, link_id, stream_id,
       remote_object, remote_id, side, action, fields, inputs, bases, label, reason, reason_code,
       state, error, error_code, error_field, actor, now(), 0, false, CASE WHEN state = 'done' THEN
       now() END
  FROM stage_operation
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One operation to write; `record_id`, `link_id` and `remote_id` name its subject as far as it
    exists.
    """

    draft: Draft
    state: OperationState
    stream_id: UUID | None
    remote_object: str
    label: str
    record_id: UUID | None = None
    link_id: UUID | None = None
    remote_id: str | None = None
    bases: object = None
    operation_id: UUID | None = None


def entry_of(
    pair: Pair, draft: Draft, state: OperationState, stream_id: UUID, remote_object: str, label: str
) -> Entry:
    """Return the operation of a pair's draft."""
    return Entry(
        draft,
        state,
        stream_id,
        remote_object,
        label,
        record_id=pair.ours.record_id if pair.ours else None,
        link_id=pair.link.link_id if pair.link else None,
        remote_id=pair.theirs.id if pair.theirs else (pair.link.remote_id if pair.link else None),
    )


def write_operations(cursor: Cursor, work: Work, entries: Sequence[Entry]) -> list[UUID]:
    """Insert operations of the run in hand and return their ids in order."""
    if not entries:
        return []
    ids = [entry.operation_id or new_id() for entry in entries]
    rows = [_row(work, entry, one) for entry, one in zip(entries, ids, strict=True)]
    cursor.execute(STAGE)
    copy_rows(cursor, "stage_operation", COLUMNS, rows)
    cursor.execute(INSERT, (work.organization_id,))
    return ids


@dataclass(frozen=True, slots=True)
class Carried:
    """A planned operation that is now carried out."""

    operation_id: UUID
    state: OperationState
    record_id: UUID | None
    link_id: UUID | None
    bases: object


def carry_out(cursor: Cursor, work: Work, carried: Sequence[Carried]) -> None:
    """Move planned operations of the run in hand on: done on our side, sending to the CRM."""
    if carried:
        cursor.execute(
            "UPDATE operation o SET state = v.state, record_id = coalesce(v.record_id,"
            " o.record_id),"
            " link_id = coalesce(v.link_id, o.link_id), bases = v.bases, at = now(),"
            " done_at = CASE WHEN v.state = 'done' THEN now() END"
            " FROM unnest(%s::uuid[], %s::text[], %s::uuid[], %s::uuid[], %s::jsonb[])"
            " AS v (id, state, record_id, link_id, bases) WHERE o.id = v.id AND o.run_at = %s"
            " AND o.state = 'planned'",
            (
                [one.operation_id for one in carried],
                [one.state.value for one in carried],
                [one.record_id for one in carried],
                [one.link_id for one in carried],
                [None if one.bases is None else dumps(one.bases) for one in carried],
                work.run_at,
            ),
        )


def _row(work: Work, entry: Entry, one: UUID) -> tuple[object, ...]:
    draft = entry.draft
    failed = entry.state is OperationState.FAILED
    return (
        one,
        work.run_id,
        work.run_at,
        entry.record_id,
        entry.link_id,
        entry.stream_id,
        entry.remote_object,
        entry.remote_id,
        draft.side.value,
        draft.action.value,
        dumps(draft.fields),
        dumps(draft.inputs),
        None if entry.bases is None else dumps(entry.bases),
        entry.label,
        draft.reason or None,
        draft.reason_code or None,
        entry.state.value,
        draft.reason if failed else None,
        draft.reason_code if failed else None,
        draft.error_field,
        work.actor,
    )


PLAN_HASH = """
SELECT encode(sha256(convert_to(coalesce(string_agg(id::text, ',' ORDER BY id), ''), 'UTF8')),
'hex') AS hash
  FROM operation WHERE run_id = %s AND run_at = %s AND state = 'planned'
"""


def plan_hash(cursor: Cursor, run_id: UUID, run_at: datetime) -> str:
    """Return what names a plan: planned operations never change, so their ids are enough."""
    row = cursor.execute(PLAN_HASH, (run_id, run_at)).fetchone()
    return str(row["hash"]) if row else ""
