"""One run: what it is doing or did, its records, its errors grouped, its calls and the settings
it used."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from crm_admin.errors import NotFound
from crm_admin.services.queries import paging
from crm_admin.services.queries.plan import Operation, operation
from crm_admin.services.queries.runs import COLUMNS, RunLine, run_line
from crm_admin.services.queries.sql import first, only, rows

ERRORS = """
SELECT o.side, o.error, o.error_code, o.error_field, o.remote_object, count(*) AS amount,
       count(DISTINCT o.record_id) FILTER (WHERE r.kind = 'pov') AS povs, min(o.at) AS first_at,
       (array_agg(o.label ORDER BY o.id))[1] AS sample,
         (array_agg(o.record_id ORDER BY o.id))[1] AS sample_id
  FROM operation o LEFT JOIN record r ON r.id = o.record_id
 WHERE o.run_id = :run AND o.run_at = :run_at AND o.state = 'failed'
 GROUP BY o.side, o.error, o.error_code, o.error_field, o.remote_object
 ORDER BY amount DESC, o.error LIMIT 50
"""

RECORDS = """
SELECT o.id, o.record_id, o.stream_id, o.remote_object, o.remote_id, o.side, o.action, o.fields,
  o.inputs, o.label,
       o.reason, o.reason_code, o.state, o.excluded, o.error, o.error_field, o.actor, o.at,
         coalesce(r.kind, s.kind) AS kind
  FROM operation o LEFT JOIN record r ON r.id = o.record_id LEFT JOIN stream s ON s.id = o.stream_id
 WHERE o.run_id = :run AND o.run_at = :run_at AND (CAST(:id AS uuid) IS NULL OR o.id > CAST(:id
   AS uuid))
   AND (CAST(:state AS text) = '' OR o.state = :state)
   AND (CAST(:query AS text) = '' OR strpos(lower(o.label),
     lower(:query)) > 0 OR o.remote_id = :query)
 ORDER BY o.id LIMIT :amount
"""

CALLS = """
SELECT at, method, path, status, ms, request_id, sent_bytes, received_bytes, error
  FROM api_call WHERE run_id = :run ORDER BY at DESC LIMIT 200
"""

USED = """
SELECT s.id, s.remote_object, s.kind, s.direction, s.creates, s.policy, s.first_agreement, s.filter,
       coalesce(CAST(q.mapping_versions ->> CAST(s.id AS text) AS int),
         s.mapping_version) AS version
  FROM sync_run q JOIN stream s ON s.connection_id = q.connection_id
 WHERE q.id = :run AND (cardinality(q.stream_ids) IS NULL OR cardinality(q.stream_ids) = 0 OR
   s.id = ANY(q.stream_ids))
 ORDER BY s.position
"""

OPERATION_STATES = ("planned", "sending", "done", "failed", "skipped", "undone")


@dataclass(frozen=True, slots=True)
class ErrorGroup:
    """Failures of one run with the same cause."""

    sentence: str
    side: str
    field: str
    code: str
    object: str
    amount: int
    povs: int
    first_at: datetime
    sample: str
    sample_id: UUID | None


@dataclass(frozen=True, slots=True)
class Call:
    at: datetime
    method: str
    path: str
    status: int | None
    ms: int
    request_id: str
    received: int
    error: str


@dataclass(frozen=True, slots=True)
class StreamUsed:
    object: str
    kind: str
    direction: str
    creates: str
    policy: str
    first_agreement: str
    filters: Sequence[Mapping[str, Any]]
    version: int | None


@dataclass(frozen=True, slots=True)
class Run:
    line: RunLine
    plan_hash: str
    undone_by: UUID | None
    calls: int

    @property
    def id(self) -> UUID:
        return self.line.id


@dataclass(frozen=True, slots=True)
class RecordPage:
    operations: Sequence[Operation]
    after: str


def run(run_id: UUID) -> Run:
    """Return the run; unknown and foreign ids are not found."""
    row = first(f"{COLUMNS} WHERE r.id = :run", run=run_id)
    if row is None:
        raise NotFound("This run is not there.")
    more = only(
        "SELECT plan_hash, undone_by, (SELECT count(*) FROM api_call WHERE run_id = :run) AS calls"
        "  FROM sync_run WHERE id = :run",
        run=run_id,
    )
    return Run(run_line(row), more["plan_hash"] or "", more["undone_by"], more["calls"])


def records(
    found: RunLine, *, after: str = "", state: str = "", query: str = "", amount: int = paging.PAGE
) -> RecordPage:
    """Return one page of the run's operations in their order."""
    place = paging.decode(after)
    got = rows(
        RECORDS,
        run=found.id,
        run_at=found.created_at,
        id=place.id if place else None,
        state=state if state in OPERATION_STATES else "",
        query=query.strip()[:200],
        amount=amount + 1,
    )
    shown = [operation(row) for row in got[:amount]]
    return RecordPage(shown, paging.encode("", shown[-1].id) if len(got) > amount else "")


def errors(found: RunLine) -> tuple[ErrorGroup, ...]:
    """Return the run's failures grouped by cause, most records first."""
    return tuple(
        ErrorGroup(
            sentence=row["error"] or "It failed without a reason.",
            side=row["side"],
            field=row["error_field"] or "",
            code=row["error_code"] or "",
            object=row["remote_object"] or "",
            amount=row["amount"],
            povs=row["povs"],
            first_at=row["first_at"],
            sample=row["sample"] or "",
            sample_id=row["sample_id"],
        )
        for row in rows(ERRORS, run=found.id, run_at=found.created_at)
    )


def calls(run_id: UUID) -> tuple[Call, ...]:
    """Return the run's newest 200 calls to the CRM, without their bodies."""
    return tuple(
        Call(
            row["at"],
            row["method"],
            row["path"],
            row["status"],
            row["ms"],
            row["request_id"] or "",
            row["received_bytes"] or 0,
            row["error"] or "",
        )
        for row in rows(CALLS, run=run_id)
    )


def settings_used(run_id: UUID) -> tuple[StreamUsed, ...]:
    """Return the streams and mapping versions the run worked with."""
    return tuple(
        StreamUsed(
            row["remote_object"],
            row["kind"],
            row["direction"],
            row["creates"],
            row["policy"] or "",
            row["first_agreement"] or "",
            row["filter"] or (),
            row["version"],
        )
        for row in rows(USED, run=run_id)
    )
