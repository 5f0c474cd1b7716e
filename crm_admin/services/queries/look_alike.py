"""A look-alike side by side: theirs and what it may be of ours, field by field."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from crm_admin.errors import NotFound
from crm_admin.jsontypes import Json
from crm_admin.records.values import is_blank
from crm_admin.services.queries.mapping import field_of
from crm_admin.services.queries.operations import COLUMNS, Candidate, Operation, operation
from crm_admin.services.queries.sql import first, rows

RULES = """
SELECT f.ours, f.theirs FROM stream s
  JOIN mapping_version m ON m.stream_id = s.id AND m.number = s.mapping_version
  JOIN field_rule f ON f.mapping_version_id = m.id
 WHERE s.id = :stream AND f.theirs NOT LIKE 'association:%' ORDER BY f.position
"""

RECORDS = """
SELECT r.id, r.title, r.data, r.kind, r.updated_at, u.name AS owner
  FROM record r LEFT JOIN app_user u ON u.id = r.owner_id WHERE r.id = ANY(:ids)
"""


@dataclass(frozen=True, slots=True)
class Line:
    """One field: theirs as the CRM holds it, and ours per candidate."""

    field: str
    label: str
    theirs_name: str
    theirs: Json
    ours: Sequence[Json]

    @property
    def differs(self) -> bool:
        """Whether a candidate's value is not what stands there, as far as text can tell."""
        return any(_text(value) != _text(self.theirs) for value in self.ours)


@dataclass(frozen=True, slots=True)
class Side:
    """A record of ours that may be the same."""

    candidate: Candidate
    kind: str
    owner: str
    updated_at: datetime | None
    gone: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    operation: Operation
    sides: Sequence[Side]
    lines: Sequence[Line]
    knows_theirs: bool


def comparison(run_id: UUID, run_at: datetime, operation_id: UUID) -> Comparison:
    """Return what a person needs to say whether two records are one; the differing fields first."""
    row = first(
        f"{COLUMNS} WHERE o.run_id = :run AND o.run_at = :run_at AND o.id = :id"
        " AND o.action = 'match'",
        run=run_id,
        run_at=run_at,
        id=operation_id,
    )
    if row is None:
        raise NotFound("This plan has no such look-alike.")
    found = operation(row)
    held = _held([candidate.record_id for candidate in found.candidates])
    theirs = (row["inputs"] or {}).get("theirs") or {}
    sides = [_side(candidate, held.get(candidate.record_id)) for candidate in found.candidates]
    lines = [
        Line(
            field=rule["ours"],
            label=_label(found.kind, rule["ours"]),
            theirs_name=rule["theirs"],
            theirs=theirs.get(rule["theirs"]),
            ours=[
                (held[side.candidate.record_id]["data"] or {}).get(rule["ours"])
                if side.candidate.record_id in held
                else None
                for side in sides
            ],
        )
        for rule in rows(RULES, stream=found.stream_id)
    ]
    filled = [line for line in lines if not _all_blank(line)]
    return Comparison(found, sides, sorted(filled, key=lambda line: not line.differs), bool(theirs))


def _held(ids: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
    wanted = [UUID(one) for one in ids if one]
    return {str(row["id"]): dict(row) for row in rows(RECORDS, ids=wanted)}


def _side(candidate: Candidate, row: Mapping[str, Any] | None) -> Side:
    if row is None:
        return Side(candidate, "", "", None, gone=True)
    return Side(candidate, row["kind"], row["owner"] or "", row["updated_at"], gone=False)


def _label(kind: str, field: str) -> str:
    found = field_of(kind, field)
    return found.label if found else field.replace("_", " ")


def _all_blank(line: Line) -> bool:
    return all(value is None or is_blank(value) for value in (line.theirs, *line.ours))


def _text(value: Json) -> str:
    if isinstance(value, Mapping):
        return str(value.get("amount", value)).casefold()
    return "" if value is None else str(value).strip().casefold()
