"""Writes links: which record is paired with which record of the CRM, and what both sides last
agreed on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from crm_admin.jsontypes import Json
from crm_admin.services.engine.work import Work
from crm_admin.services.record_store import BULK
from crm_admin.services.sql import Cursor, copy_rows, dumps


@dataclass(frozen=True, slots=True)
class NewLink:
    link_id: UUID
    stream_id: UUID
    record_id: UUID
    remote_object: str
    remote_id: str
    base_ours: Mapping[str, Json]
    base_theirs: Mapping[str, Json]
    mapping_version: int
    remote_updated_at: datetime | None
    ours_version: int = 1
    error: str | None = None


@dataclass(frozen=True, slots=True)
class LinkChange:
    """Bases to lay over those a link has; `declined` None leaves the entries as they are.

    With `wrote` the stamp of theirs is of a write of ours, which is no look at what they hold.
    """

    link_id: UUID
    base_ours: Mapping[str, Json]
    base_theirs: Mapping[str, Json]
    ours_version: int
    remote_updated_at: datetime | None
    mapping_version: int
    declined: Mapping[str, Json] | None
    error: str | None
    wrote: bool = False


STAGE = """
CREATE TEMP TABLE IF NOT EXISTS stage_link (id uuid, stream_id uuid, record_id uuid,
       remote_object text, remote_id text, base_ours jsonb, base_theirs jsonb, mapping_version int,
       remote_updated_at timestamptz, ours_version int, error text) ON COMMIT DELETE ROWS;
DELETE FROM stage_link
"""

COLUMNS = [
    "id",
    "stream_id",
    "record_id",
    "remote_object",
    "remote_id",
    "base_ours",
    "base_theirs",
    "mapping_version",
    "remote_updated_at",
    "ours_version",
    "error",
]


INSERT = """
INSERT INTO link (organization_id, connection_id, status, agreed_at, created_run, created_at,
       updated_at, declined, id, stream_id, record_id, remote_object, remote_id, base_ours,
       base_theirs, mapping_version, remote_updated_at, ours_version, error)
SELECT %s, %s, 'linked', now(), %s, now(), now(), '{}', id, stream_id, record_id, remote_object,
       remote_id, base_ours, base_theirs, mapping_version, remote_updated_at, ours_version, error
  FROM stage_link
"""


def insert_links(cursor: Cursor, work: Work, links: Sequence[NewLink]) -> None:
    """Insert links; a detached or pending link of the same record and stream gives way to the new
    one.
    """
    if not links:
        return
    cursor.execute(STAGE)
    rows = [
        (
            link.link_id,
            link.stream_id,
            link.record_id,
            link.remote_object,
            link.remote_id,
            dumps(link.base_ours),
            dumps(link.base_theirs),
            link.mapping_version,
            link.remote_updated_at,
            link.ours_version,
            link.error,
        )
        for link in links
    ]
    copy_rows(cursor, "stage_link", COLUMNS, rows)
    cursor.execute(INSERT, (work.organization_id, work.connection_id, work.run_id))


def change_links(cursor: Cursor, changes: Sequence[LinkChange]) -> None:
    """Lay new bases over those of links, and note how far both sides were looked at."""
    if not changes:
        return
    cursor.execute(
        "UPDATE link l SET base_ours = l.base_ours || v.base_ours, base_theirs = l.base_theirs ||"
        " v.base_theirs,"
        " ours_version = v.ours_version, remote_updated_at = coalesce(v.remote_updated_at,"
        " l.remote_updated_at),"
        " mapping_version = v.mapping_version, declined = coalesce(v.declined, l.declined), error"
        " = v.error,"
        " status = CASE WHEN l.status IN ('remote_gone', 'local_gone') THEN 'linked' ELSE l.status"
        " END,"
        " remote_read_at = CASE WHEN v.wrote THEN coalesce(l.remote_read_at, l.remote_updated_at)"
        " END,"
        " agreed_at = now(), updated_at = now()"
        " FROM unnest(%s::uuid[], %s::jsonb[], %s::jsonb[], %s::int[], %s::timestamptz[],"
        " %s::int[], %s::jsonb[],"
        " %s::text[], %s::bool[]) AS v (id, base_ours, base_theirs, ours_version,"
        " remote_updated_at, mapping_version, declined, error, wrote) WHERE l.id = v.id",
        (
            [change.link_id for change in changes],
            [dumps(change.base_ours) for change in changes],
            [dumps(change.base_theirs) for change in changes],
            [change.ours_version for change in changes],
            [change.remote_updated_at for change in changes],
            [change.mapping_version for change in changes],
            [None if change.declined is None else dumps(change.declined) for change in changes],
            [change.error for change in changes],
            [change.wrote for change in changes],
        ),
    )


def mark_missing(cursor: Cursor, link_ids: Sequence[UUID]) -> None:
    """Note that the CRM said once that it does not have the records of these links."""
    if link_ids:
        cursor.execute(
            "UPDATE link SET missing_at = coalesce(missing_at, now()) WHERE id = ANY(%s)",
            (list(link_ids),),
        )


WAITING = """
INSERT INTO outbox (organization_id, stream_id, record_id, version, rank, not_before, attempts,
       created_at)
