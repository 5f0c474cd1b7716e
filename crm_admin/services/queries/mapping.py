"""Mappings as pages show them: which field meets which, through which steps, with what the
checks find."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from crm_admin.mapping.rules import Direction, FieldRule, FirstAgreement, Policy, Step
from crm_admin.packs.registry import kinds
from crm_admin.records.kinds import Field
from crm_admin.services.queries.sql import Row, rows

STREAMS = """
SELECT s.id, s.connection_id, c.name AS connection, c.provider, s.remote_object, s.kind,
  s.mapping_version, s.policy,
       s.enabled, m.id AS mapping_id, m.note, m.published_at, u.name AS by_name,
         h.fields AS schema, h.read_at
  FROM stream s
  JOIN connection c ON c.id = s.connection_id
  LEFT JOIN mapping_version m ON m.stream_id = s.id AND m.number = s.mapping_version
  LEFT JOIN app_user u ON u.id = m.by_user
  LEFT JOIN remote_schema h ON h.connection_id = s.connection_id AND h.object = s.remote_object
 ORDER BY c.priority, c.name, s.position, s.remote_object
"""

RULES = """
SELECT mapping_version_id, rule_id, ours, theirs, direction, required, default_value, steps,
  policy, first_agreement
  FROM field_rule WHERE mapping_version_id = ANY(:versions) ORDER BY mapping_version_id,
    position, rule_id
"""


@dataclass(frozen=True, slots=True)
class RuleLine:
    """One line of a mapping. `field` is None when the kind has no such field any more."""

    rule: FieldRule
    field: Field | None
    theirs_label: str
    theirs_type: str
    known: bool

    @property
    def steps(self) -> str:
        return ", ".join(step.name.replace("_", " ") for step in self.rule.steps)


@dataclass(frozen=True, slots=True)
class MappingPage:
    stream_id: UUID
    connection_id: UUID
    connection: str
    provider: str
    object: str
    kind: str
    kind_label: str
    version: int | None
    note: str
    published_at: datetime | None
    by_name: str
    policy: str
    enabled: bool
    lines: Sequence[RuleLine]
    unmapped_ours: Sequence[Field]
    unused_theirs: int
    schema_at: datetime | None

    @property
    def required(self) -> tuple[int, int]:
        """How many required fields of ours are mapped, of how many."""
        missing = sum(1 for field in self.unmapped_ours if field.required)
        mapped = sum(1 for line in self.lines if line.field and line.field.required)
        return mapped, mapped + missing


def rule_of(row: Row) -> FieldRule:
    """Return the rule a field_rule row holds."""
    return FieldRule(
        id=row["rule_id"],
        ours=row["ours"],
        theirs=row["theirs"],
        direction=Direction(row["direction"]),
        required=row["required"],
        default=row["default_value"],
        steps=tuple(Step(step["name"], step.get("params") or {}) for step in row["steps"] or ()),
        policy=Policy(row["policy"]) if row["policy"] else None,
        first_agreement=FirstAgreement(row["first_agreement"]) if row["first_agreement"] else None,
    )


def mappings() -> tuple[MappingPage, ...]:
    """Return the published mapping of every stream, in the order streams run."""
    streams = rows(STREAMS)
    found = rules_of([row["mapping_id"] for row in streams if row["mapping_id"]])
    return tuple(_page(row, found.get(row["mapping_id"], [])) for row in streams)


def rules_of(version_ids: Sequence[UUID]) -> dict[UUID, list[FieldRule]]:
    """Return the rules of several mapping versions in their order."""
    found: dict[UUID, list[FieldRule]] = {}
    if version_ids:
        for row in rows(RULES, versions=list(version_ids)):
            found.setdefault(row["mapping_version_id"], []).append(rule_of(row))
    return found


def field_of(kind: str, name: str) -> Field | None:
    """Return the field of a kind, None when either is gone."""
    registry = kinds()
    if kind not in registry:
        return None
    try:
        return registry[kind].field(name)
    except KeyError:
        return None


def _page(row: Row, rules: Sequence[FieldRule]) -> MappingPage:
    schema: dict[str, Mapping[str, Any]] = {item["name"]: item for item in row["schema"] or ()}
    registry = kinds()
    kind = next((item for item in registry if item.name == row["kind"]), None)
    used = {rule.ours for rule in rules}
    return MappingPage(
        stream_id=row["id"],
        connection_id=row["connection_id"],
        connection=row["connection"],
        provider=row["provider"],
        object=row["remote_object"],
        kind=row["kind"],
        kind_label=kind.plural if kind else row["kind"],
        version=row["mapping_version"],
        note=row["note"] or "",
        published_at=row["published_at"],
        by_name=row["by_name"] or "",
        policy=row["policy"] or "newest_wins",
        enabled=row["enabled"],
        lines=tuple(_line(row["kind"], rule, schema) for rule in rules),
        unmapped_ours=tuple(field for field in kind.fields if field.name not in used)
        if kind
        else (),
        unused_theirs=len(schema.keys() - {rule.theirs for rule in rules}),
        schema_at=row["read_at"],
    )


def _line(kind: str, rule: FieldRule, schema: Mapping[str, Mapping[str, Any]]) -> RuleLine:
    described = schema.get(rule.theirs, {})
    return RuleLine(
        rule=rule,
        field=field_of(kind, rule.ours),
        theirs_label=str(described.get("label") or ""),
        theirs_type=str(described.get("type") or ("reference" if rule.association else "")),
        known=bool(rule.association) or not schema or rule.theirs in schema,
    )
