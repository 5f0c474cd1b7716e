"""A record that was edited since does not go because the other side's is gone."""

import pytest

from crm_admin.jsontypes import Json
from crm_admin.mapping.rules import Direction, FieldRule, FirstAgreement, Policy
from crm_admin.sync.drafts import RuleUse
from crm_admin.sync.gone import edited_here, edited_there
from crm_admin.sync.merge import RuleFacts


def rule(name: str, theirs: str, wire_type: str = "") -> RuleUse:
    facts = RuleFacts(
        name, Direction.BOTH, Policy.NEWEST_WINS, FirstAgreement.ASK, False, wire_type=wire_type
    )
    return RuleUse(FieldRule(name, name, theirs), facts, lambda value: value, lambda value: value)


RULES = (rule("city", "city"), rule("amount", "amount", "decimal"), rule("c", "association:x"))


@pytest.mark.parametrize(
    ("data", "base", "edited"),
    [
        ({"city": "Porto"}, {"city": "Porto"}, []),
        ({"city": "Lisboa"}, {"city": "Porto"}, ["city"]),
        ({}, {"city": None}, []),
        ({}, {"city": "Porto"}, ["city"]),
        ({"city": "Porto"}, {}, []),
        ({"c": "1"}, {"c": "2"}, []),
    ],
    ids=["same", "changed", "blank", "emptied", "never agreed", "reference"],
)
def test_ours_was_edited(data: dict[str, Json], base: dict[str, Json], edited: list[str]) -> None:
    assert edited_here(RULES, data, base) == edited


@pytest.mark.parametrize(
    ("properties", "base", "edited"),
    [
        ({"city": "Porto"}, {"city": "Porto"}, []),
        ({"city": "Lisboa"}, {"city": "Porto"}, ["city"]),
        ({"amount": "10.00"}, {"amount": "10"}, []),
        ({}, {"city": "Porto"}, []),
    ],
    ids=["same", "changed", "other spelling", "not read"],
)
def test_theirs_was_edited(
    properties: dict[str, Json], base: dict[str, Json], edited: list[str]
) -> None:
    assert edited_there(RULES, properties, base) == edited
