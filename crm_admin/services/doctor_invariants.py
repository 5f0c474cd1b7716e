"""What must always be true of the rows, as questions an index answers: each names what is wrong and
where, and what to do about it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from crm_admin.services.sql import Cursor

MOST: Final = 1_000
SHOWN: Final = 3

GUARDS: Final = (
    "pk_link",
    "uq_conflict_open",
    "uq_link_organization_id_connection_id_remote_object_remote_id",
    "uq_link_record",
    "uq_sync_run_live",
    "uq_sync_run_once_key",
)


@dataclass(frozen=True, slots=True)
class Invariant:
    """A query for the words that name each row that must not be there."""

    name: str
    query: str
    well: str
    wrong: str
    fix: str


@dataclass(slots=True)
class Found:
    """How many rows break an invariant, over all organisations, and the first few of them."""

    count: int = 0
    samples: list[str] = field(default_factory=list)

    def add(self, rows: Sequence[str]) -> None:
        """Count the rows of one organisation."""
        self.count += len(rows)
        self.samples += rows[: SHOWN - len(self.samples)]

    def sentence(self, one: Invariant) -> str:
        """Return what is wrong and where, in words."""
        amount = f"{MOST:,} or more" if self.count >= MOST else f"{self.count:,}"
        more = "; …" if self.count > len(self.samples) else ""
        return f"{amount} {one.wrong} {'; '.join(self.samples)}{more}"


def look(cursor: Cursor, one: Invariant) -> list[str]:
    """Return the rows of the acting organisation that break an invariant, up to MOST of them."""
    rows = cursor.execute(f"{one.query} LIMIT {MOST}").fetchall()
    return [str(row["what"]) for row in rows]


RUNS_MOVE: Final = """
SELECT 'run ' || right(r.id::text, 8) || ' (' || r.mode || '), ' || r.state
       || coalesce(': ' || r.reason, '') AS what FROM sync_run r
 WHERE (r.state = 'queued' AND r.created_at < now() - interval '5 minutes'
        AND r.started_at IS NULL)
    OR (r.state = 'waiting' AND r.wake_at < now() - interval '5 minutes')
    OR (r.state = 'running' AND r.lease_until < now() - interval '5 minutes')
"""

RUNS_TELL: Final = """
SELECT 'run ' || right(r.id::text, 8) || ' (' || r.mode || ') is ' || r.state AS what
  FROM sync_run r
 WHERE (r.state IN ('succeeded', 'partial', 'failed', 'cancelled') AND r.finished_at IS NULL)
    OR (r.state IN ('failed', 'cancelled') AND r.reason IS NULL)
    OR (r.state = 'waiting' AND r.reason IS NULL)
"""

COUNTS_ADD_UP: Final = """
WITH newest AS (
    SELECT * FROM sync_run WHERE state IN ('succeeded', 'partial') AND connection_id IS NOT NULL
     ORDER BY created_at DESC LIMIT 20)
SELECT 'run ' || right(r.id::text, 8) || ' (' || r.mode || ')' || ' says ' || s.said
       || ' writes, its history holds ' || h.n AS what
  FROM newest r
 CROSS JOIN LATERAL (
    SELECT coalesce((r.counts ->> 'theirs_created')::int, 0)
         + coalesce((r.counts ->> 'theirs_updated')::int, 0)
         + coalesce((r.counts ->> 'theirs_deleted')::int, 0) AS said) s
 CROSS JOIN LATERAL (
    SELECT count(*) AS n FROM operation o
     WHERE o.run_id = r.id AND o.run_at = r.created_at AND o.side = 'theirs'
       AND o.action IN ('create', 'update', 'delete') AND o.state IN ('done', 'undone')) h
 WHERE s.said <> h.n
"""

WRITES_SETTLE: Final = """
SELECT e.action || ' of ' || e.remote_object || coalesce(' ' || e.remote_id, '') || ', '
       || e.state || ' since ' || to_char(e.created_at, 'YYYY-MM-DD HH24:MI') AS what
  FROM effect e JOIN connection c ON c.organization_id = e.organization_id
       AND c.id = e.connection_id
 WHERE c.stance = 'active' AND c.health = 'ok'
   AND coalesce(e.not_before, e.created_at) < now() - interval '1 hour'
   AND NOT EXISTS (SELECT 1 FROM sync_run r WHERE r.organization_id = e.organization_id
                      AND r.connection_id = e.connection_id
                      AND r.state IN ('queued', 'running', 'waiting'))
