import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_admin.jsontypes import Json
from crm_admin.mapping.engine import RuleFailed, compile_rules
from crm_admin.mapping.expressions.parser import compile_arrow
from crm_admin.mapping.expressions.tokens import ExpressionError
from crm_admin.mapping.rules import FieldRule, Step
from crm_admin.records.kinds import Field, FieldType, Promoted, RecordKind


@pytest.mark.parametrize(
    ("source", "value", "result"),
    [
        ("(value) => value.toLowerCase()", "ANN", "ann"),
        ("(value) => value.toUpperCase()", "ann", "ANN"),
        ("value => value.trim()", " a ", "a"),
        ("(value) => { return value.trim(); }", " a ", "a"),
        ("(value) => value?.trim() ?? 'none'", None, "none"),
        ("(v) => v?.trim().toUpperCase()", None, None),
        ("(value) => value.split(' ')[0]", "Ann Smith", "Ann"),
        ("(value) => value.split(' ')[9]", "Ann Smith", None),
        ("(v) => v.split(',').join(' / ')", "a,b", "a / b"),
        ("(v) => v.replace('a', 'b')", "aa", "ba"),
        ("(v) => v.replaceAll('a', '$')", "aa", "$$"),
        ("(v) => v.slice(-2)", "abcd", "cd"),
        ("(v) => v.substring(3, 1)", "abcd", "bc"),
        ("(v) => v.padStart(5, '0')", "42", "00042"),
        ("(v) => v.padEnd(4, 'ab')", "x", "xaba"),
        ("(v) => v.charAt(1) + v.at(-1)", "abc", "bc"),
        ("(v) => v.indexOf('c') > 1 && v.includes('b')", "abc", True),
        ("(v) => v.startsWith('a') ? 'yes' : v.endsWith('c') ? 'maybe' : 'no'", "bc", "maybe"),
        ("(v) => `Hello ${v.trim()}, ${v.length} long`", " Ann", "Hello Ann, 4 long"),
        ("(v) => Number(v) * 2 + 1", "1.5", 4),
        ("(v) => 7 - 2 * 3 / 4 % 2", None, 5.5),
        ("(v) => (7 - 2) * 3", None, 15),
        ("(v) => -v % 3", 7, -1),
        ("(v) => Math.round(v) + Math.floor(v) + Math.ceil(v) + Math.abs(-1)", 2.5, 9),
        ("(v) => v.toFixed(2)", 2, "2.00"),
        ("(v) => 'n' + v", 12.0, "n12"),
        ("(v) => v === 'won' || v == 'lost'", "lost", True),
        ("(v) => v !== true", 1, True),
        ("(v) => !v", "", True),
        ("(v) => v ?? 0", False, False),
        ("(v) => v || 'b'", 0, "b"),
        ("(v) => v.owner?.name", {"owner": {"name": "Ann"}}, "Ann"),
        ("(v) => v['first name']", {"first name": "Ann"}, "Ann"),
        ("(v) => v.constructor", {"a": 1}, None),
        ("(v) => [v, 'b'].includes('b')", "a", True),
        ('(v) => String(v) + "\\u00e9\\n"', True, "trueé\n"),
        ("(v) => v ? 1.5e2 : null", [], 150),
    ],
)
def test_an_arrow_function_does_what_javascript_does(
    source: str, value: Json, result: Json
) -> None:
    found = compile_arrow(source)(value)

    assert found == result
    assert type(found) is type(result)


