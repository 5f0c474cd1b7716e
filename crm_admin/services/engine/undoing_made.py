"""Takes back what a run created here in bulk: such creates have no operation, the records
themselves are their journal.
"""

from collections.abc import Sequence
from uuid import UUID

from crm_admin.ids import new_id
from crm_admin.jsontypes import Json
from crm_admin.services.engine.operations import Carried, Entry, carry_out, write_operations
from crm_admin.services.engine.takeback import detach, leave
from crm_admin.services.engine.unit import unit
from crm_admin.services.engine.work import Work
from crm_admin.services.sql import Cursor, Row, id_array
from crm_admin.sync.drafts import Draft
from crm_admin.sync.states import OperationAction, OperationState, Side

BULK_SLICE = 2000
NOBODY = UUID(int=0)

MADE = """
WITH slice AS MATERIALIZED (
    SELECT r.organization_id, r.id, r.title, r.version, r.origin, r.merged_into, r.deleted_at
      FROM record r WHERE r.created_run = %(origin)s AND r.id > %(after)s
     ORDER BY r.id LIMIT %(limit)s)
SELECT s.id, s.id AS place, s.title, s.version, s.merged_into, s.deleted_at,
       NULL::uuid AS planned_id,
       ARRAY(SELECT e.key FROM jsonb_each(s.origin) e
              WHERE coalesce(e.value ->> 'run', '') <> ALL(%(runs)s) ORDER BY 1) AS touched,
       l.id AS link_id, l.stream_id, l.remote_object, l.remote_id
  FROM slice s LEFT JOIN link l ON l.organization_id = s.organization_id AND l.record_id = s.id
       AND l.created_run = %(origin)s
 ORDER BY s.id
"""

PLANNED = """
WITH slice AS MATERIALIZED (
    SELECT u.organization_id, u.id, u.record_id FROM operation u
     WHERE u.run_id = %(run)s AND u.run_at = %(run_at)s AND u.state = 'planned' AND NOT u.excluded
       AND u.inputs ? 'made' AND u.id > %(after)s
     ORDER BY u.id LIMIT %(limit)s)
SELECT r.id, s.id AS place, r.title, r.version, r.merged_into, r.deleted_at, s.id AS planned_id,
       ARRAY(SELECT e.key FROM jsonb_each(r.origin) e
              WHERE coalesce(e.value ->> 'run', '') <> ALL(%(runs)s) ORDER BY 1) AS touched
  FROM slice s JOIN record r ON r.organization_id = s.organization_id AND r.id = s.record_id
 ORDER BY s.id
"""


def made_slice(work: Work, origin: UUID, runs: frozenset[str], *, carries: bool) -> bool:
    """Remove a slice of what the run created here and nobody changed since, or plan it; the rest
    stays and is listed. Return whether there was any left.
    """
    with unit(work.lease) as cursor:
        rows = cursor.execute(
            PLANNED if carries else MADE,
            {
                "origin": origin,
                "run": work.run_id,
                "run_at": work.run_at,
                "runs": sorted({*runs, str(work.run_id)}),
                "after": UUID(str(work.checkpoint.get("made") or NOBODY)),
                "limit": BULK_SLICE,
            },
        ).fetchall()
        if rows:
            free = [row for row in rows if not _why_it_stays(row)]
            gone = set() if work.staged else _remove(cursor, free)
            _tell(cursor, work, rows, gone)
            work.checkpoint["made"] = str(rows[-1]["place"])
            if work.staged:
                work.checkpoint["planned"] = True
            work.save(cursor, phase="writing")
    return bool(rows)


def _why_it_stays(row: Row) -> str:
    if row["deleted_at"] is not None:
        return "It was deleted already."
    if row["merged_into"] is not None:
        return "It was merged into another record since."
    if row["touched"]:
        return f"Changed since and stays: {', '.join(row['touched']).replace('_', ' ')}."
    return ""


REMOVE = """
UPDATE record r SET deleted_at = now(), version = r.version + 1
  FROM unnest(%s::uuid[], %s::int[]) AS v (id, version)
 WHERE r.id = v.id AND r.version = v.version AND r.deleted_at IS NULL
RETURNING r.id
"""


def _remove(cursor: Cursor, rows: Sequence[Row]) -> set[UUID]:
    """Remove records as they were looked at; who is edited at this very moment stays."""
    if not rows:
        return set()
    found = cursor.execute(
        REMOVE, (id_array(row["id"] for row in rows), [row["version"] for row in rows])
    ).fetchall()
    ids = [row["id"] for row in found]
    detach(cursor, ids)
    return set(ids)


def _tell(cursor: Cursor, work: Work, rows: Sequence[Row], gone: set[UUID]) -> None:
    entries: list[Entry] = []
    carried: list[Carried] = []
    left: list[tuple[UUID, str]] = []
    for row in rows:
        reason = _why_it_stays(row)
        if not reason and not work.staged and row["id"] not in gone:
            reason = "It was changed at this moment and stays."
        if row["planned_id"] is None:
            if row["deleted_at"] is None:
                entries.append(_entry(work, row, reason))
        elif reason:
            left.append((row["planned_id"], reason))
        else:
            carried.append(Carried(row["planned_id"], OperationState.DONE, row["id"], None, None))
        if reason:
            work.counts["skipped"] += 1 if row["deleted_at"] is None else 0
    work.counts["ours_deleted"] += len(gone)
    write_operations(cursor, work, entries)
    carry_out(cursor, work, carried)
    leave(cursor, work, left)


def _entry(work: Work, row: Row, reason: str) -> Entry:
    inputs: dict[str, Json] = {} if reason else {"made": True}
    action = OperationAction.SKIP if reason else OperationAction.DELETE
    state = OperationState.PLANNED if work.staged else OperationState.DONE
    code = "moved" if reason else "undo"
    return Entry(
        Draft(Side.OURS, action, inputs=inputs, reason_code=code, reason=reason),
        OperationState.SKIPPED if reason else state,
        row["stream_id"],
        row["remote_object"] or "",
        row["title"] or "",
        record_id=row["id"],
        link_id=row["link_id"],
        remote_id=row["remote_id"],
        operation_id=new_id(),
    )
