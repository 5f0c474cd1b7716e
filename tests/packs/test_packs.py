import pytest

from crm_admin.mapping.checks import Level, check_mapping, wire_types
from crm_admin.mapping.engine import compile_rules
from crm_admin.packs.base import DefaultMapping
from crm_admin.packs.registry import PACKS, default_mapping, default_mappings, kinds
from crm_admin.providers.base import RemoteField
from crm_admin.records.identity import keys_of
from crm_admin.records.kinds import FieldType, RecordKind
from crm_admin.records.values import canonicaliser, promoted

MAPPINGS = [mapping for pack in PACKS for mapping in pack.mappings]
NUMBERS = {"amount", "annualrevenue", "numberofemployees", "hs_object_id"}


def name_of(mapping: DefaultMapping) -> str:
    return f"{mapping.provider} {mapping.remote_object} {mapping.kind}"


def remote_fields(mapping: DefaultMapping) -> list[RemoteField]:
    names = {rule.theirs for rule in mapping.rules if not rule.association}
    types = {name: "decimal" if name in NUMBERS else "string" for name in names}
    types |= {"closedate": "datetime"} if "closedate" in names else {}
    return [RemoteField(name, name, types[name]) for name in sorted(names)]


@pytest.mark.parametrize("kind", list(kinds()), ids=lambda kind: kind.name)
def test_a_kind_holds_together(kind: RecordKind) -> None:
    names = [field.name for field in kind.fields]
    columns = kind.promoted
    used = [*columns.title, columns.status, columns.owner, columns.amount, columns.due_on]
    used += [name for rule in kind.keys for name in rule.fields]

    assert len(set(names)) == len(names)
    assert {name for name in used if name} <= set(names)
    assert all(field.target in kinds() for field in kind.references)
    assert all(canonicaliser(field)(None) is None for field in kind.fields)
    assert all(field.options for field in kind.fields if field.type is FieldType.ENUM)
    assert promoted(kind, {}).title == ""
    assert keys_of(kind, {}) == ()


@pytest.mark.parametrize("mapping", MAPPINGS, ids=name_of)
def test_a_default_mapping_runs_and_has_no_errors(mapping: DefaultMapping) -> None:
    kind, fields = kinds()[mapping.kind], remote_fields(mapping)

    compiled = compile_rules(mapping.rules, kind, wire_types(fields))
    errors = [one for one in check_mapping(mapping.rules, kind, fields) if one.level is Level.ERROR]

    assert [rule.broken for rule in compiled.rules if rule.broken] == []
    assert errors == []
    assert len({rule.id for rule in mapping.rules}) == len(mapping.rules)


def test_streams_come_with_parents_first_and_povs_before_deals() -> None:
    order = [mapping.kind for mapping in default_mappings("hubspot")]

    assert order == ["company", "contact", "pov", "deal"]
    assert default_mappings("nobody") == ()


def test_a_pov_is_a_deal_of_its_own_pipeline_and_its_money_is_left_to_people() -> None:
    mapping = default_mapping("hubspot", "deals", "pov")

    assert mapping is not None
    assert mapping.filter == ({"property": "pipeline", "operator": "EQ", "value": "pov"},)
    policies = {rule.id: rule.policy for rule in mapping.rules}
    assert policies["revenue"] == policies["stage"] == "manual"
    assert default_mapping("hubspot", "deals", "lead") is None


def test_a_deal_crosses_with_its_money_date_and_stage() -> None:
    mapping = default_mapping("hubspot", "deals", "deal")
    assert mapping is not None
    compiled = compile_rules(mapping.rules, kinds()["deal"], wire_types(remote_fields(mapping)))

    amount, close, stage = (compiled.rule(name) for name in ("amount", "close_date", "stage"))

    assert amount.from_crm("1200.50") == {"amount": "1200.5", "currency": "EUR"}
    assert amount.from_crm("1200.50 GBP") == {"amount": "1200.5", "currency": "GBP"}
    assert amount.to_crm({"amount": "1200.5", "currency": "GBP"}) == "1200.5 GBP"
    assert close.from_crm("2026-11-20T00:00:00Z") == "2026-11-20"
    assert close.to_crm("2026-11-20") == "2026-11-20T00:00:00.000Z"
    assert (stage.from_crm("closedwon"), stage.to_crm("won")) == ("won", "closedwon")
