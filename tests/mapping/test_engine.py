from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_admin.jsontypes import Json
from crm_admin.mapping.engine import CompiledRule, RuleFailed, StepTrace, compile_rules, explain
from crm_admin.mapping.rules import Direction, FieldRule, Step
from crm_admin.mapping.transformers.registry import STEPS, build
from crm_admin.mapping.wire import normal_wire, same_wire
from crm_admin.records.kinds import Field, FieldType, Option, Promoted, RecordKind

T = FieldType
KIND = RecordKind(
    "thing",
    "Thing",
    "Things",
    (
        *(
            Field(type_.value, type_.value, type_)
            for type_ in T
            if type_ not in {T.ENUM, T.MULTI_ENUM}
        ),
        Field("enum", "Enum", T.ENUM, options=(Option("new", "New"), Option("won", "Won"))),
        Field("multi_enum", "Multi", T.MULTI_ENUM, options=(Option("a", "A"), Option("b", "B"))),
    ),
    (),
    Promoted(()),
)
EURO = Step("currency", {"currency": "EUR"})


def rule(ours: FieldType, theirs: str = "string", *steps: Step) -> CompiledRule:
    return compile_rules(
        [FieldRule("r1", ours.value, "its", steps=steps)], KIND, {"its": theirs}
    ).rules[0]


@pytest.mark.parametrize(
    ("ours", "theirs", "wire", "value", "back"),
    [
        (T.STRING, "string", "Ann", "Ann", "Ann"),
        (T.STRING, "decimal", 10.0, "10", "10"),
        (T.STRING, "multi_enum", ["a", "b"], "a;b", "a;b"),
        (T.INTEGER, "decimal", "10.0", 10, "10"),
        (T.DECIMAL, "decimal", "1200.50", "1200.5", "1200.5"),
        (T.DECIMAL, "integer", "12", "12", "12"),
        (T.DATE, "datetime", "2026-11-20T15:30:00Z", "2026-11-20", "2026-11-20T00:00:00.000Z"),
        (T.DATE, "date", "1763596800000", "2025-11-20", "2025-11-20"),
        (
            T.DATETIME,
            "datetime",
            "2026-11-20 15:30:00",
            "2026-11-20T15:30:00.000Z",
            "2026-11-20T15:30:00.000Z",
        ),
        (
            T.DATETIME,
            "datetime",
            1763596800123,
            "2025-11-20T00:00:00.123Z",
            "2025-11-20T00:00:00.123Z",
        ),
        (T.DATETIME, "date", "2026-11-20", "2026-11-20T00:00:00.000Z", "2026-11-20"),
        (T.BOOLEAN, "boolean", "true", True, "true"),
        (T.BOOLEAN, "boolean", False, False, "false"),
        (T.BOOLEAN, "integer", 1, True, "true"),
        (T.ENUM, "enum", "Won", "won", "won"),
        (T.MULTI_ENUM, "multi_enum", "b;a", ["a", "b"], "a;b"),
        (T.ARRAY, "string", "b; a;", ["b", "a"], "b;a"),
        (T.EMAIL, "string", "Ann@Example.com", "ann@example.com", "ann@example.com"),
        (T.REFERENCE, "string", "17", "17", "17"),
    ],
)
def test_types_convert_without_steps(
    ours: FieldType, theirs: str, wire: Json, value: Json, back: Json
) -> None:
    one = rule(ours, theirs)

    assert one.from_crm(wire) == value
    assert one.to_crm(value) == back


@pytest.mark.parametrize("ours", [type_ for type_ in T if type_ is not T.REFERENCE])
@pytest.mark.parametrize("blank", [None, ""])
def test_blanks_cross_as_blanks_in_every_type(ours: FieldType, blank: Json) -> None:
    one = rule(ours)

    assert one.from_crm(blank) is None
    assert one.to_crm(blank) == ""


