"""Operations as pages read them: one planned or done write, its fields and its reasons."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from crm_admin.jsontypes import Json
from crm_admin.services.queries.sql import Row

APPLIED = ("create", "update", "delete", "link", "associate", "property")
"""The actions that applying a plan carries out; the rest tell or ask."""

COLUMNS = """
SELECT o.id, o.record_id, o.stream_id, o.remote_object, o.remote_id, o.side, o.action, o.fields,
       o.inputs, o.label, o.reason, o.reason_code, o.state, o.excluded, o.error, o.error_field,
       o.actor, o.at, coalesce(r.kind, s.kind) AS kind
  FROM operation o LEFT JOIN record r ON r.id = o.record_id LEFT JOIN stream s ON s.id = o.stream_id
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
