"""A plan: what it would write, what a person must decide first, and what it leaves out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from uuid import UUID

from crm_admin.clock import now
from crm_admin.errors import NotFound
from crm_admin.jsontypes import Json
from crm_admin.providers.registry import spec_of
from crm_admin.services.queries.operations import (
    APPLIED,
    FieldChange,
    Operation,
    field_changes,
    operation,
)
from crm_admin.services.queries.plan_rows import MARKS, Filters, Rows, plan_rows
from crm_admin.services.queries.runs import COLUMNS, RunLine, run_line
from crm_admin.services.queries.sql import Row, first, only, rows

__all__ = [
    "FieldChange",
    "Filters",
    "Operation",
    "Plan",
    "Rows",
    "field_changes",
    "operation",
    "plan",
    "plan_rows",
]

KEPT_SECONDS = 60
CHANGE_LIMIT = 100
"""A plan that writes more than this, or what its connection allows, wants its number typed."""

MORE = """
SELECT r.plan_hash, r.expires_at, r.approved_at, r.decisions, r.reason_code, c.stance, c.provider,
       c.limits
  FROM sync_run r LEFT JOIN connection c ON c.id = r.connection_id
 WHERE r.id = :run AND r.plan_hash IS NOT NULL
"""

TALLY = """
SELECT action, side, remote_object, count(*) AS amount,
       count(*) FILTER (WHERE excluded) AS left_out,
       count(*) FILTER (WHERE remote_id IS NOT NULL AND NOT excluded) AS there
  FROM operation WHERE run_id = :run AND run_at = :run_at GROUP BY action, side, remote_object
"""

CHOICES = """
SELECT concat_ws(':', count(*) FILTER (WHERE excluded),
                 sum(hashtext(CAST(id AS text))) FILTER (WHERE excluded),
                 md5(string_agg(inputs ->> 'choice', ',' ORDER BY id)
                     FILTER (WHERE action = 'match'))) AS text
  FROM operation WHERE run_id = :run AND run_at = :run_at AND (excluded OR action = 'match')
"""

FIELDS = """
SELECT o.side, f.key AS field, count(*) AS amount
  FROM operation o, jsonb_object_keys(o.fields) AS f (key)
 WHERE o.run_id = :run AND o.run_at = :run_at AND o.action IN ('create', 'update', 'associate')
   AND (NOT :only_left_out OR o.excluded)
 GROUP BY o.side, f.key ORDER BY amount DESC, f.key LIMIT 200
"""

OWNERS = """
SELECT r.owner_id AS id, u.name, count(*) AS amount
  FROM operation o JOIN record r ON r.id = o.record_id JOIN app_user u ON u.id = r.owner_id
 WHERE o.run_id = :run AND o.run_at = :run_at
 GROUP BY r.owner_id, u.name ORDER BY amount DESC, u.name LIMIT 100
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
    """A field that changes on so many records of one side."""

    side: str
    field: str
    amount: int
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class Owner:
    """A person, and how many operations are about their records."""

    id: UUID
    name: str
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
class Plan:
    """`choices` names what people decided so far: an apply that saw other choices is refused."""

    line: RunLine
    plan_hash: str
    choices: str
    expires_at: datetime | None
    approved_at: datetime | None
    ready: bool
    observing: bool
    guard: bool
    limit: int
    counts: Mapping[str, int]
    to_theirs: Flow
    to_ours: Flow
    applies: int
    left_out: int
    unchanged: int
    calls: int
    questions: Sequence[Question]
    skipped: Sequence[Skipped]
    fields: Sequence[FieldGroup]
    owners: Sequence[Owner]

    @property
    def id(self) -> UUID:
        return self.line.id

    @property
    def expired(self) -> bool:
        return self.ready and self.expires_at is not None and self.expires_at <= now()

    @property
    def deletes(self) -> int:
        return self.to_theirs.delete + self.to_ours.delete

    @property
    def must_type(self) -> bool:
        """Deletes, large plans and what the guard held back are confirmed by their number."""
        return self.guard or self.deletes > 0 or self.applies + self.chosen > self.limit

    @property
    def chosen(self) -> int:
        """How many values the choices settle besides the changes that are listed."""
        return sum(question.amount for question in self.questions if question.choice)

    def chosen_for(self, choice: str) -> int:
        """Return how many values one kind of choice settles."""
        return sum(one.amount for one in self.questions if one.choice == choice)

    @property
    def open_questions(self) -> int:
        return sum(1 for question in self.questions if not question.choice)