@pytest.mark.parametrize(
    ("step", "ours", "wire", "value", "back"),
    [
        (Step("trim"), T.STRING, " Ann ", "Ann", "Ann"),
        (Step("case", {"from": "lower", "to": "upper"}), T.STRING, "ANN", "ann", "ANN"),
        (Step("case", {"from": "title"}), T.STRING, "ann", "Ann", "Ann"),
        (
            Step("to_number", {"decimal": ",", "thousands": "."}),
            T.DECIMAL,
            "1.234,50",
            "1234.5",
            "1234,5",
        ),
        (Step("to_number", {"thousands": ","}), T.DECIMAL, "(1,234)", "-1234", "-1234"),
        (Step("number_format", {"factor": "100"}), T.DECIMAL, "1250", "12.5", "1250"),
        (Step("number_format", {"decimals": 1}), T.DECIMAL, "0.25", "0.2", "0.2"),
        (
            Step("date_format", {"pattern": "DD.MM.YYYY"}),
            T.DATE,
            "1.2.2026",
            "2026-02-01",
            "01.02.2026",
        ),
        (
            Step("date_format", {"pattern": "YYYY/MM/DD hh:mm", "zone": "Europe/Berlin"}),
            T.DATETIME,
            "2026/07/01 10:00",
            "2026-07-01T08:00:00.000Z",
            "2026/07/01 10:00",
        ),
        (
            Step("epoch_ms"),
            T.DATETIME,
            "1763596800123",
            "2025-11-20T00:00:00.123Z",
            "1763596800123",
        ),
        (Step("epoch_ms", {"date": True}), T.DATE, 1763596800000, "2025-11-20", "1763596800000"),
        (Step("boolean_words", {"true": "yes|y", "false": "no"}), T.BOOLEAN, "Y", True, "yes"),
        (Step("split", {"by": ","}), T.ARRAY, "a, b", ["a", "b"], "a,b"),
        (Step("join", {"by": ", "}), T.STRING, ["a", "b"], "a, b", "a;b"),
        (Step("value_table", {"table": {"1": "won", "0": "new"}}), T.ENUM, "1", "won", "1"),
        (Step("value_table", {"table": {"1": "won"}}), T.ENUM, "new", "new", "new"),
        (Step("default", {"value": "won"}), T.ENUM, None, "won", "won"),
        (
            Step("phone", {"country": "GB"}),
            T.PHONE,
            "020 7946 0958",
            "+442079460958",
            "+442079460958",
        ),
        (EURO, T.MONEY, "12.50", {"amount": "12.5", "currency": "EUR"}, "12.5"),
        (
            Step("currency", {"written": "code amount"}),
            T.MONEY,
            "GBP 12.50",
            {"amount": "12.5", "currency": "GBP"},
            "GBP 12.5",
        ),
        (Step("template", {"text": "CRM: {value}!"}), T.STRING, "x", "CRM: x!", "x"),
        (Step("owner", {"table": {"51": "u-1"}}), T.STRING, "51", "u-1", "51"),
        (Step("look_up", {"table": {"DE": "Germany"}}), T.STRING, "DE", "Germany", "DE"),
    ],
    ids=lambda value: value.name if isinstance(value, Step) else "",
)
def test_each_step_has_its_way_back(
    step: Step, ours: FieldType, wire: Json, value: Json, back: Json
) -> None:
    one = rule(ours, "string", step)

    assert one.broken == ""
    assert one.from_crm(wire) == value
    assert one.to_crm(value) == back


