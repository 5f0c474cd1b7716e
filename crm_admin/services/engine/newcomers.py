"""Stores records of the CRM that become records of ours, most of a first pull: their rows are made
ready as text before the transaction, and written table by table within it.
"""

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from crm_admin.services.engine.streams import Stream
from crm_admin.services.engine.unlinked import Ready, Unlinked, ready_of
from crm_admin.services.engine.work import Work
from crm_admin.services.record_store import BULK, fan_out, insert_references
from crm_admin.services.sql import Cursor, copy_lines
from crm_admin.sync.drafts import References
from crm_admin.sync.newcomers import aim

ANY_STAGE = "SELECT to_regclass('pg_temp.stage_newcomer') AS made"

STAGES = """
CREATE TEMP TABLE stage_newcomer (n bigint, id uuid, link_id uuid, remote_id text,
       remote_updated_at timestamptz, error text, data jsonb, base_ours jsonb, base_theirs jsonb,
       title text, status text, owner_id uuid, amount bigint, due_on date) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE stage_newcomer_key (record_id uuid, key_type text, value text, strong bool)
       ON COMMIT DELETE ROWS
"""

RECORDS = """
INSERT INTO record (organization_id, id, kind, data, created_run, created_row, title, status,
       owner_id, amount, due_on, version, created_at, updated_at)
SELECT %(org)s, id, %(kind)s, data, %(run)s, n, title, status, owner_id, amount, due_on, 1, now(),
       now()
  FROM stage_newcomer
"""

KEYS = """
INSERT INTO record_key (organization_id, record_id, kind, key_type, value, strong)
SELECT %(org)s, record_id, %(kind)s, key_type, value, strong FROM stage_newcomer_key
"""

LINKS = """
INSERT INTO link (organization_id, connection_id, status, agreed_at, created_run, created_at,
       updated_at, declined, id, stream_id, record_id, remote_object, remote_id, base_ours,
       base_theirs, mapping_version, remote_updated_at, ours_version, error)
SELECT %(org)s, %(connection)s, 'linked', now(), %(run)s, now(), now(), '{}', link_id, %(stream)s,
       id, %(object)s, remote_id, base_ours, base_theirs, %(version)s, remote_updated_at, 1, error
  FROM stage_newcomer
"""

ANY_OTHER = """
SELECT 1 FROM stream WHERE kind = %(kind)s AND enabled AND direction <> 'from_crm'
   AND connection_id <> %(connection)s LIMIT 1
"""

CLEAR = "DELETE FROM stage_newcomer; DELETE FROM stage_newcomer_key"


def store_newcomers(
    cursor: Cursor, work: Work, newcomers: Sequence[Unlinked], references: References
) -> None:
    """Write a record, its keys and references and a link for each, in the caller's transaction.

    No operation is written: the record's created_run and version 1 are the journal.
    """
    if not newcomers:
        return
    groups: dict[UUID, list[Unlinked]] = defaultdict(list)
    for one in newcomers:
        groups[one.stream.id].append(one)
    if cursor.execute(ANY_STAGE).fetchone() == {"made": None}:
        cursor.execute(STAGES)
    for place, group in enumerate(groups.values()):
        if place:
            cursor.execute(CLEAR)
        _store(cursor, work, group[0].stream, group, references)


def _store(
    cursor: Cursor, work: Work, stream: Stream, group: Sequence[Unlinked], references: References
) -> None:
    first = work.totals.get("created_rows", 0) + work.counts["created_rows"] + 1
    rows = [_rows_of(one, references) for one in group]
    lines = [f"{number}\t{row.cells}" for number, row in enumerate(rows, start=first)]
    copy_lines(cursor, "stage_newcomer", lines)
    copy_lines(cursor, "stage_newcomer_key", [row.keys for row in rows])
    named = {
        "org": work.organization_id,
        "kind": stream.facts.kind.name,
        "run": work.run_id,
        "connection": work.connection_id,
        "stream": stream.id,
        "object": stream.facts.remote_object,
        "version": stream.facts.version,
    }
    for statement in (RECORDS, KEYS, LINKS):
        cursor.execute(statement, named)
    insert_references(
        cursor,
        work.organization_id,
        stream.facts.kind,
        {
            row.record_id: one.made.targets
            for row, one in zip(rows, group, strict=True)
            if one.made.targets
        },
        parked_on=work.connection_id,
        parked_objects=parked_objects(work),
    )
    if cursor.execute(ANY_OTHER, named).fetchone():
        fan_out(cursor, [UUID(row.record_id) for row in rows], rank=BULK, but=work.connection_id)
    work.counts["created_rows"] += len(group)
    work.counts["ours_created"] += len(group)


def _rows_of(one: Unlinked, references: References) -> Ready:
    aim(one.made, one.stream.facts.rules, references)
    return one.ready or ready_of(one)


def parked_objects(work: Work) -> dict[tuple[str, str], str]:
    """Return the object in the CRM that each reference of ours points to, by (kind, field)."""
    return {
        (stream.facts.kind.name, use.rule.ours): use.rule.association
        for remote in work.objects
        for stream in remote.streams
        for use in stream.facts.rules
        if use.rule.association
    }
