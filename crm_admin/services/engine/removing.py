"""Carries out deletes that a pass held back and the guard or a person released: ours by theirs, and
theirs by ours.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from uuid import UUID

from crm_admin.crashpoints import crashpoint
from crm_admin.providers.base import RemoteRecord
from crm_admin.services.engine.effects import NewEffect, write_effects
from crm_admin.services.engine.gather import Slice, Standing, Subject, open_effects
from crm_admin.services.engine.operations import Entry, write_operations
from crm_admin.services.engine.unit import unit
from crm_admin.services.engine.work import Work
from crm_admin.services.record_store import BULK, fan_out
from crm_admin.services.sql import Cursor, Row, transaction
from crm_admin.sync.drafts import Draft
from crm_admin.sync.gone import edited_here, edited_there
from crm_admin.sync.states import (
    DeletedHere,
    LinkStatus,
    OperationAction,
    OperationState,
    Side,
)

REMOVE_SLICE = 300
FIRST = UUID(int=0)

PLANNED = """
SELECT o.id, o.side, o.record_id, o.link_id, o.stream_id, o.remote_object, o.remote_id,
       l.base_ours, l.base_theirs, r.data, r.version, r.deleted_at, r.merged_into
  FROM operation o
  JOIN link l ON l.organization_id = o.organization_id AND l.id = o.link_id
  JOIN record r ON r.organization_id = o.organization_id AND r.id = o.record_id
 WHERE o.run_id = %(run)s AND o.run_at = %(at)s AND o.state = 'planned' AND NOT o.excluded
   AND o.action = 'delete' AND o.id > %(after)s ORDER BY o.id LIMIT %(limit)s
"""

OPEN = """
SELECT record_id FROM operation
 WHERE run_id = %s AND run_at = %s AND record_id = ANY(%s) AND action = 'delete'
   AND state = 'planned'
"""

STILL = """
SELECT id FROM record WHERE id = ANY(%s) AND deleted_at IS NOT NULL AND merged_into IS NULL
"""


def plan_removals(cursor: Cursor, work: Work, found: Slice) -> None:
    """Hold back, by their stream's policy, the archiving of records whose own of ours was deleted.

    Without such a policy theirs stays, and the link says that ours is gone. A record of ours that
    was merged into another one is not deleted: its link went to the other.
    """
    closed = [s for s in found.subjects if _deleted_here(s)]
    if not closed:
        return
    ids = [s.pair.here.record_id for s in closed]
    gone = {row["id"] for row in cursor.execute(STILL, (ids,)).fetchall()}
    opened = cursor.execute(OPEN, (work.run_id, work.run_at, ids)).fetchall()
    busy = open_effects(cursor, work, ids) | {row["record_id"] for row in opened}
    mine = [s for s in closed if s.pair.here.record_id in gone - busy]
    write_operations(cursor, work, [_entry(work, s) for s in mine if _archives(s)])
    if not work.staged:
        work.counts["withheld"] += sum(1 for s in mine if _archives(s))
        _close(cursor, work, [s for s in mine if not _archives(s)])


def _deleted_here(subject: Subject) -> bool:
    pair = subject.pair
    return (
        subject.standing is Standing.CLOSED
        and pair.ours is not None
        and pair.ours.deleted
        and pair.theirs is not None
        and pair.link is not None
        and pair.link.status in {LinkStatus.LINKED, LinkStatus.LOCAL_GONE}
    )


def _archives(subject: Subject) -> bool:
    policy = subject.stream.row["deleted_here"]
    return subject.stream.facts.sends and policy == DeletedHere.ARCHIVE.value


def _entry(work: Work, subject: Subject) -> Entry:
    pair, stream = subject.pair, subject.stream
    reason = f"Deleted in CRM Admin; {work.connection_name} archives it too."
    return Entry(
        Draft(Side.THEIRS, OperationAction.DELETE, reason_code="deleted_here", reason=reason),
        OperationState.PLANNED,
        stream.id,
        stream.facts.remote_object,
        pair.here.title,
        record_id=pair.here.record_id,
        link_id=pair.link.link_id if pair.link else None,
        remote_id=pair.there.id,
    )


def _close(cursor: Cursor, work: Work, subjects: Sequence[Subject]) -> None:
    ids = [s.pair.link.link_id for s in subjects if s.pair.link]
    if ids:
        cursor.execute(
            "UPDATE link SET status = 'local_gone', error = %s, updated_at = now()"
            " WHERE id = ANY(%s) AND status = 'linked'",
            (f"Deleted in CRM Admin; {work.connection_name} keeps it.", ids),
        )


@dataclass(slots=True)
class _Judged:
    removed: list[Row] = field(default_factory=list)
    archived: list[Row] = field(default_factory=list)
    there_already: list[Row] = field(default_factory=list)
    left: list[tuple[Row, str]] = field(default_factory=list)


def remove_planned(work: Work) -> bool:
    """Carry out one slice of planned deletes; return whether there was any.

    Each is looked at anew on both sides: what came back or was edited since stays, and says so.
    """
    with transaction() as cursor:
        rows = cursor.execute(
            PLANNED,
            {
                "run": work.run_id,
                "at": work.run_at,
                "after": UUID(str(work.checkpoint.get("removed") or FIRST)),
                "limit": REMOVE_SLICE,
            },
        ).fetchall()
    if not rows:
        return False
    name = rows[0]["remote_object"]
    rows = list(takewhile(lambda row: row["remote_object"] == name, rows))
    there = _read(work, name, rows)
    crashpoint("removal.slice_read")
    with unit(work.lease) as cursor:
        _carry_out(cursor, work, _judge(work, rows, there))
        work.checkpoint["removed"] = str(rows[-1]["id"])
        work.save(cursor, phase="writing")
    return True


def _read(work: Work, name: str, rows: Sequence[Row]) -> dict[str, RemoteRecord]:
    remote = work.remote(name)
    if remote is None:
        return {}
    ids = list(dict.fromkeys(row["remote_id"] for row in rows))
    return {
        record.asked_id or record.id: record
        for record in work.provider.get(name, ids, work.properties(remote))
    }


def _judge(work: Work, rows: Sequence[Row], there: Mapping[str, RemoteRecord]) -> _Judged:
    judged = _Judged()
    for row in rows:
        theirs = there.get(row["remote_id"])
        reason = _reason_to_stay(work, row, theirs)
        if reason:
            judged.left.append((row, reason))
        elif row["side"] == Side.OURS.value:
            judged.removed.append(row)
        elif theirs is None:
            judged.there_already.append(row)
        else:
            judged.archived.append(row)
    return judged


def _reason_to_stay(work: Work, row: Row, theirs: RemoteRecord | None) -> str:
    stream = work.stream(row["stream_id"], row["record_id"])
    if stream is None:
        return "Its object is no longer synced."
    deleted = row["deleted_at"] is not None or row["merged_into"] is not None
    if row["side"] == Side.OURS.value:
        if deleted:
            return "It was deleted meanwhile."
        if theirs is not None:
            return f"{work.connection_name} has it again."
        edited = edited_here(stream.facts.rules, row["data"], row["base_ours"] or {})
        return f"Edited in CRM Admin since, and kept: {', '.join(edited)}." if edited else ""
    if not deleted:
        return "It was brought back in CRM Admin."
    held = theirs.properties if theirs is not None else {}
    edited = edited_there(stream.facts.rules, held, row["base_theirs"] or {})
    return (
        f"Edited in {work.connection_name} since, and kept: {', '.join(edited)}." if edited else ""
    )


DONE = """
UPDATE operation SET state = 'done', done_at = now() WHERE id = ANY(%s) AND run_at = %s
"""

LEFT = """
UPDATE operation o SET state = 'skipped', done_at = now(), reason_code = 'moved', reason = v.reason
  FROM unnest(%s::uuid[], %s::text[]) AS v (id, reason) WHERE o.id = v.id AND o.run_at = %s