"""

WRITES_KNOWN: Final = """
SELECT o.action || ' of ' || coalesce(o.label, o.remote_id, 'a record') || ' in run '
       || coalesce(right(o.run_id::text, 8), 'none') AS what
  FROM operation o
 WHERE o.state = 'sending' AND NOT EXISTS (
       SELECT 1 FROM effect e WHERE e.organization_id = o.organization_id
          AND e.operation_id = o.id)
"""

DELETED_UNLINKED: Final = """
SELECT coalesce(r.title, r.id::text) || ' (' || r.kind || '), linked to ' || l.remote_object || ' '
       || coalesce(l.remote_id, '') AS what
  FROM record r JOIN link l ON l.organization_id = r.organization_id AND l.record_id = r.id
 WHERE r.deleted_at IS NOT NULL AND l.status = 'linked'
"""

PLANS_WAIT: Final = """
SELECT o.action || ' of ' || coalesce(o.label, 'a record') || ' in run '
       || right(r.id::text, 8) || ' (' || r.mode || ')' AS what
  FROM operation o JOIN sync_run r ON r.organization_id = o.organization_id AND r.id = o.run_id
 WHERE o.state = 'planned' AND r.state IN ('succeeded', 'partial')
"""

WATERMARKS_PAST: Final = """
SELECT c.name || ' ' || s.remote_object || ' is said to be read up to '
       || to_char(s.watermark, 'YYYY-MM-DD HH24:MI') AS what
  FROM stream s JOIN connection c ON c.organization_id = s.organization_id
       AND c.id = s.connection_id
 WHERE s.watermark > now() + interval '1 hour'
"""

REFUSALS_TELL: Final = """
SELECT 'record ' || right(o.record_id::text, 8) || ' after ' || o.attempts || ' tries' AS what
  FROM outbox o WHERE o.not_before = 'infinity' AND o.error IS NULL
"""

AUDIT_SEALED: Final = """
SELECT 'from ' || to_char(chain.at, 'YYYY-MM-DD HH24:MI') || ' on' AS what
  FROM (SELECT audit_broken_at() AS at) AS chain WHERE chain.at IS NOT NULL
"""

DELTA: Final = "Run a delta sync of the connection: it settles them by looking."
FULL: Final = "Run a full sync of the connection: it decides these records anew."

INVARIANTS: Final = (
    Invariant(
        "runs_move",
        RUNS_MOVE,
        "Every run is worked on, due, or waits for somebody.",
        "runs stand still for more than 5 minutes:",
        "Look at the workers and the scheduler; the runs go on by themselves.",
    ),
    Invariant(
        "runs_tell",
        RUNS_TELL,
        "Every run that ended or waits says when and why.",
        "runs do not say when they ended, or why:",
        "Look at them on the history page; start them again if they were to write.",
    ),
    Invariant(
        "counts_add_up",
        COUNTS_ADD_UP,
        "The counts of the newest runs are what their history holds.",
        "runs count other writes than their history holds:",
        "Compare both sides by a full sync; what differs is decided anew.",
    ),
    Invariant(
        "writes_settle",
        WRITES_SETTLE,
        "No write to a CRM is open for long.",
        "writes to a CRM are open for more than an hour and no run looks after them:",
        DELTA,
    ),
    Invariant(
        "writes_known",
        WRITES_KNOWN,
        "Every write that is being sent has its effect.",
        "operations are being sent, but nobody knows of their write:",
        "Run a full sync of the connection and compare both sides.",
    ),
    Invariant(
        "deleted_unlinked",
        DELETED_UNLINKED,
        "No deleted record has an active link.",
        "deleted records still have an active link:",
        FULL,
    ),
    Invariant(
        "plans_wait",
        PLANS_WAIT,
        "Nothing planned was left behind by a run that ended.",
        "planned operations were left behind by runs that ended:",
        FULL,
    ),
    Invariant(
        "watermarks_past",
        WATERMARKS_PAST,
        "No object is said to be read up to a time that has not come.",
        "objects would skip changes:",
        "Run a full sync of the connection, and look at the clocks of both sides.",
    ),
    Invariant(
        "refusals_tell",
        REFUSALS_TELL,
        "Everything that is not tried again says why.",
        "records are not tried again and do not say why:",
        "Save the record once more, or retry it on the errors page.",
    ),
    Invariant(
        "audit_sealed",
        AUDIT_SEALED,
        "The audit log's chain is whole.",
        "audit logs were changed after they were sealed:",
        "Compare with a backup, and find out who may write to the database.",
    ),
)
