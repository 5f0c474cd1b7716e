from functools import partial

import pytest

from tests.crash.__main__ import How, told_of
from tests.crash.conduct import conduct
from tests.crash.lanes import play
from tests.crash.stage import Simulated, Stage, template
from tests.crash.targets import TARGETS, plan_of
from tests.crash.workers import Hits

SCHEDULES = range(1, 9)
LANES = 4


@pytest.fixture(scope="module")
def told() -> list[dict]:
    """What became of some schedules, and of every target under its wrong engine and under ours."""
    schedules = [partial(told_of, seed=seed, how=How(shrink=False)) for seed in SCHEDULES]
    targets = [partial(told_of_target, name=name) for name in TARGETS]
    with template() as data:
        return list(play(data, [*targets, *schedules], LANES))


def told_of_target(mine: Stage, crm: Simulated, name: str) -> dict:
    target = TARGETS[name]
    violations = [
        conduct(plan_of(target), mine, crm, Hits(), variant, target.play).violations
        for variant in (name, "")
    ]
    return {"target": name, "wrong": violations[0], "right": violations[1]}


def test_schedules_of_kills_and_faults_leave_both_sides_right(told: list[dict]) -> None:
    schedules = [one for one in told if "seed" in one]

    assert {one["seed"]: one["violations"] for one in schedules if one["violations"]} == {}
    assert len(schedules) == len(SCHEDULES)
    assert all(one["kills"] >= 3 for one in schedules)


@pytest.mark.parametrize("name", TARGETS)
def test_an_engine_known_to_be_wrong_is_caught_and_ours_is_not(told: list[dict], name: str) -> None:
    [found] = [one for one in told if one.get("target") == name]

    assert any(TARGETS[name].words in sentence for sentence in found["wrong"]), found["wrong"]
    assert found["right"] == []