@pytest.mark.parametrize(
    "source",
    [
        "",
        "value.trim()",
        "(a, b) => a + b",
        "(value) => ",
        "(value) => value.",
        "(value) => value +",
        "(value) => (value",
        "(value) => value)",
        "(value) => other",
        "(value) => eval('1')",
        "(value) => Math.random()",
        "(value) => Number(1, 2)",
        "(value) => /a+/.test(value)",
        "(value) => value = 1",
        "(value) => function () {}",
        "(value) => { while (true) {} }",
        "(value) => `${`nested`}`",
        "(value) => `${value",
        "(value) => @",
        "(value) => 'open",
        "(true) => 1",
        "(value) => " + "!" * 1_900 + "value",
        "(value) => " + "(" * 500 + "value" + ")" * 500,
        "(value) => value" + "+1" * 900,
        "(value) => " + "[" * 200,
        "(value) => '" + "a" * 3_000 + "'",
        "(v) => " + "v?" * 60,
    ],
)
def test_what_the_subset_does_not_know_is_refused_with_its_place(source: str) -> None:
    with pytest.raises(ExpressionError) as refused:
        compile_arrow(source)

    assert refused.value.position >= 0
    assert refused.value.sentence


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("(v) => v.__class__", "a"),
        ("(v) => v.format", "a"),
        ("(v) => v.constructor", "a"),
        ("(v) => v.encode()", "a"),
        ("(v) => v.trim()", None),
        ("(v) => v.trim()", 5),
        ("(v) => v.a.b", {"a": None}),
        ("(v) => v * 2", "a"),
        ("(v) => v / 0", 1),
        ("(v) => v + 'a'", None),
        ("(v) => v < 'a'", 1),
        ("(v) => Number(v)", "ten"),
        ("(v) => Number(v)", "inf"),
        ("(v) => 1e14 * v", 100),
        ("(v) => v.repeat(1e9)", "a"),
        ("(v) => v.padStart(1e9)", "a"),
        ("(v) => v.repeat(-1)", "a"),
        ("(v) => v.replaceAll('', 'x'.repeat(90000))", "abc"),
        ("(v) => v.split('').join('x'.repeat(90000))", "abc"),
        ("(v) => v.replace('a', '$&')", "a"),
        ("(v) => v.toFixed(99)", 1),
        ("(v) => v.replace('a')", "a"),
    ],
)
def test_a_value_an_expression_cannot_take_is_refused_in_words(source: str, value: Json) -> None:
    with pytest.raises(ExpressionError) as refused:
        compile_arrow(source)(value)

    assert refused.value.sentence.endswith(".")


def test_many_large_results_in_a_row_run_out_of_work() -> None:
    double = compile_arrow("(v) => v" + ".concat('b')" * 40)

    with pytest.raises(ExpressionError):
        double("a" * 90_000)


@given(
    st.text(alphabet="vtrim()[]{}.,?:+-*/%!=<>&|'\"`$ \\\n0123456789einul", max_size=60),
    st.none()
    | st.text()
    | st.integers()
    | st.lists(st.text())
    | st.dictionaries(st.text(), st.text()),
)
def test_any_source_is_refused_or_ends(source: str, value: Json) -> None:
    sentence = "It ended."
    try:
        compile_arrow(f"(v) => {source}")(value)
    except ExpressionError as error:
        sentence = error.sentence

    assert sentence.endswith(".")


def test_a_custom_step_runs_both_ways_and_names_itself_when_it_fails() -> None:
    kind = RecordKind(
        "k", "K", "Ks", (Field("title", "Title", FieldType.STRING),), (), Promoted(())
    )
    functions: dict[str, Json] = {
        "fromCRM": "(value) => value.toLowerCase()",
        "toCRM": "(value) => value.split('-')[1].toUpperCase()",
    }
    rules = [FieldRule("r1", "title", "opportunity_name", steps=(Step("custom", functions),))]

    one = compile_rules(rules, kind, {}).rules[0]

    assert one.from_crm("BIG Deal") == "big deal"
    assert one.to_crm("a-b") == "B"
    with pytest.raises(RuleFailed) as failed:
        one.to_crm("plain")
    assert failed.value.step == "custom"


@pytest.mark.parametrize("params", [{}, {"fromCRM": ""}, {"fromCRM": 5}, {"toCRM": "(value) =>"}])
def test_a_custom_step_without_a_proper_function_breaks_its_rule(params: dict[str, Json]) -> None:
    kind = RecordKind(
        "k", "K", "Ks", (Field("title", "Title", FieldType.STRING),), (), Promoted(())
    )

    one = compile_rules(
        [FieldRule("r", "title", "x", steps=(Step("custom", params),))], kind, {}
    ).rules[0]

    assert one.broken.endswith(".")
