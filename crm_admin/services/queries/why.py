"""Why a field has its value: the rule, what both sides had, each step's value, and the decision
with its run."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from crm_admin.jsontypes import Json
from crm_admin.mapping.engine import CompiledRule, compile_rules, explain
from crm_admin.mapping.rules import Direction, FieldRule
from crm_admin.services.queries.record import FieldRow, Presence, RecordPage
from crm_admin.services.queries.sql import first
from crm_admin.sync.reasons import Reason, sentence

LAST = """
SELECT o.run_id, o.at, o.side, o.action, o.fields, o.actor, o.state, o.error, q.by_name, q.trigger
  FROM operation o LEFT JOIN sync_run q ON q.id = o.run_id
 WHERE o.record_id = :record AND o.stream_id = :stream AND o.state IN ('done', 'failed', 'undone')
   AND (jsonb_exists(o.fields, :ours) OR jsonb_exists(o.fields, :theirs))
 ORDER BY o.at DESC LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Stage:
    """A value after one step."""

    step: str
    value: Json


@dataclass(frozen=True, slots=True)
class Decision:
    sentence: str
    run_id: UUID | None
    at: datetime
    by: str
    failed: str


@dataclass(frozen=True, slots=True)
class Reasoning:
    """The field in one connection. `failure` says which step could not be done."""

    connection: str
    rule: FieldRule
    version: int | None
    agreed: Json
    ours: Json
    theirs: Json
    there: bool
    stages: Sequence[Stage]
    failure: str
    decision: Decision | None


@dataclass(frozen=True, slots=True)
class Why:
    row: FieldRow
    changed_at: datetime | None
    changed_by: str
    parts: Sequence[Reasoning]


def why(page: RecordPage, field_name: str) -> Why | None:
    """Return the reasoning behind a field of a record the person may see; None when it has no
    such field."""
    row = next((item for item in page.fields if item.field.name == field_name), None)
    if row is None:
        return None
    origin = page.origin.get(field_name) or {}
    stamp = origin.get("at")
    return Why(
        row=row,
        changed_at=datetime.fromisoformat(str(stamp)) if stamp else None,
        changed_by=str(origin.get("by") or ""),
        parts=tuple(
            _reasoning(page, presence, presence.rules[field_name], row)
            for presence in page.presences
            if field_name in presence.rules
        ),
    )


def _reasoning(page: RecordPage, presence: Presence, rule: FieldRule, row: FieldRow) -> Reasoning:
    theirs = presence.base_theirs.get(rule.id)
    stages, failure = _stages(page, presence, rule, theirs)
    return Reasoning(
        connection=presence.connection,
        rule=rule,
        version=presence.version,
        agreed=presence.base_ours.get(rule.id),
        ours=row.value,
        theirs=theirs,
        there=presence.is_there,
        stages=stages,
        failure=failure,
        decision=_decision(page, presence, rule, row),
    )


def _stages(
    page: RecordPage, presence: Presence, rule: FieldRule, theirs: Json
) -> tuple[tuple[Stage, ...], str]:
    if rule.association or not presence.is_there:
        return (), ""
    compiled = _compiled(page, presence, rule)
    if compiled is None:
        return (), ""
    traces = explain(compiled, theirs, Direction.FROM_CRM)[1:]
    failed = next((trace.failed for trace in traces if trace.failed), "")
    stages = []
    before = theirs
    for trace in traces:
        # A step that leaves the value alone explains nothing.
        if not trace.failed and trace.value != before:
            stages.append(Stage(trace.step, trace.value))
            before = trace.value
    return tuple(stages), failed


def _compiled(page: RecordPage, presence: Presence, rule: FieldRule) -> CompiledRule | None:
    types = {str(item["name"]): str(item["type"]) for item in presence.schema}
    compiled = compile_rules([rule], page.kind, types)
    return next(iter(compiled.rules), None)


def _decision(
    page: RecordPage, presence: Presence, rule: FieldRule, row: FieldRow
) -> Decision | None:
    found = first(
        LAST, record=page.id, stream=presence.stream_id, ours=rule.ours, theirs=rule.theirs
    )
    if found is None:
        return None
    values = (
        (found["fields"] or {}).get(rule.ours) or (found["fields"] or {}).get(rule.theirs) or []
    )
    code = str(values[2]) if len(values) > 2 else ""
    return Decision(
        sentence=_created(found["side"], presence.connection)
        if found["action"] == "create"
        else reason_sentence(code, presence.connection, row.field.label),
        run_id=found["run_id"],
        at=found["at"],
        by=found["by_name"] or found["actor"] or found["trigger"] or "",
        failed=found["error"] or "",
    )


def _created(side: str, connection: str) -> str:
    if side == "ours":
        return f"It came with the record when that was taken from {connection}."
    return f"{connection} got it when CRM Admin created the record there."


def reason_sentence(code: str, theirs_name: str, field: str) -> str:
    """Return the sentence of a decision's code; an unknown code reads as itself."""
    try:
        return sentence(Reason(code), ours_name="CRM Admin", theirs_name=theirs_name, field=field)
    except ValueError:
        return code.replace("_", " ")
