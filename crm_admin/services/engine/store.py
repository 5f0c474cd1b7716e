"""Stores what was decided for a slice: records, links, bases, conflicts, operations and open writes
to the CRM.
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

from crm_admin import clock
from crm_admin.services.engine.batch import Batch, collect
from crm_admin.services.engine.collisions import write_conflicts
from crm_admin.services.engine.effects import write_effects
from crm_admin.services.engine.gather import Slice, Subject
from crm_admin.services.engine.links import (
    change_links,
    insert_links,
    wake_waiting,
)
from crm_admin.services.engine.merges import follow_merges
from crm_admin.services.engine.newcomers import parked_objects
from crm_admin.services.engine.operations import (
    carry_out,
    write_operations,
)
from crm_admin.services.engine.work import Work
from crm_admin.services.record_store import (
    BULK,
    fan_out,
    insert_records,
    update_records,
)
from crm_admin.services.sql import Cursor, id_array
from crm_admin.sync.drafts import Decided
from crm_admin.sync.states import OperationAction, Side


def store_slice(
    cursor: Cursor,
    work: Work,
    found: Slice,
    decided: Sequence[tuple[Subject, Decided]],
    planned: Mapping[int, Mapping[tuple[Side, OperationAction], UUID]] | None = None,
) -> None:
    """Write everything that was decided for a slice in the caller's transaction.

    `planned` names, by index into `decided`, the operations of a plan that these decisions carry
    out: those rows move on instead of new ones being written. Without it, creates of ours write no
    operation: the record's created_run and version 1 are their journal.
    """
    batch = Batch()
    for index, (subject, result) in enumerate(decided):
        collect(batch, work, subject, result, (planned or {}).get(index))
    parked = parked_objects(work)
    follow_merges(cursor, work, found.merged)
    insert_records(
        cursor,
        work.organization_id,
        batch.new_records,
        parked_on=work.connection_id,
        parked_objects=parked,
    )
    update_records(
        cursor,
        work.organization_id,
        batch.changes,
        clock.now(),
        parked_on=work.connection_id,
        parked_objects=parked,
    )
    insert_links(cursor, work, batch.new_links)
    change_links(cursor, batch.link_changes)
    write_operations(cursor, work, batch.operations)
    carry_out(cursor, work, batch.carried)
    write_effects(cursor, work, batch.effects)
    write_conflicts(cursor, work, batch.opened, batch.closed)
    drain(cursor, batch.drained)
    made = {record.record_id for record in batch.new_records}
    matched = [link.record_id for link in batch.new_links if link.record_id not in made]
    wake_waiting(cursor, work, matched)
    touched = [record.record_id for record in batch.new_records] + [
        change.record_id for change in batch.changes
    ]
    fan_out(cursor, touched, rank=BULK, but=work.connection_id)


ANY_OUTBOX = "SELECT 1 FROM outbox WHERE stream_id = ANY(%s::uuid[]) LIMIT 1"

DRAIN = """
DELETE FROM outbox o
 USING unnest(%s::uuid[], %s::uuid[], %s::int[]) AS v (stream_id, record_id, version)
 WHERE o.stream_id = v.stream_id AND o.record_id = v.record_id AND o.version <= v.version
"""


def drain(cursor: Cursor, drained: Sequence[tuple[UUID, UUID, int]]) -> None:
    """Outbox rows of records that need no write leave, unless the record moved on since it was
    read.
    """
    waiting = id_array({row[0] for row in drained})
    if drained and cursor.execute(ANY_OUTBOX, (waiting,)).fetchone():
        streams, records = id_array(row[0] for row in drained), id_array(row[1] for row in drained)
        cursor.execute(DRAIN, (streams, records, [row[2] for row in drained]))
