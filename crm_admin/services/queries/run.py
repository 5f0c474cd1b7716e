"""One run: what it is doing or did, its records and the settings it used."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from crm_admin.errors import NotFound
from crm_admin.services.queries import paging
from crm_admin.services.queries.operations import COLUMNS as OPERATIONS
from crm_admin.services.queries.operations import Operation, operation
from crm_admin.services.queries.runs import COLUMNS, RunLine, run_line
from crm_admin.services.queries.sql import Row, first, only, rows

RECORDS = f"""
{OPERATIONS}
 WHERE o.run_id = :run AND o.run_at = :run_at
   AND (CAST(:id AS uuid) IS NULL OR o.id > CAST(:id AS uuid))
   AND (CAST(:state AS text) = '' OR o.state = :state)
   AND (CAST(:query AS text) = '' OR strpos(lower(o.label), :query) > 0 OR o.remote_id = :query
        OR CAST(o.record_id AS text) = :query
        OR right(replace(CAST(o.record_id AS text), '-', ''), 8) = :query)
 ORDER BY o.id LIMIT :amount
"""

STATES = """
SELECT state, count(*) AS amount FROM operation WHERE run_id = :run AND run_at = :run_at
 GROUP BY state
"""

MADE = """
SELECT id, kind, title FROM record WHERE created_run = :run AND deleted_at IS NULL
 ORDER BY id LIMIT 20
"""

RULES = """
SELECT m.stream_id, f.ours, f.theirs, f.direction, f.required, f.policy, f.steps
  FROM mapping_version m JOIN field_rule f ON f.mapping_version_id = m.id
 WHERE (m.stream_id, m.number) IN (SELECT * FROM unnest(CAST(:streams AS uuid[]),
       CAST(:numbers AS bigint[])))
 ORDER BY m.stream_id, f.position
"""

MORE = """
SELECT q.plan_hash, q.undone_by, c.provider, c.endpoint,
       (SELECT count(*) FROM api_call a WHERE a.run_id = q.id) AS calls,
       (SELECT h.id FROM sync_run h WHERE h.plan_of = q.id AND h.state = 'planned'
         ORDER BY h.created_at DESC LIMIT 1) AS held_back
  FROM sync_run q LEFT JOIN connection c ON c.id = q.connection_id WHERE q.id = :run
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
class Made:
    """A record this run created here; those of a first pull have no operation of their own."""

    id: UUID
    kind: str
    title: str


@dataclass(frozen=True, slots=True)
class RuleUsed:
    """One field rule as the run knew it."""

    ours: str
    theirs: str
    direction: str
    required: bool
    policy: str
    steps: Sequence[str]


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
    rules: Sequence[RuleUsed] = ()


@dataclass(frozen=True, slots=True)
class Run:
    line: RunLine
    plan_hash: str
    undone_by: UUID | None
    calls: int
    provider: str
    endpoint: str
    held_back: UUID | None

    @property
    def id(self) -> UUID:
        return self.line.id


@dataclass(frozen=True, slots=True)
class RecordPage:
    operations: Sequence[Operation]
    after: str


def run(run_id: UUID) -> Run:
    """Return the run; unknown and foreign ids are not found."""
    found = line(run_id)
    more = only(MORE, run=run_id)
    return Run(
        line=found,
        plan_hash=more["plan_hash"] or "",
        undone_by=more["undone_by"],
        calls=more["calls"],
        provider=more["provider"] or "",
        endpoint=more["endpoint"] or "",
        held_back=more["held_back"],
    )


def line(run_id: UUID) -> RunLine:
    """Return the run as a line of a list, for parts that are asked for again and again."""
    row = first(f"{COLUMNS} WHERE r.id = :run", run=run_id)
    if row is None:
        raise NotFound("This run is not there.")
    return run_line(row)


def records(
    found: RunLine, *, after: str = "", state: str = "", query: str = "", amount: int = paging.PAGE
) -> RecordPage:
    """Return one page of the run's operations in their order, found by name or any id."""
    place = paging.decode(after)
    got = rows(
        RECORDS,
        run=found.id,
        run_at=found.created_at,
        id=place.id if place else None,
        state=state if state in OPERATION_STATES else "",
        query=query.strip().lower()[:200],
        amount=amount + 1,
    )
    shown = [operation(row) for row in got[:amount]]
    return RecordPage(shown, paging.encode("", shown[-1].id) if len(got) > amount else "")


def all_records(found: RunLine, *, state: str = "", query: str = "") -> Iterator[Operation]:
    """Give every operation under these filters, a thousand read at a time."""
    after = ""
    while True:
        page = records(found, after=after, state=state, query=query, amount=1_000)
        yield from page.operations
        if not page.after:
            return
        after = page.after


def states(found: RunLine) -> dict[str, int]:
    """Return how many of the run's operations are in which state."""
    counted = rows(STATES, run=found.id, run_at=found.created_at)
    return {row["state"]: row["amount"] for row in counted}


def made(run_id: UUID) -> tuple[Made, ...]:
    """Return some of the records that the run created here."""
    return tuple(Made(row["id"], row["kind"], row["title"]) for row in rows(MADE, run=run_id))


def settings_used(run_id: UUID) -> tuple[StreamUsed, ...]:
    """Return the streams, mapping versions and rules the run worked with."""
    used = rows(USED, run=run_id)
    known = [row for row in used if row["version"] is not None]
    rules: dict[UUID, list[RuleUsed]] = {}
    for row in rows(
        RULES, streams=[row["id"] for row in known], numbers=[row["version"] for row in known]
    ):
        rules.setdefault(row["stream_id"], []).append(_rule(row))
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
            rules.get(row["id"], ()),
        )
        for row in used
    )


def _rule(row: Row) -> RuleUsed:
    steps = [
        str(step.get("name") or step.get("kind") or "step") if isinstance(step, dict) else str(step)
        for step in row["steps"] or ()
    ]
    return RuleUsed(
        row["ours"], row["theirs"], row["direction"], row["required"], row["policy"] or "", steps
    )
