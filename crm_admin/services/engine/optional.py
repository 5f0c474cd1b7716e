"""Adds the rules of a first mapping whose fields an account may or may not have, before any run
has used that mapping.
"""

from collections.abc import Iterable, Mapping
from uuid import UUID

import orjson

from crm_admin.mapping.rules import FieldRule
from crm_admin.packs.registry import default_mapping, kinds
from crm_admin.services.sql import Cursor, Row

# A version that a run has used never changes: neither a link nor a finished pass may know it.
UNUSED = """
SELECT s.id, s.organization_id, s.remote_object, s.kind, c.provider, m.id AS mapping_id,
       r.fields AS described,
       (SELECT max(f.position) FROM field_rule f WHERE f.mapping_version_id = m.id) AS last,
       ARRAY(SELECT f.ours FROM field_rule f WHERE f.mapping_version_id = m.id) AS ours
  FROM stream s
  JOIN connection c ON c.organization_id = s.organization_id AND c.id = s.connection_id
  JOIN mapping_version m ON m.stream_id = s.id AND m.number = s.mapping_version AND m.number = 1
  JOIN remote_schema r ON r.connection_id = s.connection_id AND r.object = s.remote_object
 WHERE s.connection_id = %s AND s.enabled AND s.watermark IS NULL
   AND NOT EXISTS (SELECT 1 FROM link l WHERE l.organization_id = s.organization_id
                      AND l.stream_id = s.id)
   AND NOT EXISTS (SELECT 1 FROM operation o WHERE o.organization_id = s.organization_id
                      AND o.stream_id = s.id)
"""

ADD = """
INSERT INTO field_rule (organization_id, mapping_version_id, rule_id, position, ours, theirs,
       direction, required, steps, policy)
VALUES (%s, %s, %s, %s, %s, %s, %s, false, %s, %s)
ON CONFLICT DO NOTHING
"""


def add_found(cursor: Cursor, connection_id: UUID) -> None:
    """Add the optional rules whose fields were described; the others stay suggestions."""
    for row in cursor.execute(UNUSED, (connection_id,)).fetchall():
        default = default_mapping(row["provider"], row["remote_object"], row["kind"])
        if default is not None and default.optional:
            described = {field["name"]: field for field in row["described"]}
            _add(cursor, row, _fitting(row, default.optional, described))


def _fitting(
    row: Row, optional: Iterable[FieldRule], described: Mapping[str, Mapping[str, object]]
) -> list[FieldRule]:
    """The first rule per field of ours whose field of theirs exists and takes our values."""
    found: dict[str, FieldRule] = {}
    for rule in optional:
        field = described.get(rule.theirs)
        taken = rule.ours in row["ours"] or rule.ours in found
        if field is not None and not taken and _takes(row["kind"], rule, field):
            found[rule.ours] = rule
    return list(found.values())


def _takes(kind: str, rule: FieldRule, described: Mapping[str, object]) -> bool:
    ours = {option.code for option in kinds()[kind].field(rule.ours).options}
    options = described.get("options")
    if described.get("read_only") or not isinstance(options, list) or not options:
        return not described.get("read_only")
    return ours <= {option["value"] for option in options}


def _add(cursor: Cursor, row: Row, rules: Iterable[FieldRule]) -> None:
    for place, rule in enumerate(rules, (row["last"] or 0) + 1):
        cursor.execute(
            ADD,
            (
                row["organization_id"],
                row["mapping_id"],
                rule.id,
                place,
                rule.ours,
                rule.theirs,
                rule.direction.value,
                orjson.dumps(list(rule.steps)).decode(),
                rule.policy.value if rule.policy else None,
            ),
        )
