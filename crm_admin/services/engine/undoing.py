"""Takes a run back: inverse operations on both sides, newest first; what changed since stays and is
listed.
"""

from collections.abc import Sequence
from uuid import UUID

from crm_admin import clock
from crm_admin.crashpoints import crashpoint
from crm_admin.errors import present
from crm_admin.providers.base import RemoteRecord
from crm_admin.services.engine.effects import write_effects
from crm_admin.services.engine.gather import load_ours, open_effects
from crm_admin.services.engine.inverse import Inverse, invert, stays
from crm_admin.services.engine.operations import write_operations
from crm_admin.services.engine.unit import unit
from crm_admin.services.engine.work import Work
from crm_admin.services.record_store import BULK, fan_out, update_records
from crm_admin.services.sql import Cursor, Row, dumps, transaction

UNDO_SLICE = 300
BULK_SLICE = 5000
LAST = UUID(int=2**128 - 1)

DONE = """
SELECT o.id, o.run_at, o.record_id, o.link_id, o.stream_id, o.remote_object, o.remote_id, o.side,
o.action, o.fields,
       o.bases, o.label, o.reason_code, l.base_ours, l.base_theirs, l.status AS link_status,
       l.created_run AS link_run
  FROM operation o
  LEFT JOIN link l ON l.organization_id = o.organization_id AND l.id = o.link_id
 WHERE o.run_id = %(run)s AND o.run_at = %(at)s AND o.state = 'done' AND o.id < %(before)s
   AND o.action IN ('create', 'update', 'link', 'delete')
 ORDER BY o.id DESC LIMIT %(limit)s
"""


def undo_slice(work: Work) -> bool:
    """Take back one slice of the run that this run undoes; return whether there was any left."""
    with transaction() as cursor:
        origin = present(
            cursor.execute(
                "SELECT o.id, o.created_at FROM sync_run u JOIN sync_run o ON o.id = u.undo_of"
                " WHERE"
                " u.id = %s",
                (work.run_id,),
            ).fetchone()
        )
        rows = cursor.execute(
            DONE,
            {
                "run": origin["id"],
                "at": origin["created_at"],
                "before": UUID(str(work.checkpoint.get("undone") or LAST)),
                "limit": UNDO_SLICE,
            },
        ).fetchall()
    if rows:
        _take_back(work, origin, rows)
        return True
    return _remove_created(work, origin["id"])


def _take_back(work: Work, origin: Row, rows: Sequence[Row]) -> None:
    theirs = _fetch(work, rows)
    crashpoint("undo.planned")
    with unit(work.lease) as cursor:
        ours = load_ours(
            cursor, work.connection_id, {row["record_id"] for row in rows if row["record_id"]}
        )
        blocked = open_effects(cursor, work, list(ours))
        inverse = Inverse(ours=ours, theirs=theirs)
        for row in rows:
            if row["record_id"] in blocked:
                stays(inverse, work, row, "A write to it is still open.")
            else:
                invert(inverse, work, row)
        _write(cursor, work, origin, inverse)
        work.checkpoint["undone"] = str(rows[-1]["id"])
        work.save(cursor, phase="writing")
        crashpoint("undo.half_sent")


def _fetch(work: Work, rows: Sequence[Row]) -> dict[tuple[str, str], RemoteRecord]:
    wanted: dict[str, dict[str, None]] = {}
    for row in rows:
        if row["side"] == "theirs" and row["remote_id"]:
            wanted.setdefault(row["remote_object"], {})[row["remote_id"]] = None
    found: dict[tuple[str, str], RemoteRecord] = {}
    for name, ids in wanted.items():
        remote = work.remote(name)
        if remote is not None:
            for record in work.provider.get(
                name, list(ids), work.properties(remote), remote.associations
            ):
                found[name, record.asked_id or record.id] = record
    return found