SELECT DISTINCT r.organization_id, l.stream_id, r.id, r.version, %(rank)s, now(), 0, now()
  FROM (SELECT organization_id, record_id, field, target_id FROM reference
         WHERE target_id = ANY(%(ids)s)
         UNION
        SELECT organization_id, record_id, field, target_id FROM reference
         WHERE record_id = ANY(%(ids)s) AND target_id IS NOT NULL
        OFFSET 0) AS f
  JOIN record r ON r.organization_id = f.organization_id AND r.id = f.record_id
  JOIN link l ON l.organization_id = r.organization_id AND l.record_id = r.id
  JOIN link t ON t.organization_id = f.organization_id AND t.record_id = f.target_id
  JOIN unnest(%(streams)s::uuid[], %(rules)s::text[], %(fields)s::text[])
       AS v (stream_id, rule_id, field) ON v.stream_id = l.stream_id AND v.field = f.field
 WHERE l.connection_id = %(connection)s AND l.status = 'linked'
   AND t.connection_id = %(connection)s AND t.status = 'linked'
   AND r.deleted_at IS NULL AND NOT r.hub_only
   AND l.base_ours ->> v.rule_id IS DISTINCT FROM f.target_id::text
ON CONFLICT DO NOTHING
"""


def wake_waiting(cursor: Cursor, work: Work, record_ids: Sequence[UUID]) -> None:
    """Look again at linked records whose reference could not be sent before both ends were linked.

    Call it with records that were linked just now, after their own outbox rows are drained.
    """
    uses = [
        (stream.id, use.rule.id, use.rule.ours)
        for remote in work.objects
        for stream in remote.streams
        for use in stream.facts.rules
        if use.rule.association and stream.facts.sends
    ]
    if not record_ids or not uses:
        return
    streams, rules, fields = zip(*uses, strict=True)
    cursor.execute(
        WAITING,
        {
            "ids": list(record_ids),
            "connection": work.connection_id,
            "rank": BULK,
            "streams": list(streams),
            "rules": list(rules),
            "fields": list(fields),
        },
    )


BACK = """
INSERT INTO outbox (organization_id, stream_id, record_id, version, rank, not_before, attempts,
       created_at)
SELECT r.organization_id, v.stream_id, r.id, r.version, %(rank)s,
       now() + make_interval(secs => %(seconds)s), 0, now()
  FROM unnest(%(streams)s::uuid[], %(records)s::uuid[]) AS v (stream_id, record_id)
  JOIN record r ON r.id = v.record_id
ON CONFLICT (organization_id, stream_id, record_id) DO UPDATE SET not_before = excluded.not_before
"""


def put_back(cursor: Cursor, pairs: Sequence[tuple[UUID, UUID]], *, seconds: float = 0.0) -> None:
    """Have (stream, record) pairs looked at again after so long: what was decided of them was not
    carried out.
    """
    if pairs:
        streams, records = zip(*pairs, strict=True)
        named = {"streams": list(streams), "records": list(records)}
        cursor.execute(BACK, {**named, "rank": BULK, "seconds": seconds})
