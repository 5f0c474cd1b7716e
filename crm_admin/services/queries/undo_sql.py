"""The statements behind the undo page: every verdict is made in sets, from what we hold of both
sides.
"""

from typing import Final

NUMBER: Final = r"^-?[0-9]{1,15}(\.[0-9]{1,9})?$"

SAME: Final = rf"""
CASE WHEN coalesce(b.now, '') = coalesce(f.value ->> 1, '') THEN true
     WHEN b.now ~ '{NUMBER}' AND (f.value ->> 1) ~ '{NUMBER}'
     THEN b.now::numeric = (f.value ->> 1)::numeric
     ELSE length(f.value ->> 1) = 10 AND left(b.now, 10) = f.value ->> 1 END
"""
"""Whether a CRM holds what was sent, in its own spelling of numbers and days."""

HELD: Final = """
CASE WHEN r.data ? f.key THEN r.data -> f.key
     ELSE (SELECT to_jsonb(coalesce(e.target_id::text, 'remote:' || e.remote_id)) FROM reference e
            WHERE e.organization_id = o.organization_id AND e.record_id = o.record_id
              AND e.field = f.key ORDER BY e.position LIMIT 1) END
"""

TOUCHED: Final = """
ARRAY(SELECT e.key FROM jsonb_each(r.origin) e
       WHERE coalesce(e.value ->> 'run', '') <> ALL(ARRAY(SELECT id::text FROM own))
         AND {after} ORDER BY e.key)
"""

SINCE: Final = "(e.value ->> 'at')::timestamptz > coalesce(o.done_at, o.at)"

OWN: Final = """
WITH own AS (SELECT id FROM sync_run WHERE id = :run OR undo_of = :run)
"""

OPERATIONS: Final = f"""
SELECT 'operations' AS part, o.id, o.record_id, coalesce(r.kind, s.kind) AS kind,
       coalesce(r.title, o.label) AS label, o.side, o.action, o.fields,
       coalesce(o.record_id::text, o.remote_object || o.remote_id, o.id::text) AS subject,
       r.origin, r.updated_at, k.moved || t.touched AS moved,
       CASE WHEN o.action = 'link' THEN 'back'
            WHEN s.id IS NULL OR NOT s.enabled THEN 'unsynced'
            WHEN o.side = 'ours' AND r.id IS NULL THEN 'deleted'
            WHEN o.side = 'ours' AND o.action = 'delete'
            THEN CASE WHEN r.deleted_at IS NULL THEN 'already' ELSE 'back' END
            WHEN o.side = 'ours' AND o.action = 'create' AND r.deleted_at IS NOT NULL THEN 'already'
            WHEN o.side = 'ours' AND (r.deleted_at IS NOT NULL OR r.merged_into IS NOT NULL)
            THEN 'deleted'
            WHEN o.side = 'ours' AND o.action = 'create' AND t.touched <> '{{}}' THEN 'touched'
            WHEN o.side = 'theirs' AND o.action = 'delete' THEN
                 CASE WHEN o.reason_code = 'undo' AND r.deleted_at IS NULL THEN 'back'
                      ELSE 'archived' END
            WHEN o.side = 'theirs' AND l.status = 'remote_gone' THEN 'gone'
            WHEN o.side = 'theirs' AND o.action = 'create' AND k.moved <> '{{}}' THEN 'moved'
            WHEN o.action = 'update' AND cardinality(k.moved) >= k.n THEN 'moved'
            ELSE 'back' END AS verdict
  FROM operation o
  LEFT JOIN record r ON r.organization_id = o.organization_id AND r.id = o.record_id
  LEFT JOIN link l ON l.organization_id = o.organization_id AND l.id = o.link_id
  LEFT JOIN stream s ON s.organization_id = o.organization_id AND s.id = o.stream_id
 CROSS JOIN LATERAL (
    SELECT count(*) AS n, coalesce(array_agg(f.key ORDER BY f.key) FILTER (WHERE
           CASE WHEN o.side = 'ours' THEN o.action = 'update'
                     AND coalesce({HELD}, 'null') <> coalesce(f.value -> 1, 'null')
                ELSE l.base_theirs ? (f.value ->> 3) AND NOT ({SAME}) END), '{{}}') AS moved
      FROM jsonb_each(o.fields) f
     CROSS JOIN LATERAL (SELECT l.base_theirs ->> (f.value ->> 3) AS now) b
     WHERE o.action <> 'delete') k
 CROSS JOIN LATERAL (
    SELECT CASE WHEN o.side = 'ours' AND o.action = 'create'
           THEN {TOUCHED.format(after=SINCE)}
           ELSE ARRAY[]::text[] END AS touched) t
 WHERE o.run_id = :run AND o.run_at = :run_at AND o.state = 'done'
   AND o.action IN ('create', 'update', 'link', 'delete')
"""  # noqa: S608 -- put together from constants of ours