def plan(run_id: UUID) -> Plan:
    """Return the plan without its rows; unknown and foreign ids are not found."""
    row = first(f"{COLUMNS} WHERE r.id = :run", run=run_id)
    more = first(MORE, run=run_id)
    if row is None or more is None:
        raise NotFound("This plan is not there.")
    line = run_line(row)
    tally = rows(TALLY, run=run_id, run_at=line.created_at)
    fields, owners = _choices_to_filter_by(
        line, more["plan_hash"], int(now().timestamp() // KEPT_SECONDS)
    )
    return Plan(
        line=line,
        plan_hash=more["plan_hash"] or "",
        choices=choices_of(run_id, line.created_at, more["decisions"]),
        expires_at=more["expires_at"],
        approved_at=more["approved_at"],
        ready=line.state == "planned",
        observing=more["stance"] == "observe",
        guard=more["reason_code"] == "guard",
        limit=limit_of(more["limits"]),
        counts=_by_mark(tally),
        to_theirs=_flow(tally, "theirs"),
        to_ours=_flow(tally, "ours"),
        applies=sum(
            item["amount"] - item["left_out"] for item in tally if item["action"] in APPLIED
        ),
        left_out=sum(item["left_out"] for item in tally),
        unchanged=line.counts.unchanged,
        calls=_calls(tally, more["provider"]),
        questions=_questions(run_id, line.created_at, more["decisions"] or {}),
        skipped=_skipped(run_id, line.created_at),
        fields=fields,
        owners=owners,
    )


def limit_of(limits: Mapping[str, Json] | None) -> int:
    """Return how many changes a plan of a connection may make without its number being typed."""
    found = (limits or {}).get("changes")
    return found if isinstance(found, int) and found >= 0 else CHANGE_LIMIT


def choices_of(run_id: UUID, run_at: datetime, decisions: Mapping[str, Json] | None) -> str:
    """Return what names the choices people made about a plan so far."""
    text = only(CHOICES, run=run_id, run_at=run_at)["text"]
    decided = sorted((decisions or {}).items())
    return sha256(f"{text} {decided}".encode()).hexdigest()[:16]


def _calls(tally: Sequence[Row], provider: str | None) -> int:
    """Writes go out in batches per object and action; what is there already is read again first."""
    if provider is None:
        return 0
    spec = spec_of(provider)
    writes = sum(
        -(-(row["amount"] - row["left_out"]) // spec.batch_write)
        for row in tally
        if row["side"] == "theirs" and row["action"] in APPLIED
    )
    there: dict[str, int] = {}
    for row in tally:
        if row["action"] in APPLIED:
            there[row["remote_object"]] = there.get(row["remote_object"], 0) + row["there"]
    reads = sum(-(-amount // spec.batch_read) for amount in there.values())
    return int(writes + reads)


def with_left_out(found: Plan) -> Plan:
    """Return the plan with, per field, on how many of its records the change is left out."""
    out = {(one.side, one.field): one.amount for one in _read_fields(found.line, left_out=True)}
    fields = [replace(one, left_out=out.get((one.side, one.field), 0)) for one in found.fields]
    return replace(found, fields=fields)


def _read_fields(line: RunLine, *, left_out: bool) -> tuple[FieldGroup, ...]:
    found = rows(FIELDS, run=line.id, run_at=line.created_at, only_left_out=left_out)
    return tuple(FieldGroup(row["side"], row["field"], row["amount"]) for row in found)


@lru_cache(maxsize=32)
def _choices_to_filter_by(
    line: RunLine, _plan_hash: str, _while: int
) -> tuple[tuple[FieldGroup, ...], tuple[Owner, ...]]:
    """What a plan's filters offer. Planned operations never change, so a page of a hundred thousand
    counts them once; owners may change, so they are looked at again after a while.
    """
    owners = rows(OWNERS, run=line.id, run_at=line.created_at)
    return (
        _read_fields(line, left_out=False),
        tuple(Owner(row["id"], row["name"], row["amount"]) for row in owners),
    )


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
