"""Writes that failed and are not made good yet: the newest failure of each record, by cause."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from crm_admin.services.access import Person
from crm_admin.services.queries import scope
from crm_admin.services.queries.sql import Row, rows

DAYS = 14
MOST = 10_000
"""Failures of the newest runs are looked at up to this many; more are not told one from another."""

# Long numbers differ from record to record while the cause is one.
CAUSE = "regexp_replace(coalesce(o.error, ''), '[0-9]{4,}', '#', 'g')"

OPEN = f"""
WITH recent AS (
  SELECT q.id, q.created_at, q.connection_id FROM sync_run q
   WHERE q.connection_id IS NOT NULL
     AND (CAST(:run AS uuid) IS NULL OR q.id = CAST(:run AS uuid))
     AND (CAST(:run AS uuid) IS NOT NULL
          OR (q.created_at > now() - make_interval(days => :days)
              AND CAST(q.counts ->> 'failed' AS bigint) > 0))
   ORDER BY q.created_at DESC LIMIT 1000),
broken AS MATERIALIZED (
  SELECT o.id, o.run_id, o.run_at, o.record_id, o.link_id, o.stream_id, o.remote_object,
         o.remote_id, o.side, o.action, o.fields, o.label, o.error, o.error_code, o.error_field,
         coalesce(o.done_at, o.at) AS at, recent.connection_id, {CAUSE} AS cause
    FROM recent JOIN operation o ON o.run_id = recent.id AND o.run_at = recent.created_at
   WHERE o.state = 'failed' LIMIT :most),
failed AS (
  SELECT DISTINCT ON (b.stream_id, b.side, coalesce(CAST(b.record_id AS text), b.remote_id)) b.*
    FROM broken b
   ORDER BY b.stream_id, b.side, coalesce(CAST(b.record_id AS text), b.remote_id), b.at DESC,
         b.id DESC),
standing AS MATERIALIZED (
  SELECT f.* FROM failed f LEFT JOIN link l ON l.id = f.link_id
   WHERE (f.link_id IS NULL OR coalesce(l.error, '') <> '')
     AND NOT EXISTS (
         SELECT 1 FROM operation later
          WHERE later.record_id = f.record_id AND later.side = f.side AND later.state = 'done'
            AND later.stream_id = f.stream_id AND later.at > f.at))
"""  # noqa: S608 - only our own expression is pasted in

GROUPED = f"""
{OPEN}
SELECT f.connection_id, c.name AS connection, c.provider, c.health, f.remote_object, s.kind, f.side,
       coalesce(f.error_field, '') AS field, coalesce(f.error_code, '') AS code, f.cause,
       count(*) AS amount, min(f.at) AS first_at, max(f.at) AS last_at,
       count(*) FILTER (WHERE f.link_id IS NOT NULL AND f.side = 'theirs' AND f.action = 'update')
         AS linked,
       count(DISTINCT r.id) FILTER (WHERE r.kind = 'pov') AS povs,
       min(r.due_on) FILTER (WHERE r.kind = 'pov' AND r.due_on >= current_date) AS deadline,
       (array_agg(DISTINCT u.name) FILTER (WHERE u.name IS NOT NULL))[1:4] AS owners,
       array_agg(least(CAST(:days AS integer) - 1,
                       CAST(extract(epoch FROM now() - f.at) AS bigint) / 86400)) AS ages,
       (array_agg(f.error ORDER BY f.at DESC, f.id))[1] AS error,
       (array_agg(f.label ORDER BY f.at DESC, f.id))[1] AS sample,
       (array_agg(f.record_id ORDER BY f.at DESC, f.id))[1] AS sample_id,
       (array_agg(coalesce(r.kind, s.kind) ORDER BY f.at DESC, f.id))[1] AS sample_kind,
       (array_agg(f.fields ORDER BY f.at DESC, f.id))[1] AS sample_fields,
       (array_agg(f.run_id ORDER BY f.at DESC, f.id))[1] AS sample_run,
       (array_agg(f.stream_id ORDER BY f.at DESC, f.id))[1] AS stream_id
  FROM standing f JOIN connection c ON c.id = f.connection_id
  LEFT JOIN stream s ON s.id = f.stream_id
  LEFT JOIN record r ON r.id = f.record_id
  LEFT JOIN app_user u ON u.id = r.owner_id
 WHERE {scope.OWN}
 GROUP BY f.connection_id, c.name, c.provider, c.health, f.remote_object, s.kind, f.side, 8, 9,
       f.cause
 ORDER BY amount DESC, last_at DESC LIMIT 200
"""  # noqa: S608 - only our own statement is pasted in

SUBJECTS = f"""
{OPEN}
SELECT f.connection_id, f.stream_id, f.record_id, f.remote_object, f.remote_id, f.link_id, f.side,
       f.action, f.fields, coalesce(f.error_field, '') AS field, coalesce(f.error_code, '') AS code,
       f.cause
  FROM standing f LEFT JOIN record r ON r.id = f.record_id
 WHERE {scope.OWN}
"""  # noqa: S608 - only our own statement is pasted in


@dataclass(frozen=True, slots=True)
class Failure:
    """One record whose last write failed."""

    connection_id: UUID
    stream_id: UUID | None
    record_id: UUID | None
    remote_object: str
    remote_id: str
    link_id: UUID | None
    side: str
    action: str
    rules: Sequence[str]


def key_of(row: Row) -> str:
    """Return the short name of a cause; it stays the same from page to page and day to day."""
    parts = (row["connection_id"], row["remote_object"], row["side"], row["field"], row["code"])
    text = "\n".join([*(str(part) for part in parts), row["cause"]])
    return sha256(text.encode()).hexdigest()[:12]


def grouped(person: Person, run_id: UUID | None = None) -> Sequence[Row]:
    """Return the causes, those that hit most records first."""
    return rows(GROUPED, run=run_id, days=DAYS, most=MOST, owner=scope.owner_of(person))


def subjects(person: Person, *, key: str = "", run_id: UUID | None = None) -> list[Failure]:
    """Return the records behind one cause, or behind all causes when none is named."""
    found = rows(SUBJECTS, run=run_id, days=DAYS, most=MOST, owner=scope.owner_of(person))
    return [
        Failure(
            connection_id=row["connection_id"],
            stream_id=row["stream_id"],
            record_id=row["record_id"],
            remote_object=row["remote_object"] or "",
            remote_id=row["remote_id"] or "",
            link_id=row["link_id"],
            side=row["side"],
            action=row["action"],
            rules=_rules(row["fields"] or {}, row["field"]),
        )
        for row in found
        if not key or key_of(row) == key
    ]


def _rules(fields: Mapping[str, Sequence[object]], refused: str) -> list[str]:
    """The rule of the field that was refused; all of the write's rules where none was named."""
    told = {refused: fields[refused]} if refused in fields else fields
    return [str(values[3]) for values in told.values() if len(values) > 3]