def _write(cursor: Cursor, work: Work, origin: Row, inverse: Inverse) -> None:
    update_records(
        cursor,
        work.organization_id,
        list(inverse.changes.values()),
        clock.now(),
        parked_on=work.connection_id,
    )
    remove_records(cursor, inverse.removed)
    restore_records(cursor, inverse.restored)
    for link_id, change in inverse.links:
        cursor.execute(
            "UPDATE link l SET base_ours = base_ours || %s, base_theirs = base_theirs || %s,"
            " declined = declined || %s, status = coalesce(%s, status), updated_at = now(),"
            " ours_version = (SELECT version FROM record r WHERE r.organization_id ="
            " l.organization_id"
            " AND r.id = l.record_id) WHERE l.id = %s",
            (
                dumps(change.get("base_ours", {})),
                dumps(change.get("base_theirs", {})),
                dumps(change.get("declined", {})),
                change.get("status"),
                link_id,
            ),
        )
    write_operations(cursor, work, inverse.entries)
    write_effects(cursor, work, inverse.effects)
    fan_out(cursor, list(inverse.changes), rank=BULK, but=work.connection_id)
    cursor.execute(
        "UPDATE operation SET state = 'undone' WHERE id = ANY(%s) AND run_at = %s",
        (inverse.undone, origin["created_at"]),
    )


def remove_records(cursor: Cursor, record_ids: Sequence[UUID]) -> None:
    """Mark records deleted: they leave lists and look-ups, their links are detached, nothing is
    sent.

    Their match keys stay: a twin that was left out because of them is not made now.
    """
    if record_ids:
        ids = list(record_ids)
        cursor.execute(
            "UPDATE record SET deleted_at = now(), version = version + 1 WHERE id = ANY(%s)", (ids,)
        )
        cursor.execute("DELETE FROM outbox WHERE record_id = ANY(%s)", (ids,))
        cursor.execute(
            "UPDATE link SET status = 'detached', updated_at = now() WHERE record_id = ANY(%s) AND"
            " status = 'linked'",
            (ids,),
        )


def restore_records(cursor: Cursor, record_ids: Sequence[UUID]) -> None:
    """Bring deleted records back with their links."""
    if record_ids:
        ids = list(record_ids)
        cursor.execute(
            "UPDATE record SET deleted_at = NULL, version = version + 1 WHERE id = ANY(%s)", (ids,)
        )
        cursor.execute(
            "UPDATE link SET status = 'linked', updated_at = now() WHERE record_id = ANY(%s) AND"
            " status = 'detached'",
            (ids,),
        )


REMOVE = """
WITH mine AS (
    SELECT id FROM record WHERE created_run = %(origin)s AND deleted_at IS NULL AND version = 1
     ORDER BY id LIMIT %(limit)s),
gone AS (
    UPDATE record r SET deleted_at = now(), version = 2 FROM mine WHERE r.id = mine.id
    RETURNING r.id, r.title)
INSERT INTO operation (organization_id, id, run_id, run_at, record_id, link_id, stream_id,
remote_object, remote_id,
       side, action, fields, inputs, label, reason_code, state, actor, at, done_at, attempts,
       excluded)
SELECT %(org)s, gen_random_uuid(), %(run)s, %(at)s, g.id, l.id, l.stream_id, l.remote_object,
l.remote_id,
       'ours', 'delete', '{}', '{}', g.title, 'undo', 'done', %(actor)s, now(), now(), 0, false
  FROM gone g LEFT JOIN link l ON l.organization_id = %(org)s AND l.record_id = g.id AND
  l.created_run = %(origin)s
RETURNING record_id
"""


def _remove_created(work: Work, origin: UUID) -> bool:
    """Remove what the run created here in bulk and nobody touched since; the rest stays and is
    counted.
    """
    with unit(work.lease) as cursor:
        rows = cursor.execute(
            REMOVE,
            {
                "origin": origin,
                "limit": BULK_SLICE,
                "org": work.organization_id,
                "run": work.run_id,
                "at": work.run_at,
                "actor": work.actor,
            },
        ).fetchall()
        ids = [row["record_id"] for row in rows]
        if ids:
            cursor.execute("DELETE FROM outbox WHERE record_id = ANY(%s)", (ids,))
            cursor.execute(
                "UPDATE link SET status = 'detached', updated_at = now()"
                " WHERE record_id = ANY(%s) AND created_run = %s AND status = 'linked'",
                (ids, origin),
            )
        work.counts["ours_deleted"] += len(ids)
        work.save(cursor, phase="writing")
    return bool(ids)
