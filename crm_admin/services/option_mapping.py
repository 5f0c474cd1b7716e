"""Mends a value that a CRM has no option for: it gets a line in the rule's table of values."""

from collections.abc import Mapping
from dataclasses import replace
from uuid import UUID

from crm_admin.errors import BadInput
from crm_admin.mapping.rules import FieldRule, Step
from crm_admin.security.permissions import Permission
from crm_admin.services import fixes, mapping_versions
from crm_admin.services.access import Person, require
from crm_admin.services.engine.streams import rule_from_row
from crm_admin.services.fixes import NOTHING, Fixed
from crm_admin.services.queries import failures, options
from crm_admin.services.queries.sql import Row, rows

TABLE = "value_table"

RULES = """
SELECT f.* FROM stream s
  JOIN mapping_version m ON m.stream_id = s.id AND m.number = s.mapping_version
  JOIN field_rule f ON f.mapping_version_id = m.id
 WHERE s.id = :stream ORDER BY f.position
"""


def map_option(
    *,
    person: Person,
    key: str,
    option: str,
    run_id: UUID | None = None,
    once_key: str | None = None,
    wake: bool = True,
) -> Fixed:
    """Publish that our refused value means this option of the CRM, and try its records again.

    The rule counts from now on; values that agree already are left alone. An option that stands for
    another value of ours cannot stand for two.
    """
    require(person, Permission.MAPPING_PUBLISH)
    group = _group(person, key, run_id)
    value = options.refused_value(group)
    place = (group["connection_id"], group["remote_object"], group["field"])
    known = options.options_of({group["connection_id"]}).get(place, ())
    if not value or option not in {one.value for one in known}:
        raise BadInput("option", "Choose one of the options the CRM has for this field.")
    rules = [rule_from_row(dict(row)) for row in rows(RULES, stream=group["stream_id"])]
    mapping_versions.publish(
        person=person,
        stream_id=group["stream_id"],
        rules=[
            _with_option(rule, option, value) if rule.theirs == group["field"] else rule
            for rule in rules
        ],
        choices={},
    )
    return fixes.retry(person=person, key=key, run_id=run_id, once_key=once_key, wake=wake)


def _group(person: Person, key: str, run_id: UUID | None) -> Row:
    for row in failures.grouped(person, run_id):
        if failures.key_of(row) == key:
            return row
    raise BadInput("", NOTHING)


def _with_option(rule: FieldRule, option: str, value: str) -> FieldRule:
    """The table stands first: it meets the CRM's own spelling."""
    first = rule.steps[0] if rule.steps and rule.steps[0].name == TABLE else None
    held = first.params.get("table") if first else None
    table = dict(held) if isinstance(held, Mapping) else {}
    if table.get(option, value) != value:
        raise BadInput(
            "option",
            f"{option} stands for {table[option]} already. Change the rule on the mapping page.",
        )
    step = Step(TABLE, {**(first.params if first else {}), "table": {**table, option: value}})
    return replace(rule, steps=(step, *(rule.steps[1:] if first else rule.steps)))