"""

DELETE = """
UPDATE record SET deleted_at = now(), version = version + 1, updated_at = now()
 WHERE id = ANY(%s) AND deleted_at IS NULL
"""

GONE = """
UPDATE link SET status = 'remote_gone', missing_at = NULL, updated_at = now() WHERE id = ANY(%s)
"""


def _carry_out(cursor: Cursor, work: Work, judged: _Judged) -> None:
    records = [row["record_id"] for row in judged.removed]
    if records:
        cursor.execute(DELETE, (records,))
        cursor.execute("DELETE FROM outbox WHERE record_id = ANY(%s)", (records,))
        fan_out(cursor, records, rank=BULK, but=work.connection_id)
    work.counts["ours_deleted"] += len(records)
    closed = judged.removed + judged.there_already
    cursor.execute(GONE, ([row["link_id"] for row in closed],))
    cursor.execute(DONE, ([row["id"] for row in closed], work.run_at))
    rows, reasons = [row["id"] for row, _ in judged.left], [reason for _, reason in judged.left]
    cursor.execute(LEFT, (rows, reasons, work.run_at))
    work.counts["skipped"] += len(rows)
    write_effects(cursor, work, [_effect(row) for row in judged.archived])
    cursor.execute(
        "UPDATE operation SET state = 'sending', at = now() WHERE id = ANY(%s) AND run_at = %s",
        ([row["id"] for row in judged.archived], work.run_at),
    )


def _effect(row: Row) -> NewEffect:
    return NewEffect(
        operation_id=row["id"],
        stream_id=row["stream_id"],
        record_id=row["record_id"],
        link_id=row["link_id"],
        remote_object=row["remote_object"],
        remote_id=row["remote_id"],
        action=OperationAction.DELETE.value,
        marker=None,
        properties={},
        associations={},
        sent={},
        version=row["version"],
        restore={"status": LinkStatus.REMOTE_GONE.value},
    )