@pytest.mark.parametrize(
    ("one", "wire", "step"),
    [
        (rule(T.INTEGER), "ten", "type"),
        (rule(T.MONEY), "12.50", "type"),
        (rule(T.DATE), "tomorrow", "type"),
        (rule(T.DECIMAL, "string", Step("to_number", {"decimal": ","})), "1.5.2", "to_number"),
        (
            rule(T.DATE, "string", Step("date_format", {"pattern": "DD.MM.YYYY"})),
            "31.02.2026",
            "date_format",
        ),
        (rule(T.DATETIME, "string", Step("epoch_ms")), "9" * 18, "epoch_ms"),
        (
            rule(T.ENUM, "string", Step("value_table", {"table": {"1": "won"}, "strict": True})),
            "2",
            "value_table",
        ),
        (rule(T.ENUM, "string", Step("value_table", {"table": {"1": "gone"}})), "1", "type"),
        (
            rule(
                T.MONEY, "string", Step("currency", {"written": "amount code", "currency": "EUR"})
            ),
            "1 GBP",
            "currency",
        ),
        (
            rule(T.BOOLEAN, "string", Step("boolean_words", {"true": "ja", "false": "nein"})),
            "yes",
            "boolean_words",
        ),
        (
            rule(T.DECIMAL, "string", Step("number_format", {"factor": "1"})),
            "9" * 59,
            "number_format",
        ),
        (rule(T.STRING, "string", Step("split")), {"a": 1}, "split"),
    ],
)
def test_a_value_that_cannot_come_names_the_step_and_the_reason(
    one: CompiledRule, wire: Json, step: str
) -> None:
    with pytest.raises(RuleFailed) as failed:
        one.from_crm(wire)

    assert (failed.value.rule_id, failed.value.step) == ("r1", step)
    assert failed.value.reason.endswith(".")


@pytest.mark.parametrize(
    ("one", "value", "step"),
    [
        (rule(T.DECIMAL, "integer"), "1.5", "type"),
        (rule(T.MONEY, "decimal"), {"amount": "1", "currency": "EUR"}, "type"),
        (rule(T.MONEY, "decimal", EURO), {"amount": "1", "currency": "GBP"}, "currency"),
        (rule(T.ARRAY), ["a;b"], "type"),
        (rule(T.ARRAY, "string", Step("split", {"by": ","})), ["a,b"], "split"),
        (rule(T.STRING, "string", Step("template", {"text": "<{value}>"})), "x", "template"),
        (
            rule(T.STRING, "string", Step("look_up", {"table": {"DE": "Germany"}})),
            "France",
            "look_up",
        ),
        (rule(T.STRING, "string", Step("boolean_words", {})), "true", "boolean_words"),
    ],
)
def test_a_value_that_cannot_go_names_the_step(one: CompiledRule, value: Json, step: str) -> None:
    with pytest.raises(RuleFailed) as failed:
        one.to_crm(value)

    assert failed.value.step == step


@pytest.mark.parametrize(
    "step",
    [
        Step("nothing"),
        Step("case", {"from": "camel"}),
        Step("to_number", {"decimal": ".", "thousands": "."}),
        Step("number_format", {"factor": 0}),
        Step("number_format", {"decimals": 99}),
        Step("number_format", {"factor": "many"}),
        Step("currency", {}),
        Step("currency", {"currency": "EURO"}),
        Step("date_format", {"pattern": "DD.MM"}),
        Step("date_format", {"pattern": "DD.MM.YYYY", "zone": "../etc"}),
        Step("boolean_words", {"true": "x", "false": "X"}),
        Step("split", {"by": ""}),
        Step("template", {"text": "no mark"}),
        Step("value_table", {"table": {}}),
        Step("value_table", {"table": {"a": "b"}, "strict": "yes"}),
        Step("default", {}),
        Step("phone", {"country": "Atlantis"}),
        Step("owner", {"table": "people"}),
        Step("custom", {"fromCRM": "nonsense"}),
    ],
)
def test_a_step_with_wrong_parameters_fails_its_rule_alone(step: Step) -> None:
    rules = [FieldRule("bad", "string", "x", steps=(step,)), FieldRule("good", "text", "y")]

    bad, good = compile_rules(rules, KIND, {}).rules

    assert bad.broken.endswith(".")
    assert good.from_crm("a") == "a"
    with pytest.raises(RuleFailed) as failed:
        bad.from_crm("a")
    assert failed.value.step == "set-up"


def test_a_rule_for_a_field_we_do_not_have_fails_alone() -> None:
    (one,) = compile_rules([FieldRule("r", "nowhere", "x")], KIND, {}).rules

    assert one.broken == "There is no field nowhere."


