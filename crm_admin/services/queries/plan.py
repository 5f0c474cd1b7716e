"""A plan: every write it would make, what a person must decide first, and what it leaves out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from crm_admin.errors import NotFound
from crm_admin.jsontypes import Json
from crm_admin.services.queries import paging
from crm_admin.services.queries.runs import COLUMNS, RunLine, run_line
from crm_admin.services.queries.sql import Row, first, rows

APPLIED = ("create", "update", "delete", "link", "associate", "property")
"""The actions that applying a plan carries out; the rest tell or ask."""

MORE = """
SELECT r.plan_hash, r.expires_at, r.approved_at, r.decisions, c.stance
  FROM sync_run r LEFT JOIN connection c ON c.id = r.connection_id
 WHERE r.id = :run AND r.plan_hash IS NOT NULL
"""

TALLY = """
SELECT action, side, count(*) AS amount, count(*) FILTER (WHERE excluded) AS left_out
  FROM operation WHERE run_id = :run AND run_at = :run_at GROUP BY action, side
"""

ROWS = """
SELECT o.id, o.record_id, o.stream_id, o.remote_object, o.remote_id, o.side, o.action, o.fields,
  o.inputs, o.label,
       o.reason, o.reason_code, o.state, o.excluded, o.error, o.error_field, o.actor, o.at,
         coalesce(r.kind, s.kind) AS kind
  FROM operation o LEFT JOIN record r ON r.id = o.record_id LEFT JOIN stream s ON s.id = o.stream_id
 WHERE o.run_id = :run AND o.run_at = :run_at AND o.action = ANY(:actions)
   AND (CAST(:side AS text) = '' OR o.side = :side)
   AND (CAST(:field AS text) = '' OR jsonb_exists(o.fields, :field))
   AND (CAST(:id AS uuid) IS NULL OR o.id > CAST(:id AS uuid))
 ORDER BY o.id LIMIT :amount
"""

FIELDS = """
SELECT o.side, f.key AS field, count(*) AS amount
  FROM operation o, jsonb_each(o.fields) f
 WHERE o.run_id = :run AND o.run_at = :run_at AND o.action IN ('create', 'update', 'associate')
 GROUP BY o.side, f.key ORDER BY amount DESC, f.key LIMIT 200
"""

QUESTIONS = """
WITH asked AS (
  SELECT o.stream_id, f.value ->> 3 AS rule, f.key AS field, o.label, o.id, f.value -> 0 AS ours,
    f.value -> 1 AS theirs,
         count(*) OVER w AS amount, row_number() OVER (w ORDER BY o.id) AS place
    FROM operation o, jsonb_each(o.fields) f
   WHERE o.run_id = :run AND o.run_at = :run_at AND o.action = 'agree'
  WINDOW w AS (PARTITION BY o.stream_id, f.value ->> 3)
)
SELECT a.*, s.remote_object, s.kind FROM asked a LEFT JOIN stream s ON s.id = a.stream_id
 WHERE a.place <= 3 ORDER BY a.amount DESC, a.rule, a.place
"""

SKIPPED = """
SELECT reason, count(*) AS amount, (array_agg(label ORDER BY id))[1:3] AS samples
  FROM operation WHERE run_id = :run AND run_at = :run_at AND action = 'skip'
 GROUP BY reason ORDER BY amount DESC, reason LIMIT 50
