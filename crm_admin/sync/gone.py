"""Whether a record that is gone on one side may go on the other: none that was edited since."""

from collections.abc import Mapping, Sequence

from crm_admin.jsontypes import Json
from crm_admin.mapping.wire import same_wire
from crm_admin.records.values import same
from crm_admin.sync.drafts import RuleUse


def edited_here(
    rules: Sequence[RuleUse], data: Mapping[str, Json], base_ours: Mapping[str, Json]
) -> list[str]:
    """Return the fields of ours that are no longer what both sides last agreed on."""
    return [
        use.rule.ours
        for use in rules
        if not use.rule.association
        and use.rule.id in base_ours
        and not same(data.get(use.rule.ours), base_ours[use.rule.id])
    ]


def edited_there(
    rules: Sequence[RuleUse], properties: Mapping[str, Json], base_theirs: Mapping[str, Json]
) -> list[str]:
    """Return the fields of theirs that are no longer what both sides last agreed on."""
    return [
        use.rule.theirs
        for use in rules
        if not use.rule.association
        and use.rule.id in base_theirs
        and use.rule.theirs in properties
        and not same_wire(
            use.facts.wire_type, properties[use.rule.theirs], base_theirs[use.rule.id]
        )
    ]