def test_associations_pass_ids_unchanged() -> None:
    (one,) = compile_rules([FieldRule("r", "reference", "association:companies")], KIND, {}).rules

    assert (one.from_crm("17"), one.to_crm("u-1")) == ("17", "u-1")


def test_an_owner_step_takes_the_table_handed_in() -> None:
    rules = [FieldRule("r", "string", "x", steps=(Step("owner"),))]

    (one,) = compile_rules(rules, KIND, {}, {"owner": {"51": "u-1"}}).rules

    assert (one.from_crm("51"), one.to_crm("u-1")) == ("u-1", "51")


def test_steps_run_in_order_and_back_in_reverse() -> None:
    one = rule(
        T.STRING,
        "string",
        Step("trim"),
        Step("template", {"text": "<{value}>"}),
        Step("case", {"from": "upper", "to": "lower"}),
    )

    assert one.from_crm(" ann ") == "<ANN>"
    assert one.to_crm("<ANN>") == "ann"


def test_explain_shows_each_step_in_both_directions() -> None:
    one = rule(T.MONEY, "decimal", Step("trim"), EURO)
    euros = {"amount": "12.5", "currency": "EUR"}

    inward = explain(one, " 12.50 ", Direction.FROM_CRM)
    outward = explain(one, euros, Direction.TO_CRM)

    assert inward == (
        StepTrace("given", " 12.50 "),
        StepTrace("trim", "12.50"),
        StepTrace("currency", euros),
        StepTrace("type", euros),
    )
    assert [trace.value for trace in outward] == [euros, "12.5", "12.5", "12.5"]


def test_explain_ends_at_the_step_that_fails() -> None:
    traces = explain(rule(T.INTEGER), "ten", Direction.FROM_CRM)

    assert traces[-1] == StepTrace("type", None, "“ten” is not a number.")


@pytest.mark.parametrize("spec", STEPS.values(), ids=STEPS)
def test_the_example_of_every_step_builds(spec: object) -> None:
    name = spec.name  # type: ignore[attr-defined]

    assert build(Step(name, STEPS[name].example)) is not None


def reason_of(convert: Callable[[Json], Json], value: Json) -> str | None:
    try:
        convert(value)
    except RuleFailed as failed:
        return failed.reason
    return None


hostile = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(hostile, st.sampled_from(list(STEPS)), st.sampled_from(list(T)))
def test_whatever_a_crm_holds_crosses_or_fails_with_a_reason(
    value: Json, name: str, ours: FieldType
) -> None:
    one = rule(ours, "string", Step(name, STEPS[name].example))
    for convert in (one.from_crm, one.to_crm):
        reason = reason_of(convert, value)

        assert reason is None or reason.endswith(".")


@given(hostile, st.sampled_from(list(T)), st.sampled_from(list(T)))
def test_whatever_a_crm_holds_is_compared_and_converted(
    value: Json, ours: FieldType, theirs: FieldType
) -> None:
    one = rule(ours, theirs.value)

    assert same_wire(theirs.value, normal_wire(theirs.value, value), value) or value != value
    assert reason_of(one.from_crm, value) != ""
    assert reason_of(one.to_crm, value) != ""


@pytest.mark.parametrize(
    ("type_name", "a", "b", "equal"),
    [
        ("decimal", "10", "10.0", True),
        ("decimal", "10", 10, True),
        ("string", "007", "7", False),
        ("string", "Ann", "ann", False),
        ("boolean", "true", True, True),
        ("date", "2026-11-20", "1795132800000", True),
        ("datetime", "2026-11-20T00:00:00Z", "2026-11-20T00:00:00.000Z", True),
        ("multi_enum", "a;b", "b;a", True),
        ("email", "Ann@example.com", "ann@example.com", True),
        ("decimal", "", None, True),
        ("decimal", "0", None, False),
        ("a type nobody knows", "a", "a", True),
    ],
)
def test_two_spellings_of_one_value_are_one(type_name: str, a: Json, b: Json, equal: bool) -> None:
    assert same_wire(type_name, a, b) is equal