"""


@dataclass(frozen=True, slots=True)
class FieldChange:
    name: str
    before: Json
    after: Json
    reason: str
    rule: str

    @property
    def was_blank(self) -> bool:
        return self.before is None or self.before in ("", [])


@dataclass(frozen=True, slots=True)
class Candidate:
    """A record that may be the same as the one of theirs."""

    record_id: str
    title: str
    score: int
    reasons: Sequence[str]


@dataclass(frozen=True, slots=True)
class Operation:
    """One planned or done write, with its reasons."""

    id: UUID
    record_id: UUID | None
    kind: str
    stream_id: UUID | None
    object: str
    remote_id: str
    side: str
    action: str
    label: str
    fields: Sequence[FieldChange]
    reason: str
    reason_code: str
    state: str
    excluded: bool
    error: str
    error_field: str
    actor: str
    at: datetime | None
    candidates: Sequence[Candidate]
    chosen: str

    @property
    def is_applied(self) -> bool:
        return self.action in APPLIED


@dataclass(frozen=True, slots=True)
class Sample:
    label: str
    ours: Json
    theirs: Json


@dataclass(frozen=True, slots=True)
class Question:
    """Two records met with different values: which side counts, for all records of this field."""

    key: str
    field: str
    object: str
    kind: str
    amount: int
    samples: Sequence[Sample]
    choice: str


@dataclass(frozen=True, slots=True)
class FieldGroup:
    side: str
    field: str
    amount: int


@dataclass(frozen=True, slots=True)
class Skipped:
    reason: str
    amount: int
    samples: Sequence[str]


@dataclass(frozen=True, slots=True)
class Flow:
    """How much goes to one side."""

    create: int
    update: int
    delete: int

    @property
    def total(self) -> int:
        return self.create + self.update + self.delete


@dataclass(frozen=True, slots=True)
class Filters:
    mark: str = ""
    side: str = ""
    field: str = ""
    by_field: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    line: RunLine
    plan_hash: str
    expires_at: datetime | None
    approved_at: datetime | None
    ready: bool
    observing: bool
    counts: Mapping[str, int]
    to_theirs: Flow
    to_ours: Flow
    applies: int
    left_out: int
    unchanged: int
    questions: Sequence[Question]
    skipped: Sequence[Skipped]
    fields: Sequence[FieldGroup]

    @property
    def id(self) -> UUID:
        return self.line.id

    @property
    def open_questions(self) -> int:
        return sum(1 for question in self.questions if not question.choice)


@dataclass(frozen=True, slots=True)
class Rows:
    operations: Sequence[Operation]
    after: str


MARKS: Mapping[str, tuple[str, ...]] = {
    "": ("property", "link", "create", "update", "delete", "associate", "match", "conflict"),
    "create": ("create",),
    "update": ("update", "associate"),
    "delete": ("delete",),
    "link": ("link",),
    "property": ("property",),
    "match": ("match",),
    "conflict": ("conflict",),
    "agree": ("agree",),
    "skip": ("skip",),
}


def operation(row: Row) -> Operation:
    """Return an operation from its row, with values in the order the fields were stored."""
    inputs = row["inputs"] if isinstance(row["inputs"], dict) else {}
    return Operation(
        id=row["id"],
        record_id=row["record_id"],
        kind=row["kind"] or "",
        stream_id=row["stream_id"],
        object=row["remote_object"] or "",
        remote_id=row["remote_id"] or "",
        side=row["side"],
        action=row["action"],
        label=row["label"] or "Untitled",
        fields=field_changes(row["fields"]),
        reason=row["reason"] or "",
        reason_code=row["reason_code"] or "",
        state=row["state"],
        excluded=row["excluded"],
        error=row["error"] or "",
        error_field=row["error_field"] or "",
        actor=row["actor"] or "",
        at=row["at"],
        candidates=tuple(_candidate(item) for item in inputs.get("candidates") or ()),
        chosen=str(inputs.get("choice") or ""),
    )


def field_changes(stored: Mapping[str, Any] | None) -> tuple[FieldChange, ...]:
    """Return the stored `fields` of an operation as values."""
    changes = []
    for name, values in (stored or {}).items():
        before, after, reason, rule = (list(values) + [None] * 4)[:4]
        changes.append(FieldChange(name, before, after, str(reason or ""), str(rule or "")))
    return tuple(changes)


def _candidate(item: Mapping[str, Any]) -> Candidate:
    reasons = [
        part if isinstance(part, str) else str(part[-1]) for part in item.get("reasons") or ()
    ]
    score = float(item.get("score") or 0)
    return Candidate(
        str(item.get("record_id") or ""), str(item.get("title") or ""), round(score * 100), reasons
    )


def plan(run_id: UUID) -> Plan:
    """Return the plan without its rows; unknown and foreign ids are not found."""
    row = first(f"{COLUMNS} WHERE r.id = :run", run=run_id)
    more = first(MORE, run=run_id)
    if row is None or more is None:
        raise NotFound("This plan is not there.")
    line = run_line(row)
    tally = rows(TALLY, run=run_id, run_at=line.created_at)
    return Plan(
        line=line,
        plan_hash=more["plan_hash"] or "",
        expires_at=more["expires_at"],
        approved_at=more["approved_at"],
        ready=line.state == "planned",
        observing=more["stance"] == "observe",
        counts=_by_mark(tally),
        to_theirs=_flow(tally, "theirs"),
        to_ours=_flow(tally, "ours"),
        applies=sum(
            item["amount"] - item["left_out"] for item in tally if item["action"] in APPLIED
        ),
        left_out=sum(item["left_out"] for item in tally),
        unchanged=line.counts.unchanged,
        questions=_questions(run_id, line.created_at, more["decisions"] or {}),
        skipped=_skipped(run_id, line.created_at),
        fields=tuple(
            FieldGroup(item["side"], item["field"], item["amount"])
            for item in rows(FIELDS, run=run_id, run_at=line.created_at)
        ),
    )


def plan_rows(line: RunLine, filters: Filters, after: str = "") -> Rows:
    """Return one page of a plan's operations under these filters."""
    place = paging.decode(after)
    found = rows(
        ROWS,
        run=line.id,
        run_at=line.created_at,
        actions=list(MARKS.get(filters.mark, MARKS[""])),
        side=filters.side if filters.side in {"ours", "theirs"} else "",
        field=filters.field,
        id=place.id if place else None,
        amount=paging.PAGE + 1,
    )
    shown = [operation(row) for row in found[: paging.PAGE]]
    return Rows(shown, paging.encode("", shown[-1].id) if len(found) > paging.PAGE else "")