MADE_ROWS: Final = f"""
SELECT 'made' AS part, r.id, r.id AS record_id, r.kind, r.title AS label, 'ours' AS side,
       'create' AS action, '{{}}'::jsonb AS fields, r.id::text AS subject, r.origin, r.updated_at,
       t.touched AS moved,
       CASE WHEN r.deleted_at IS NOT NULL THEN 'already'
            WHEN r.merged_into IS NOT NULL THEN 'deleted'
            WHEN t.touched <> '{{}}' THEN 'touched' ELSE 'back' END AS verdict
  FROM record r
 CROSS JOIN LATERAL (SELECT {TOUCHED.format(after="true")} AS touched) t
 WHERE r.created_run = :run
   AND NOT EXISTS (SELECT 1 FROM operation o
        WHERE o.run_id = :run AND o.run_at = :run_at AND o.organization_id = r.organization_id
          AND o.record_id = r.id AND o.side = 'ours' AND o.action = 'create' AND o.state = 'done')
"""  # noqa: S608 -- put together from constants of ours
"""What a run made without writing each down; a plan's creates are operations already."""

SUMMARY: Final = f"""
{OWN},
found AS MATERIALIZED (
    SELECT subject, side, action, moved <> '{{}}' AS partly, verdict FROM ({OPERATIONS}) a
    UNION ALL
    SELECT subject, side, action, false, verdict FROM ({MADE_ROWS}) m),
subjects AS (
    SELECT bool_or(verdict = 'back') AS back,
           bool_or(verdict NOT IN ('back', 'already')) AS stays,
           bool_or(verdict = 'back' AND partly) AS partly
      FROM found WHERE verdict <> 'already' GROUP BY subject)
SELECT (SELECT count(*) FROM subjects) AS total,
       (SELECT count(*) FROM subjects WHERE back) AS back,
       (SELECT count(*) FROM subjects WHERE NOT back) AS stay,
       (SELECT count(*) FROM subjects WHERE back AND (stays OR partly)) AS partly,
       (SELECT jsonb_agg(x ORDER BY x.side, x.action) FROM (
           SELECT side, action, count(*) AS n FROM found WHERE verdict = 'back'
            GROUP BY side, action) x) AS flows,
       (SELECT jsonb_agg(x ORDER BY x.n DESC, x.verdict) FROM (
           SELECT verdict, count(*) AS n FROM found WHERE verdict <> 'back'
            GROUP BY verdict) x) AS reasons
"""  # noqa: S608 -- put together from constants of ours

BY: Final = """
LEFT JOIN LATERAL (
    SELECT e.value ->> 'by' AS by_name, (e.value ->> 'at')::timestamptz AS by_at
      FROM jsonb_each(v.origin) e WHERE e.key = ANY(v.moved)
     ORDER BY e.value ->> 'at' DESC LIMIT 1) w ON v.side = 'ours'
"""

SHOWN: Final = """
 WHERE (CAST(:show AS text) = '' OR (:show = 'back' AND v.verdict = 'back')
        OR (:show = 'stays' AND (v.verdict <> 'back' OR v.moved <> '{}')))
   AND (CAST(:id AS uuid) IS NULL OR v.id > CAST(:id AS uuid))
 ORDER BY v.id LIMIT :amount
"""

ONE_OPERATION: Final = f"""
{OWN} SELECT v.*, w.by_name, w.by_at FROM ({OPERATIONS}) v {BY} {SHOWN}
"""  # noqa: S608 -- put together from constants of ours

ONE_MADE: Final = f"""
{OWN} SELECT v.*, w.by_name, w.by_at FROM ({MADE_ROWS}) v {BY} {SHOWN}
"""  # noqa: S608 -- put together from constants of ours

LOOKED_AT: Final = """
SELECT max(finished_at) AS at FROM sync_run
 WHERE connection_id = :connection AND mode IN ('full', 'delta')
   AND state IN ('succeeded', 'partial')
"""
