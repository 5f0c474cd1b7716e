import pytest

from crm_admin.mapping.checks import Finding, Fit, Level, check_mapping, fit
from crm_admin.mapping.cycles import find_cycles
from crm_admin.mapping.rules import Direction, FieldRule, Step
from crm_admin.providers.base import RemoteField, RemoteOption
from crm_admin.records.kinds import Field, FieldType, Option, Promoted, RecordKind

T = FieldType
KIND = RecordKind(
    "deal",
    "Deal",
    "Deals",
    (
        Field("name", "Name", T.STRING, required=True),
        Field("amount", "Amount", T.MONEY),
        Field("count", "Count", T.INTEGER),
        Field("stage", "Stage", T.ENUM, options=(Option("new", "New"), Option("won", "Won"))),
        Field("company", "Company", T.REFERENCE, target="company"),
    ),
    (),
    Promoted(("name",)),
)
STAGES = (RemoteOption("1", "First"), RemoteOption("won", "Closed won"))
REMOTE = [
    RemoteField("dealname", "Deal name", "string"),
    RemoteField("amount", "Amount", "decimal"),
    RemoteField("dealstage", "Deal stage", "enum", options=STAGES),
    RemoteField("made_at", "Made", "datetime", read_only=True),
    RemoteField("id", "Id", "integer", read_only=True),
]
NAME = FieldRule("name", "name", "dealname")
READ, SEND = Direction.FROM_CRM, Direction.TO_CRM


def findings(*rules: FieldRule, remote: list[RemoteField] = REMOTE) -> list[Finding]:
    return check_mapping([NAME, *rules], KIND, remote)


def test_a_sound_mapping_has_no_findings() -> None:
    assert findings(FieldRule("company", "company", "association:companies")) == []


@pytest.mark.parametrize(
    ("rule", "level", "words"),
    [
        (FieldRule("r", "nowhere", "amount"), Level.ERROR, "There is no field nowhere."),
        (FieldRule("r", "count", "nowhere"), Level.ERROR, "The CRM has no field nowhere."),
        (FieldRule("r", "count", "id"), Level.ERROR, "does not let anybody write id"),
        (FieldRule("r", "count", "made_at", direction=READ), Level.ERROR, "cannot hold a datetime"),
        (FieldRule("r", "amount", "amount"), Level.ERROR, "cannot hold a decimal"),
        (FieldRule("r", "count", "amount"), Level.NOTE, "Not every decimal"),
        (FieldRule("r", "count", "association:companies"), Level.ERROR, "not a reference"),
        (
            FieldRule("r", "count", "amount", steps=(Step("nonsense"),)),
            Level.ERROR,
            "no step called",
        ),
        (
            FieldRule("r", "stage", "dealstage", direction=READ),
            Level.WARNING,
            "First of the CRM mean nothing",
        ),
        (
            FieldRule("r", "stage", "dealstage", direction=SEND),
            Level.WARNING,
            "New of Stage are no options",
        ),
    ],
)
def test_what_is_wrong_with_a_rule_is_found(rule: FieldRule, level: Level, words: str) -> None:
    found = [finding for finding in findings(rule) if finding.rule_id == "r"]

    assert [finding.level for finding in found] == [level]
    assert words in found[0].sentence


def test_a_step_that_makes_the_type_settles_it() -> None:
    assert (
        findings(FieldRule("r", "amount", "amount", steps=(Step("currency", {"currency": "EUR"}),)))
        == []
    )


def test_two_rules_that_write_one_field_are_found() -> None:
    again = FieldRule("again", "name", "amount", direction=READ)

    sentences = [finding.sentence for finding in findings(again)]

    assert "The rules name and again both write the field name of ours." in sentences


def test_reading_and_sending_by_two_rules_is_one_field_each_way() -> None:
    rules = [
        FieldRule("in", "name", "dealname", direction=READ),
        FieldRule("out", "name", "dealname", direction=SEND),
    ]

    assert check_mapping(rules, KIND, REMOTE) == []


def test_required_fields_that_nothing_fills_are_found_on_both_sides() -> None:
    remote = [*REMOTE, RemoteField("owner", "Owner", "string", required=True)]
    rules = [FieldRule("count", "count", "amount")]

    sentences = [finding.sentence for finding in check_mapping(rules, KIND, remote)]

    assert "Name is required here and no rule fills it." in sentences
    assert "Owner is required by the CRM and no rule fills it." in sentences


def test_a_value_that_goes_round_is_found_with_its_path() -> None:
    rules = [
        FieldRule("1", "a", "x", direction=SEND),
        FieldRule("2", "b", "x", direction=READ),
        FieldRule("3", "b", "y", direction=SEND),
        FieldRule("4", "a", "y", direction=READ),
    ]

    (cycle,) = find_cycles(rules)

    assert cycle.path == ("a", "x of the CRM", "b", "y of the CRM", "a")
    assert cycle.rule_id == "4"


def test_pairs_chains_and_two_one_way_rules_are_no_cycles() -> None:
    rules = [
        FieldRule("1", "a", "x"),
        FieldRule("2", "b", "y", direction=READ),
        FieldRule("3", "b", "y", direction=SEND),
        FieldRule("4", "c", "x", direction=READ),
    ]

    assert list(find_cycles(rules)) == []


def test_samples_that_do_not_come_back_are_counted_and_shown() -> None:
    rule = FieldRule("name", "name", "dealname", steps=(Step("case", {"from": "lower"}),))

    found = check_mapping([rule], KIND, REMOTE, {"name": ["ann", "BOB", "", None]})

    assert [finding.sentence for finding in found] == [
        "1 of 4 samples come back changed: “BOB” as “bob”."
    ]


def test_samples_that_cannot_cross_are_counted_with_the_reason() -> None:
    rule = FieldRule("count", "count", "dealname", direction=READ)

    found = check_mapping([rule], KIND, REMOTE, {"count": ["1", "ten"]})

    assert "1 of 2 samples cannot cross: “ten” (“ten” is not a number.)." in [
        finding.sentence for finding in found
    ]


@pytest.mark.parametrize("ours", T)
@pytest.mark.parametrize("theirs", T)
def test_types_fit_the_same_both_ways(ours: FieldType, theirs: FieldType) -> None:
    assert fit(ours, theirs) is fit(theirs, ours)


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        (T.STRING, T.TEXT, Fit.ALLOWED),
        (T.EMAIL, T.STRING, Fit.ALLOWED),
        (T.DATE, T.DATETIME, Fit.LOSSY),
        (T.STRING, T.BOOLEAN, Fit.LOSSY),
        (T.INTEGER, T.DATE, Fit.IMPOSSIBLE),
        (T.MONEY, T.MONEY, Fit.IMPOSSIBLE),
        (T.REFERENCE, T.STRING, Fit.IMPOSSIBLE),
    ],
)
def test_pairs_of_types_are_allowed_lossy_or_impossible(
    ours: FieldType, theirs: FieldType, expected: Fit
) -> None:
    assert fit(ours, theirs) is expected