def _by_mark(tally: Sequence[Row]) -> dict[str, int]:
    return {
        mark: sum(row["amount"] for row in tally if row["action"] in actions)
        for mark, actions in MARKS.items()
        if mark
    }


def _flow(tally: Sequence[Row], side: str) -> Flow:
    def amount(*actions: str) -> int:
        return sum(
            row["amount"] - row["left_out"]
            for row in tally
            if row["side"] == side and row["action"] in actions
        )

    return Flow(amount("create", "property"), amount("update", "associate"), amount("delete"))


def _questions(
    run_id: UUID, run_at: datetime, decisions: Mapping[str, str]
) -> tuple[Question, ...]:
    grouped: dict[str, list[Row]] = {}
    for row in rows(QUESTIONS, run=run_id, run_at=run_at):
        grouped.setdefault(f"{row['stream_id']}:{row['rule']}", []).append(row)
    return tuple(
        Question(
            key=key,
            field=found[0]["field"],
            object=found[0]["remote_object"] or "",
            kind=found[0]["kind"] or "",
            amount=found[0]["amount"],
            samples=tuple(
                Sample(row["label"] or "Untitled", row["ours"], row["theirs"]) for row in found
            ),
            choice=str(decisions.get(key) or ""),
        )
        for key, found in grouped.items()
    )


def _skipped(run_id: UUID, run_at: datetime) -> tuple[Skipped, ...]:
    return tuple(
        Skipped(
            row["reason"] or "It was left out.",
            row["amount"],
            [label or "Untitled" for label in row["samples"]],
        )
        for row in rows(SKIPPED, run=run_id, run_at=run_at)
    )
