from dataclasses import replace
from datetime import timedelta

import pytest

from crm_admin.jsontypes import Json
from crm_admin.mapping.rules import Policy
from crm_admin.sync.merge import (
    Base,
    Declined,
    Inputs,
    Reason,
    RuleFacts,
    Times,
    Verdict,
    Waiting,
    from_json,
    hash_of,
    inputs_json,
    newest_side,
    sentence,
)
from crm_admin.sync.states import Side
from tests.sync.merge_cases import CASES, FACTS, NOON, NUMBER, by_policy, decide, seen


@pytest.mark.parametrize(("facts", "inputs", "verdict", "reason"), CASES.values(), ids=CASES)
def test_one_field_of_one_pair(
    facts: RuleFacts, inputs: Inputs, verdict: Verdict, reason: Reason
) -> None:
    decision = decide(facts, inputs)

    assert (decision.verdict, decision.reason) == (verdict, reason)


@pytest.mark.parametrize(("facts", "inputs", "verdict", "reason"), CASES.values(), ids=CASES)
def test_a_stored_decision_can_be_made_again(
    facts: RuleFacts, inputs: Inputs, verdict: Verdict, reason: Reason
) -> None:
    again = from_json(inputs_json(facts, inputs))

    assert again == (facts, inputs)
    assert decide(*again) == decide(facts, inputs)
    assert decide(*again).verdict is verdict


def test_what_is_taken_and_sent_is_the_value_of_the_other_side() -> None:
    assert decide(FACTS, seen("a", "b")).ours_after == "b"
    assert decide(FACTS, seen("b", "a")).theirs_after == "b"
    assert decide(FACTS, seen("a", "")).ours_after is None
    assert decide(FACTS, seen(None, "a")).theirs_after == ""


def test_a_collision_settled_by_policy_keeps_the_losing_value() -> None:
    ours_lost = decide(by_policy(Policy.THEIRS_WINS), seen("b", "c"))
    theirs_lost = decide(by_policy(Policy.OURS_WINS), seen("b", "c"))

    assert (ours_lost.settled, ours_lost.losing) == (True, "b")
    assert (theirs_lost.settled, theirs_lost.losing) == (True, "c")
    assert decide(FACTS, seen("a", "b")).settled is False


def test_a_refusal_names_rule_step_and_reason() -> None:
    decision = decide(FACTS, seen("cannot go", "a"))

    assert decision.error == "r1, step value_table: It is not in the table."


def test_a_value_that_must_wait_passes_the_waiting_on() -> None:
    with pytest.raises(Waiting):
        decide(FACTS, seen("later", "a"))


@pytest.mark.parametrize(
    ("ours", "theirs", "base", "side", "held"),
    [
        ("a", "b", Base("a", "a"), Side.THEIRS, "b"),
        ("b", "a", Base("a", "a"), Side.OURS, "b"),
        (None, "b", None, Side.THEIRS, "b"),
        ("b", None, None, Side.OURS, "b"),
    ],
    ids=["theirs", "ours", "theirs, never agreed", "ours, never agreed"],
)
def test_what_an_undo_declined_stays_until_the_side_changes(
    ours: Json, theirs: Json, base: Base | None, side: Side, held: Json
) -> None:
    declined = (Declined(side, hash_of(held)),)
    inputs = replace(seen(ours, theirs, base), declined=declined)
    moved = replace(inputs, **{side.value: "new"})

    quiet, awake = decide(FACTS, inputs), decide(FACTS, moved)

    assert (quiet.verdict, quiet.reason) == (Verdict.NOTHING, Reason.DECLINED)
    assert awake.verdict is (Verdict.TAKE if side is Side.THEIRS else Verdict.SEND)


def test_an_edit_of_the_other_side_wins_over_a_declined_value() -> None:
    inputs = replace(seen("new", "b"), declined=(Declined(Side.THEIRS, hash_of("b")),))

    assert decide(FACTS, inputs).verdict is Verdict.SEND


def test_a_declined_number_is_known_in_another_spelling() -> None:
    inputs = replace(
        seen("1", "10.0", Base("1", "1")), declined=(Declined(Side.THEIRS, hash_of("10")),)
    )

    assert decide(NUMBER, inputs).reason is Reason.DECLINED


@pytest.mark.parametrize(
    ("seconds", "side"),
    [(5, None), (5.1, Side.OURS), (0, None), (-60, None), (-65, None), (-65.1, Side.THEIRS)],
)
def test_times_within_five_seconds_decide_nothing(seconds: float, side: Side | None) -> None:
    times = Times(NOON + timedelta(seconds=seconds), NOON - timedelta(minutes=1), NOON)

    assert newest_side(times) is side


def test_an_interval_open_to_the_left_never_makes_theirs_newer() -> None:
    assert newest_side(Times(NOON - timedelta(days=900), None, NOON)) is None


def test_hashes_tell_values_apart_and_blanks_together() -> None:
    assert hash_of(None) == hash_of("") == hash_of([])
    assert len({hash_of(value) for value in [None, "a", "A", 1, "1", True, ["a"], {"a": "b"}]}) == 8
    assert hash_of({"a": 1, "b": 2}) == hash_of({"b": 2, "a": 1})
    assert hash_of("\ud800") != hash_of(10**30)


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_a_sentence_that_names_the_field(reason: Reason) -> None:
    text = sentence(reason, theirs_name="HubSpot {0} EU", field="job title {x}")

    assert "ob title {x}" in text
    assert text[0].isupper()
    assert text.endswith(".")
